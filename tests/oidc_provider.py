"""A small OpenID Connect provider on loopback: real HTTP, real RS256 signatures, and faults on request."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "everytick"
SECRET = "a secret of the client"


@dataclass
class PlayedProvider:
    """
    What it says about whoever comes.

    Attributes:
        claims: Added to the token, or in place of what it would say; None takes a claim away.
        algorithm: `none` for a token without a signature, `HS256` for one signed with the public key.
        strange_key: Sign with a key that is not published.
    """

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    strange_key: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def redeem(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The tokens for a code, once, to the client that asked with the verifier it asked with."""
        asked = self.codes.pop(form.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or authorization != f"Basic {expected}"
            or challenge != asked["code_challenge"]
            or asked["code_challenge_method"] != "S256"
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked["nonce"])}

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "preferred_username": "lee",
            "name": "Lee",
            "groups": ["ops"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(claims, None, "none", {"kid": "k1"})
        if self.algorithm == "HS256":
            return jwt.encode(claims, self.jwk()["n"], "HS256", {"kid": "k1"})
        key = rsa.generate_private_key(65537, 2048) if self.strange_key else self.key
        return jwt.encode(claims, key, self.algorithm, {"kid": "k1"})

    def jwk(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {**public, "kid": "k1", "alg": "RS256", "use": "sig"}


@contextmanager
def played_provider() -> Iterator[PlayedProvider]:
    """The provider, serving until the context ends."""
    provider = PlayedProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif address.path == "/jwks":
                self._say(200, {"keys": [provider.jwk()]})
            else:
                here = provider.issuer
                self._say(
                    200,
                    {
                        "issuer": here,
                        "authorization_endpoint": f"{here}/authorize",
                        "token_endpoint": f"{here}/token",
                        "jwks_uri": f"{here}/jwks",
                    },
                )

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(text).items()}
            tokens = provider.redeem(form, self.headers.get("Authorization", ""))
            self._say(200, tokens) if tokens else self._say(400, {"error": "invalid_grant"})

        def _say(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, name="oidc")
        serving.start()
        yield provider
        server.shutdown()
        serving.join()
