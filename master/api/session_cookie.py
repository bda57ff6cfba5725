"""The cookie that carries a session, and the address a request really comes from."""

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from master.config import MasterConfig
from master.domain.accounts import SESSION_LIMIT

_NAME: Final = "everytick_session"


class SessionCookie:
    """
    Never readable by scripts, never sent from another site.

    Under TLS it is `__Host-`: no other host of the same domain can set one, and it never travels in the open.
    """

    def __init__(self, *, is_secure: bool) -> None:
        self.is_secure = is_secure
        self.name = f"__Host-{_NAME}" if is_secure else _NAME

    def read(self, headers: Headers) -> str | None:
        """The token in the request's cookie."""
        return cookie_parser(headers.get("cookie", "")).get(self.name) or None

    def put(self, response: Response, token: str) -> None:
        """Give the browser *token*."""
        response.set_cookie(
            self.name,
            token,
            max_age=int(SESSION_LIMIT.total_seconds()),
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="strict",
        )

    def clear(self, response: Response) -> None:
        """Take it away again."""
        response.delete_cookie(self.name, path="/", secure=self.is_secure, httponly=True, samesite="strict")


def cookie_of(config: MasterConfig) -> SessionCookie:
    """The cookie as *config* asks for it."""
    return SessionCookie(is_secure=config.uses_tls or config.behind_tls_proxy)


def client_address(scope: Scope, headers: Headers, *, behind_proxy: bool) -> str:
    """
    Who asks: the peer, or whom the proxy in front of the master names.

    Only the last entry is the proxy's own word; those before it are whatever the client sent.
    """
    if behind_proxy:
        forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded[:64]
    client = scope.get("client")
    return client[0] if client else "unknown"


def _cookie(request: Request) -> SessionCookie:
    cookie: SessionCookie = request.app.state.cookie
    return cookie


SessionCookieDep: TypeAlias = Annotated[SessionCookie, Depends(_cookie)]
