"""What the services of people need to be stored: accounts, and the credentials that stand for them.

One store of each for all masters. Of every secret only a digest gets there.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from master.domain.accounts import Account, ApiToken, Session
from master.domain.rights import PrincipalKind
from master.domain.throttle import Tries


class AccountStore(Protocol):
    """
    Raises (every method):
        StoreUnavailable: The store cannot be reached.
    """

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """One change of accounts at a time, over all masters; raises Conflict when others hold it long."""
        ...

    async def account(self, name: str) -> Account | None: ...

    async def accounts(self, q: str | None, after: str | None, limit: int) -> list[Account]:
        """Accounts whose name or display name contains *q*, by name, behind *after*."""
        ...

    async def count_accounts(self, q: str | None = None) -> int: ...

    async def administrators(self) -> list[str]:
        """Names of the enabled users who may administer everything."""
        ...

    async def put_account(self, account: Account) -> None:
        """Store *account* as it is; call it inside `exclusive`."""
        ...

    async def note_login(self, name: str, at: datetime, password_hash: str | None = None) -> None:
        """Keep when somebody signed in, and the hash anew when its parameters have changed."""
        ...

    async def delete_account(self, name: str) -> bool:
        """False when there is none."""
        ...


class SessionStore(Protocol):
    """
    Raises (every method):
        StoreUnavailable: The store cannot be reached.
    """

    async def session(self, session_id: str) -> Session | None: ...

    async def add_session(self, session: Session) -> None: ...

    async def note_seen(self, session: Session) -> None:
        """Keep the session's last sign of life; one that has been revoked meanwhile stays so."""
        ...

    async def end_session(self, session_id: str) -> None: ...

    async def end_sessions_of(self, user: str, *, but: str | None = None) -> int:
        """End all sessions of *user* except *but*; answers how many there were."""
        ...

    async def count_sessions(self, users: list[str]) -> dict[str, int]:
        """How many live sessions each of *users* has."""
        ...


class TokenStore(Protocol):
    """
    Raises (every method):
        StoreUnavailable: The store cannot be reached.
    """

    async def api_token(self, token_id: str) -> ApiToken | None: ...

    async def api_tokens(self, owner: str | None, owner_kind: PrincipalKind | None) -> Sequence[ApiToken]:
        """Those of *owner*, oldest first; all of them for None."""
        ...

    async def add_api_token(self, token: ApiToken) -> None: ...

    async def note_used(self, token_id: str, at: datetime) -> None: ...

    async def delete_api_tokens_of(self, user: str) -> None: ...

    async def delete_api_token(self, token_id: str) -> bool:
        """False when there is none."""
        ...


class SetupTokenStore(Protocol):
    """
    Raises (every method):
        StoreUnavailable: The store cannot be reached.
    """

    async def add_setup_token(self, sha256: str, expires_at: datetime) -> None: ...

    async def take_setup_token(self, sha256: str, now: datetime) -> bool:
        """Use a token up; False when there is none, or no longer."""
        ...


class TriesStore(Protocol):
    """
    Raises (every method):
        StoreUnavailable: The store cannot be reached.
    """

    async def tries(self, key: str) -> tuple[Tries | None, int]:
        """The tries under *key*, and the version to replace them with."""
        ...

    async def replace_tries(self, key: str, tries: Tries, version: int) -> bool:
        """Store *tries* in place of *version*; False when somebody else was faster."""
        ...

    async def forget_tries(self, key: str, version: int) -> None:
        """Forget the tries under *key* unless there were more since *version*."""
        ...
