"""At the door: who is it, and is the body one we read at all.

Closed by default: a path needs a credential unless it is listed here as open. Only then is a body looked at,
so that nobody without a token can make the master read one. A change that comes with a browser's cookie must
also prove that the dashboard sent it: browsers send cookies whoever made them ask.
"""

import hmac
import ipaddress
from functools import partial
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.domain.errors import StoreUnavailable
from master.api.errors import problem
from master.api.session_cookie import SessionCookie, client_address
from master.services.identities import Identities, Identity

MAX_BODY_BYTES: Final = 1024 * 1024
OPEN_PATHS: Final = frozenset(
    {
        "/livez",
        "/readyz",
        "/healthz",
        "/api/v1/auth/state",
        "/api/v1/auth/setup",
        "/api/v1/auth/login",
        "/api/v1/auth/oidc/start",
        "/api/v1/auth/oidc/callback",
    }
)
#: A credential or a caller on this host.
_LOCAL_PATHS: Final = ("/metrics", "/docs", "/openapi.json")
_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SCHEME: Final = "bearer "
_LATER: Final = {"Retry-After": "2"}


class Admission:
    """
    Puts `identity`, `principal` and `client` into the request's state, or answers an error itself.

    Args:
        behind_proxy: The peer is a proxy for everybody: being on loopback means nothing, and the address of
            a client is the one the proxy names.
    """

    def __init__(
        self, app: ASGIApp, *, identities: Identities, cookie: SessionCookie, behind_proxy: bool
    ) -> None:
        self._app = app
        self._identities = identities
        self._cookie = cookie
        self._behind_proxy = behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["state"]["client"] = client_address(scope, headers, behind_proxy=self._behind_proxy)
        refusal = await self._admit(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["method"] in _CHANGES and not await self._accepts_body(scope, headers, receive, send):
            return
        await self._app(scope, _limited(receive), send)

    async def _admit(self, scope: Scope, headers: Headers) -> Response | None:
        """Settle who it is; the refusal when nobody may come in like that."""
        is_open = self._is_open(scope, headers)
        try:
            identity = await self._identity(headers)
        except StoreUnavailable as error:
            if not is_open:
                return problem(
                    scope, 503, "store_unavailable", f"nobody can be recognised: {error}", headers=_LATER
                )
            identity = None
        scope["state"]["identity"] = identity
        scope["state"]["principal"] = identity.principal if identity else None
        # For what outlives the moment of admission: whose is this credential now?
        scope["state"]["identify_again"] = partial(self._identity, headers)
        if is_open:
            return None
        if identity is None:
            return problem(
                scope,
                401,
                "unauthenticated",
                "Sign in, or send the header `Authorization: Bearer <token>`. The admin token is in the file "
                "named by adminTokenFile on the master's host.",
                headers={"WWW-Authenticate": 'Bearer realm="everytick"'},
            )
        if scope["method"] in _CHANGES and not _is_from_dashboard(identity, headers):
            return problem(
                scope,
                403,
                "csrf_token_missing",
                "Send the header `X-CSRF-Token` with the value from /api/v1/auth/me.",
            )
        return None

    async def _identity(self, headers: Headers) -> Identity | None:
        credential = headers.get("authorization")
        if credential is not None:
            # A wrong token is not helped by a cookie: whoever sends one means it.
            if credential[: len(_SCHEME)].lower() != _SCHEME:
                return None
            return await self._identities.of_bearer(credential[len(_SCHEME) :].strip())
        token = self._cookie.read(headers)
        return await self._identities.of_cookie(token) if token else None

    def _is_open(self, scope: Scope, headers: Headers) -> bool:
        path: str = scope["path"]
        if path in OPEN_PATHS:
            return True
        if any(path == local or path.startswith(f"{local}/") for local in _LOCAL_PATHS):
            return not self._behind_proxy and _is_local(scope, headers)
        # What is left outside /api are the dashboard's own files, which hold nothing.
        return not (path == "/api" or path.startswith("/api/"))

    async def _accepts_body(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> bool:
        length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "1")
        if not length.isdecimal():
            refusal = problem(scope, 400, "bad_request", "Content-Length is not a number.")
        elif int(length) > MAX_BODY_BYTES:
            refusal = problem(
                scope, 413, "body_too_large", f"A body may have {MAX_BODY_BYTES} bytes at most."
            )
        elif int(length) and not _is_json(headers):
            refusal = problem(
                scope, 415, "unsupported_media_type", "Send the body with `Content-Type: application/json`."
            )
        else:
            return True
        await refusal(scope, receive, send)
        return False


def _is_from_dashboard(identity: Identity, headers: Headers) -> bool:
    """Only our own page can read the token it got with the sign-in; no other page can send this header."""
    if identity.csrf_token is None:
        return True
    return hmac.compare_digest(headers.get("x-csrf-token", "").encode(), identity.csrf_token.encode())


def _limited(receive: Receive) -> Receive:
    """*receive* that stops reading a body of unknown length at the limit."""
    seen_bytes = 0

    async def receive_limited() -> Message:
        nonlocal seen_bytes
        message = await receive()
        if message["type"] == "http.request":
            seen_bytes += len(message.get("body", b""))
            if seen_bytes > MAX_BODY_BYTES:
                raise HTTPException(413)
        return message

    return receive_limited


def _is_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _is_local(scope: Scope, headers: Headers) -> bool:
    """The peer is on this host, and a browser there was not led here by a foreign name (DNS rebinding)."""
    client = scope.get("client")
    if client is None or "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    host = headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return _is_loopback(client[0]) and (name == "localhost" or _is_loopback(name))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
