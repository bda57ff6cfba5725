"""argon2id, a few at a time: each hash costs 19 MiB and some 20 ms of a core, in a thread of its own.

What cannot start soon is refused, so that many sign-ins at once cost the master a bounded share of its host.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from common.domain.errors import Throttled
from common.runtime.clock import new_token
from master.domain.passwords import normalised

_ResultT = TypeVar("_ResultT")
_AT_ONCE: Final = 2
_WAITING: Final = 40


class PasswordHashing:
    """Makes and checks hashes."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
        )
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._queued = 0
        # Checked when there is no account: an unknown name takes as long as a wrong password.
        self._nobody = self._hasher.hash(new_token())

    async def hash(self, password: str) -> str:
        """The hash of *password*, with its salt and parameters."""
        return await self._run(self._hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether *password* is the one of *stored*; as slow for None, and never true."""
        matches = await self._run(self._matches, stored or self._nobody, password)
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether *stored* was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def _run(self, work: Callable[..., _ResultT], *args: str) -> _ResultT:
        if self._queued >= _WAITING:
            raise Throttled("too many people sign in at once: try again in a moment", retry_after_s=2)
        self._queued += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *args)
        finally:
            self._queued -= 1

    def _hash(self, password: str) -> str:
        return self._hasher.hash(normalised(password))

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, normalised(password))
        except (VerificationError, InvalidHashError):
            return False
