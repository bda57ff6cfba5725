"""At the door: who is it, and is the body one we read at all.

Closed by default: a path needs a credential unless it is listed here as open. Only then is a body looked at,
so that nobody without a token can make the master read one.
"""

import ipaddress
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from master.api.errors import problem
from master.domain.rights import Principal, administrator
from master.services.admin_token import AdminTokens

MAX_BODY_BYTES: Final = 1024 * 1024
_OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/healthz"})
#: A credential or a caller on this host.
_LOCAL_PATHS: Final = ("/metrics", "/docs", "/openapi.json")
_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SCHEME: Final = "bearer "


class Admission:
    """
    Puts `principal` into the request's state, or answers 401, 413 or 415 itself.

    Args:
        trusts_loopback: A peer on loopback may look at `_LOCAL_PATHS`. False behind a proxy, which is such a
            peer for everybody.
    """

    def __init__(self, app: ASGIApp, *, tokens: AdminTokens, trusts_loopback: bool) -> None:
        self._app = app
        self._tokens = tokens
        self._trusts_loopback = trusts_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        principal = self._principal(headers)
        scope["state"]["principal"] = principal
        if principal is None and not self._is_open(scope, headers):
            refusal = problem(
                scope,
                401,
                "unauthenticated",
                "Send the header `Authorization: Bearer <token>`. The admin token is in the file named by "
                "adminTokenFile on the master's host.",
                headers={"WWW-Authenticate": 'Bearer realm="everytick"'},
            )
            await refusal(scope, receive, send)
            return
        if scope["method"] in _CHANGES and not await self._accepts_body(scope, headers, receive, send):
            return
        await self._app(scope, _limited(receive), send)

    def _principal(self, headers: Headers) -> Principal | None:
        credential = headers.get("authorization", "")
        if credential[: len(_SCHEME)].lower() != _SCHEME:
            return None
        return administrator("admin") if self._tokens.accept(credential[len(_SCHEME) :].strip()) else None

    def _is_open(self, scope: Scope, headers: Headers) -> bool:
        path: str = scope["path"]
        if path in _OPEN_PATHS:
            return True
        if any(path == local or path.startswith(f"{local}/") for local in _LOCAL_PATHS):
            return self._trusts_loopback and _is_local(scope, headers)
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
