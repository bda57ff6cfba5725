"""An OpenID Connect provider: where to send people, and what it says about who comes back.

Needs the extra `oidc`; nothing imports this module unless a provider is configured. A token counts only with
a signature of an asymmetric key the provider publishes, for us, of this issuer, not expired, and with the
nonce of this sign-in.
"""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
import jwt

from common.domain.errors import BadCredentials, StoreUnavailable
from common.runtime.clock import Clock
from master.domain.oidc import Errand

_TIMEOUT_S: Final = 10.0
_MAX_BYTES: Final = 1024 * 1024
_KEPT_S: Final = 600.0
#: Not to be led into fetching keys with every forged token.
_KEYS_AGAIN_S: Final = 10.0
_LEEWAY_S: Final = 60
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_METADATA: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OidcProvider:
    """One issuer, as one client of it."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str | None, scopes: str, clock: Clock
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._clock = clock
        self._metadata: Mapping[str, str] = {}
        self._metadata_at_s = self._keys_at_s = float("-inf")
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asking = asyncio.Lock()

    async def address(self, errand: Errand, redirect_uri: str) -> str:
        """
        Where the browser is sent for *errand*.

        Raises:
            StoreUnavailable: The provider does not answer.
        """
        endpoint = (await self._described())["authorization_endpoint"]
        digest = hashlib.sha256(errand.verifier.encode()).digest()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": redirect_uri,
                "scope": self._scopes,
                "state": errand.state,
                "nonce": errand.nonce,
                "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
        )
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def claims(self, code: str, errand: Errand, redirect_uri: str) -> Mapping[str, Any]:
        """
        What the provider says about whoever brought *code* back.

        Raises:
            BadCredentials: The code is not accepted, or the token is not one for us.
            StoreUnavailable: The provider does not answer.
        """
        endpoint = (await self._described())["token_endpoint"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": errand.verifier,
        }
        auth = (self._client_id, self._client_secret) if self._client_secret else None
        answer = await self._ask("POST", endpoint, data=form, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise BadCredentials("the identity provider did not accept the sign-in")
        return await self._verified(token, errand.nonce)

    async def _verified(self, token: str, nonce: str) -> Mapping[str, Any]:
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[name for name in _ALGORITHMS if name == key.algorithm_name],
                audience=self._client_id,
                issuer=self._issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise BadCredentials(f"the identity provider's token does not count: {error}") from error
        if claims.get("nonce") != nonce:
            raise BadCredentials("the identity provider's token belongs to another sign-in")
        # With several audiences the token must have been made for us (OpenID Connect Core, 3.1.3.7).
        if claims.get("azp", self._client_id) != self._client_id:
            raise BadCredentials("the identity provider's token was made for somebody else")
        return claims

    async def _key(self, key_id: str | None) -> jwt.PyJWK:
        found = self._keys.get(key_id)
        now_s = self._clock.uptime_s()
        age_s = now_s - self._keys_at_s
        if age_s > _KEPT_S or (found is None and age_s > _KEYS_AGAIN_S):
            document = await self._ask("GET", (await self._described())["jwks_uri"])
            self._keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(document).keys}
            self._keys_at_s = now_s
            found = self._keys.get(key_id)
        if found is None and key_id is None and len(self._keys) == 1:
            (found,) = self._keys.values()
        if found is None:
            raise BadCredentials("the identity provider's token is not signed with one of its keys")
        return found

    async def _described(self) -> Mapping[str, str]:
        async with self._asking:
            if self._clock.uptime_s() - self._metadata_at_s > _KEPT_S:
                url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                document = await self._ask("GET", url)
                if document.get("issuer") != self._issuer:
                    raise StoreUnavailable(f"{url} describes another issuer: {document.get('issuer')!r}")
                if not all(isinstance(document.get(name), str) for name in _METADATA):
                    raise StoreUnavailable(f"{url} does not describe an OpenID Connect provider")
                self._metadata = {name: str(document[name]) for name in _METADATA}
                self._metadata_at_s = self._clock.uptime_s()
        return self._metadata

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client:
                answer = await client.request(method, url, data=data, auth=auth)
            if 400 <= answer.status_code < 500 and method == "POST":
                raise BadCredentials("the identity provider did not accept the sign-in")
            answer.raise_for_status()
            document = answer.json() if len(answer.content) <= _MAX_BYTES else None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise StoreUnavailable(f"the identity provider does not answer as it should: {error}") from error
        if not isinstance(document, dict):
            raise StoreUnavailable("the identity provider does not answer as it should")
        return document
