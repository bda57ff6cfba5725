"""The first start: no account, no default password, and one address that makes the first administrator."""

import asyncio
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from common.domain.errors import SetupDone, SetupTokenInvalid, StoreUnavailable
from common.runtime.clock import Clock, new_token
from master.accounts_port import AccountStore, SetupTokenStore
from master.domain.accounts import Account, Source
from master.domain.rights import Grant, Role
from master.services.accounts import Accounts, check_password
from master.services.password_hashing import PasswordHashing

log = structlog.get_logger()

TOKEN_LIFE: Final = timedelta(minutes=15)
_ASK_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SetupToken:
    """Good for one use; only its digest is kept."""

    token: str
    expires_at: datetime

    @property
    def path(self) -> str:
        """Where the browser takes it."""
        return f"/welcome?token={self.token}"


class Setup:
    """
    Raises (every method):
        StoreUnavailable: MongoDB is away.
    """

    def __init__(
        self,
        store: AccountStore,
        tokens: SetupTokenStore,
        accounts: Accounts,
        hashing: PasswordHashing,
        clock: Clock,
        address: str,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """
        Args:
            address: Of the dashboard, for the terminal.
            say: Shows a line to whoever started the program; nobody when it is None.
        """
        self._store = store
        self._tokens = tokens
        self._accounts = accounts
        self._hashing = hashing
        self._clock = clock
        self._address = address
        self._say = say
        self._is_done = False

    async def is_needed(self) -> bool:
        """Whether there is no account yet; once there was one, MongoDB is not asked again."""
        if not self._is_done:
            self._is_done = await self._accounts.exist()
        return not self._is_done

    async def new_token(self) -> SetupToken:
        """One more token, good for 15 minutes; raises SetupDone."""
        if not await self.is_needed():
            raise SetupDone
        token = SetupToken(new_token(), self._clock.now() + TOKEN_LIFE)
        await self._tokens.add_setup_token(_digest(token.token), token.expires_at)
        return token

    async def make_first(self, token: str, name: str, password: str, display_name: str) -> Account:
        """
        Make the first administrator.

        Raises:
            SetupDone: There is an account already.
            SetupTokenInvalid: The token is wrong, used or too old.
            InvalidInput: The password breaks a rule; the token stays good.
        """
        if not await self.is_needed():
            raise SetupDone
        check_password(password, name, field="password")
        async with self._store.exclusive():
            if await self._accounts.exist():
                raise SetupDone
            now = self._clock.now()
            if not await self._tokens.take_setup_token(_digest(token), now):
                raise SetupTokenInvalid
            account = Account(
                name=name,
                display_name=display_name or name,
                grants=(Grant(Role.ADMIN),),
                enabled=True,
                source=Source.LOCAL,
                password_hash=await self._hashing.hash(password),
                password_changed_at=now,
                created_at=now,
                created_by="setup",
                last_login_at=now,
            )
            await self._accounts.put_first(account)
        self._is_done = True
        log.info("setup.done", user=name)
        return account

    async def announce(self) -> None:
        """Show the address to whoever started the program, once it is known that there is no account."""
        while True:
            try:
                if await self.is_needed():
                    log.info("setup.needed", action="cronctl setup shows the address that makes an account")
                    await self._show()
                break
            except (SetupDone, StoreUnavailable):
                await asyncio.sleep(_ASK_AGAIN_S)
        await asyncio.Event().wait()

    async def _show(self) -> None:
        if self._say is not None:
            token = await self.new_token()
            self._say(
                f"There is no account yet. Within 15 minutes, open\n\n  {self._address}{token.path}\n\n"
                "to make the first one."
            )


def terminal() -> Callable[[str], None] | None:
    """Shows lines on the terminal; None without one: what goes to a file or a journal is kept by others."""
    if not sys.stderr.isatty():
        return None
    return lambda text: print(text, file=sys.stderr, flush=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
