"""Tries to sign in, counted per account and per address, over all masters."""

import hashlib
import math
from dataclasses import dataclass
from typing import Final

from common.domain.errors import Throttled
from common.runtime.clock import Clock
from master.accounts_port import TriesStore
from master.domain.throttle import Refused, Tries, admit

_RACES: Final = 20


@dataclass(frozen=True, slots=True)
class Counted:
    """A try that was counted: what stood there before, and the version it was stored as."""

    key: str
    before: Tries | None
    version: int


class SignInThrottle:
    """
    Counts every try before the password is looked at, so that a hundred at once are a hundred.

    Raises (every method):
        StoreUnavailable: MongoDB is away.
    """

    def __init__(self, store: TriesStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def begin(self, account: str, address: str) -> tuple[Counted, Counted]:
        """
        Count one try; answers what `succeeded` takes back.

        Raises:
            Throttled: Too many before it.
        """
        by_address = await self._count(f"address:{address}")
        # The name is what somebody typed, which may be a password: only its digest is kept.
        by_account = await self._count(f"account:{hashlib.sha256(account.encode()).hexdigest()}")
        return by_address, by_account

    async def succeeded(self, counted: tuple[Counted, Counted]) -> None:
        """Forget the account's tries, and this one of the address: an own account must not whiten it."""
        by_address, by_account = counted
        await self._store.forget_tries(by_account.key, by_account.version)
        if by_address.before is None:
            await self._store.forget_tries(by_address.key, by_address.version)
        else:
            await self._store.replace_tries(by_address.key, by_address.before, by_address.version)

    async def _count(self, key: str) -> Counted:
        for _ in range(_RACES):
            tries, version = await self._store.tries(key)
            verdict = admit(tries, self._clock.now())
            if isinstance(verdict, Refused):
                wait_s = max(1, math.ceil(verdict.wait.total_seconds()))
                raise Throttled(
                    f"too many tries: the next one is possible in {wait_s} s", retry_after_s=wait_s
                )
            if await self._store.replace_tries(key, verdict.tries, version):
                return Counted(key, tries, version + 1)
        raise Throttled("too many tries at the same moment", retry_after_s=1)
