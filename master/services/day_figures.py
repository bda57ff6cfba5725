"""The last 24 hours in figures, kept in memory: counts by minute, what went wrong, what was missed.

Counted hour by hour, so that each query is bounded: the two newest hours whenever somebody looks, an older
one when it ended since it was counted, or now and then, because spools deliver late. Without MongoDB the last
known figures stay.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from common.domain.errors import StoreUnavailable
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.records import Document
from common.runtime.clock import Clock
from common.runtime.lifecycle import run_together
from master.domain.minute_counts import MinuteCounts
from master.figures_port import FiguresReader
from master.services.on_demand import OnDemand

HOURS: Final = 24
_HOUR_S: Final = 3_600
_MINUTES: Final = 60
#: An hour that has been over for so long when it was counted hardly changes any more.
_SETTLED_S: Final = 180
_AGAIN_S: Final = 1_800.0
_FRESH_S: Final = 2.0
#: Old hours counted in one round, for so long at most: the newest figures must not wait for them.
_ROUND_S: Final = 1.0


class DayFigures:
    """
    Attributes:
        counts: Executions by minute.
        troubles: See `FiguresReader.troubles`.
        misses: See `FiguresReader.misses`.
        away_since: When MongoDB was first found away; None while it answers.
    """

    def __init__(self, reader: FiguresReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._counted_at: dict[int, tuple[datetime, float]] = {}
        self.counts = MinuteCounts()
        self.troubles: list[Document] = []
        self.misses: list[Document] = []
        self.away_since: datetime | None = None
        self._asked = OnDemand(self._count, clock, name="day", fresh_s=_FRESH_S)

    async def run(self) -> None:
        """Count when asked, for ever; once without being asked, so that the first look finds the day."""
        await run_together(self._asked.run, self._ask_until_complete)

    async def _ask_until_complete(self) -> None:
        while not self.is_complete:
            await self._asked.ask(_FRESH_S)
            await asyncio.sleep(_FRESH_S)

    @property
    def is_complete(self) -> bool:
        """Whether every hour of the last day has been counted since this master started."""
        newest = epoch_s(self._clock.now()) // _HOUR_S
        return all(hour in self._counted_at for hour in range(newest - HOURS + 1, newest + 1))

    async def look(self, patience_s: float) -> None:
        """Make the figures fresh, or wait *patience_s* seconds for it."""
        await self._asked.ask(patience_s)

    async def _count(self) -> None:
        now = self._clock.now()
        since = now - timedelta(hours=HOURS)
        began_s = self._clock.uptime_s()
        try:
            newest = epoch_s(now) // _HOUR_S
            for hour in (newest, newest - 1):
                await self._count_hour(hour, now)
            self.troubles = await self._reader.troubles(since)
            self.misses = await self._reader.misses(since)
            for hour in range(newest - 2, newest - HOURS - 1, -1):
                if self._clock.uptime_s() - began_s > _ROUND_S:
                    break
                if self._is_stale(hour):
                    await self._count_hour(hour, now)
        except StoreUnavailable:
            self.away_since = self.away_since or now
            raise
        self.away_since = None
        self.counts.forget_before((newest - HOURS) * _MINUTES)
        self._counted_at = {hour: at for hour, at in self._counted_at.items() if hour >= newest - HOURS}

    def _is_stale(self, hour: int) -> bool:
        known = self._counted_at.get(hour)
        if known is None:
            return True
        counted_at, uptime_s = known
        was_settled = epoch_s(counted_at) >= (hour + 1) * _HOUR_S + _SETTLED_S
        return not was_settled or self._clock.uptime_s() - uptime_s > _AGAIN_S

    async def _count_hour(self, hour: int, now: datetime) -> None:
        begin = from_epoch_s(hour * _HOUR_S)
        counts = await self._reader.minute_counts(begin, begin + timedelta(hours=1))
        self.counts.replace(hour * _MINUTES, (hour + 1) * _MINUTES, counts)
        self._counted_at[hour] = (now, self._clock.uptime_s())
