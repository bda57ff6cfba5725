"""The ticks of all jobs in the hours ahead, by minute and namespace: computed aside and kept for a minute.

A tenth of a second of computing is all it gets: with more distinct schedules than that allows, the curve says
that it is not complete.
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from common.domain.errors import StoreUnavailable
from common.domain.ids import epoch_s
from common.runtime.clock import Clock
from master.domain.load_curve import grouped, ticks_by_minute
from master.domain.minute_counts import MINUTE_S
from master.services.job_view import JobView
from master.services.on_demand import OnDemand

_BUDGET_S: Final = 0.1
#: Computed in one go before other tasks get a turn.
_SLICE_S: Final = 0.004
_FRESH_S: Final = 60.0
_SHORTEST: Final = timedelta(hours=3)
LONGEST: Final = timedelta(hours=24)


class LoadForecast:
    """The curve, as far ahead as somebody asked lately."""

    def __init__(self, view: JobView, clock: Clock) -> None:
        self._view = view
        self._clock = clock
        self._horizon = _SHORTEST
        self._until: datetime | None = None
        self._minutes: dict[int, Counter[str]] = {}
        self._is_complete = False
        self._asked = OnDemand(self._compute, clock, name="load", fresh_s=_FRESH_S)

    async def run(self) -> None:
        """Compute when asked, for ever."""
        await self._asked.run()

    async def curve(
        self, until: datetime, namespaces: Collection[str] | None, patience_s: float
    ) -> tuple[dict[int, int], bool]:
        """
        Ticks by epoch minute from now to *until*, and whether all are in it.

        Args:
            namespaces: Only jobs of these; None is all.
            patience_s: How long to wait for a computation; after that the curve may be old or empty.
        """
        horizon = min(max(until - self._clock.now(), _SHORTEST), LONGEST)
        if horizon > self._horizon:
            self._horizon = horizon
            self._asked.forget()
        await self._asked.ask(patience_s)
        first, last = epoch_s(self._clock.now()) // MINUTE_S, epoch_s(until) // MINUTE_S
        found: dict[int, int] = {}
        for minute in range(first, last + 1):
            counts = self._minutes.get(minute)
            if counts:
                found[minute] = sum(
                    count for name, count in counts.items() if namespaces is None or name in namespaces
                )
        reaches = self._until is not None and self._until + timedelta(seconds=MINUTE_S) >= until
        return found, self._is_complete and reaches

    async def _compute(self) -> None:
        try:
            groups = grouped(self._view.listed())
        except StoreUnavailable:
            return
        now = self._clock.now()
        until = now + self._horizon
        minutes: dict[int, Counter[str]] = {}
        is_complete, used_s, began_s = True, 0.0, self._clock.uptime_s()
        for group in groups:
            if used_s + self._clock.uptime_s() - began_s > _BUDGET_S:
                is_complete = False
                break
            counts, reaches = ticks_by_minute(group, now, until)
            is_complete = is_complete and reaches
            for minute, count in counts.items():
                of_minute = minutes.setdefault(minute, Counter())
                for namespace, jobs in group.jobs.items():
                    of_minute[namespace] += count * jobs
            if self._clock.uptime_s() - began_s > _SLICE_S:
                used_s += self._clock.uptime_s() - began_s
                await asyncio.sleep(0)
                began_s = self._clock.uptime_s()
        self._minutes, self._until, self._is_complete = minutes, until, is_complete
