"""Around every request: its id, its one log line, its metrics, security headers, and a net for surprises.

Plain ASGI, so that streams pass through untouched.
"""

import re
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from common.runtime.clock import Clock, new_nonce
from master.api.errors import internal_error
from master.services.metrics import Metrics

log = structlog.get_logger()

_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_USABLE_ID: Final = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
#: Asked for every few seconds by machines: worth a line only when something is wrong.
_QUIET_PATHS: Final = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})


class RequestScope:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, clock: Clock, metrics: Metrics, uses_tls: bool) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics
        self._headers = dict(_SECURITY_HEADERS)
        if uses_tls:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started_s = self._clock.uptime_s()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(MutableHeaders(scope=message), scope, request_id)
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            # Whatever an operation ends in, the client gets a problem and the server goes on.
            except Exception as error:
                if status:
                    log.exception("request.broken_off", path=scope["path"])
                    raise
                await internal_error(scope, error)(scope, receive, send_with_headers)
            self._account(scope, status, self._clock.uptime_s() - started_s)

    def _complete(self, headers: MutableHeaders, scope: Scope, request_id: str) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        headers["X-Request-ID"] = request_id
        if not scope["path"].startswith("/assets/"):
            headers.setdefault("Cache-Control", "no-store")

    def _account(self, scope: Scope, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.request_served(method, route, status, duration_s)
        if scope["path"] in _QUIET_PATHS and status < 400:
            return
        principal = scope["state"].get("principal")
        log.info(
            "request.served",
            method=scope["method"],
            path=scope["path"],
            status=status,
            duration_ms=round(duration_s * 1000, 1),
            principal=principal.name if principal else None,
            client=scope["client"][0] if scope.get("client") else None,
        )


def _request_id(scope: Scope) -> str:
    """The client's own id when it fits into a log line, else a new one."""
    given = Request(scope).headers.get("x-request-id", "")
    return given if _USABLE_ID.fullmatch(given) else new_nonce()
