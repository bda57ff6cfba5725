"""Who may come in: the services behind credentials and accounts, as one field of `Services`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from master.services.admin_token import AdminTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Credentials and the accounts behind them."""

    admin_tokens: AdminTokens

    @property
    def loops(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """Their background work, each for ever."""
        return (self.admin_tokens.run, self.admin_tokens.publish)
