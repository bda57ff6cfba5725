"""Work that is done in a loop of its own when somebody has asked for its result, never by the one who asks.

Many browsers ask for the same figures, and some of them cost MongoDB or the processor more than an answer may
take. Who asks waits a moment for a fresh result and then takes what is there; the loop never takes more than
a tenth of the time, however long its work becomes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from common.domain.errors import STORE_FAILURES
from common.runtime.clock import Clock

log: Final = structlog.get_logger(__name__)

#: Pause after a round of work, as a multiple of what it took.
_REST: Final = 9.0
_LONGEST_REST_S: Final = 15.0


class OnDemand:
    """One kind of work; a round that cannot reach its store leaves what the one before has made."""

    def __init__(
        self, work: Callable[[], Awaitable[None]], clock: Clock, *, name: str, fresh_s: float
    ) -> None:
        """*fresh_s*: a result is not made anew within so many seconds."""
        self._work = work
        self._clock = clock
        self._name = name
        self._fresh_s = fresh_s
        self._wanted = asyncio.Event()
        self._round = asyncio.Event()
        self._done_at_s: float | None = None

    async def run(self) -> None:
        """Work whenever it is wanted, for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            began_s = self._clock.uptime_s()
            try:
                await self._work()
                self._done_at_s = self._clock.uptime_s()
            except STORE_FAILURES as error:
                # The next one who asks wants another try: what fails because the store is away fails at once.
                self._done_at_s = None
                log.debug("figures.not_made", what=self._name, error=str(error))
            finished, self._round = self._round, asyncio.Event()
            finished.set()
            took_s = self._clock.uptime_s() - began_s
            await asyncio.sleep(min(_REST * took_s, _LONGEST_REST_S))

    def forget(self) -> None:
        """What was made is not good enough any more: the next one who asks wants it anew."""
        self._done_at_s = None

    async def ask(self, patience_s: float) -> None:
        """Return when the result is fresh, or *patience_s* seconds have passed."""
        if self._done_at_s is not None and self._clock.uptime_s() - self._done_at_s < self._fresh_s:
            return
        self._wanted.set()
        try:
            async with asyncio.timeout(patience_s):
                await self._round.wait()
        except TimeoutError:
            return
