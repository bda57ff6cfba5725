"""Who may come in: the services behind credentials and accounts, as one field of `Services`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from master.services.accounts import Accounts
from master.services.admin_token import AdminTokens
from master.services.api_tokens import ApiTokens
from master.services.identities import Identities
from master.services.oidc import Oidc
from master.services.sessions import Sessions
from master.services.setup import Setup
from master.services.sign_in import SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Credentials and the accounts behind them."""

    admin_tokens: AdminTokens
    accounts: Accounts
    sessions: Sessions
    api_tokens: ApiTokens
    identities: Identities
    setup: Setup
    sign_in: SignIn
    oidc: Oidc | None

    @property
    def loops(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """Their background work, each for ever."""
        return (self.admin_tokens.run, self.admin_tokens.publish, self.setup.announce)
