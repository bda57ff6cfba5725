"""From a credential to whoever it stands for."""

from dataclasses import dataclass
from datetime import datetime

from common.domain.errors import StoreUnavailable
from master.domain.accounts import Account, Session, Source, intersection
from master.domain.rights import Grant, Principal, PrincipalKind, administrator
from master.services.accounts import Accounts
from master.services.admin_token import AdminTokens
from master.services.api_tokens import ApiTokens, Maker
from master.services.sessions import Sessions, csrf_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """
    Whoever sent a request, with what belongs to their credential.

    Attributes:
        maker: Whom API tokens made with this credential belong to.
        session: None unless somebody signed in with a browser.
        csrf_token: What changes must carry; None where no browser sends a credential by itself.
        token_id: Of the API token.
    """

    principal: Principal
    display_name: str
    maker: Maker
    source: Source | None = None
    session: Session | None = None
    csrf_token: str | None = None
    token_id: str | None = None

    @property
    def session_ends_at(self) -> datetime | None:
        return self.session.ends_at if self.session else None


class Identities:
    """
    Raises (every method):
        StoreUnavailable: MongoDB is away, and the credential was not seen lately.
    """

    def __init__(
        self, admin_tokens: AdminTokens, accounts: Accounts, sessions: Sessions, tokens: ApiTokens
    ) -> None:
        self._admin_tokens = admin_tokens
        self._accounts = accounts
        self._sessions = sessions
        self._tokens = tokens

    async def of_bearer(self, text: str) -> Identity | None:
        """Whoever holds this token; None when it is not valid. The admin token needs no server."""
        if self._admin_tokens.accept(text):
            principal = administrator("admin")
            return Identity(
                principal=principal, display_name="admin token", maker=Maker("admin", principal.kind)
            )
        token = await self._tokens.find(text)
        if token is None:
            return None
        grants: tuple[Grant, ...] = (token.grant,)
        display_name = token.name
        if token.owner_kind is PrincipalKind.USER:
            account = await self._accounts.current(token.owner)
            if account is None or not account.enabled:
                return None
            grants, display_name = intersection(token.grant, account.grants), account.display_name
        return Identity(
            principal=Principal(token.owner, PrincipalKind.TOKEN, grants),
            display_name=display_name,
            maker=Maker(token.owner, token.owner_kind, token.expires_at),
            token_id=token.id,
        )

    async def of_cookie(self, token: str) -> Identity | None:
        """Whoever is signed in with this cookie; None when the session has ended."""
        session = await self._sessions.find(token)
        if session is None:
            return None
        account = await self._accounts.current(session.user)
        return of_session(account, session, token) if account is not None and account.enabled else None

    async def of_cookie_if_any(self, token: str | None) -> Identity | None:
        """Like `of_cookie`, where nobody in particular is fine as well, also while MongoDB is away."""
        try:
            return await self.of_cookie(token) if token else None
        except StoreUnavailable:
            return None


def of_session(account: Account, session: Session, token: str) -> Identity:
    """The identity of *account* in *session*, whose cookie is *token*."""
    return Identity(
        principal=Principal(account.name, PrincipalKind.USER, account.grants),
        display_name=account.display_name,
        maker=Maker(account.name, PrincipalKind.USER),
        source=account.source,
        session=session,
        csrf_token=csrf_token(token),
    )
