"""How jobs ended last, close at hand: for filters over all jobs, and for the rows of one page.

`last` covers every job and is kept by looking at what has finished since the last look; the strip of a page's
jobs is read when asked for and kept for a moment, because many browsers look at the same page.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from common.domain.errors import StoreUnavailable
from common.domain.execution import Status
from common.domain.job import JobSpec
from common.domain.records import Document
from common.runtime.clock import Clock
from master.domain.job_rows import LastRun
from master.ports import HistoryReader

log = structlog.get_logger()

STRIP_LENGTH: Final = 30
_LOOK_EVERY_S: Final = 3.0
#: Records arrive in batches and from several hosts: look again at what could have been overtaken.
_OVERLAP: Final = timedelta(seconds=10)
#: After an outage of MongoDB spools deliver old records; a full look now and then catches all of them.
_FULL_LOOK_EVERY_S: Final = 600.0
_BATCH: Final = 5_000
_MILLISECOND: Final = timedelta(milliseconds=1)
STRIP_AGE_S: Final = 2.0
_NO_STRIP: Final[tuple[float, list[Document]]] = (float("-inf"), [])
_STRIPS_KEPT: Final = 2_000


class RecentExecutions:
    """The last execution of every job, and the last few of those somebody looks at."""

    def __init__(self, history: HistoryReader, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._last: dict[str, LastRun] = {}
        self._strips: dict[str, tuple[float, list[Document]]] = {}

    async def run(self) -> None:
        """Look for ever; while MongoDB is away the last known state stays."""
        full_look_s = 0.0
        seen_until: datetime | None = None
        while True:
            try:
                now_s = self._clock.uptime_s()
                if seen_until is None or now_s - full_look_s > _FULL_LOOK_EVERY_S:
                    started_at = self._clock.now()
                    found = await self._history.last_of_jobs()
                    # Jobs whose records have all expired are forgotten here, and nowhere else.
                    kept = {document["uid"] for document in found}
                    self._last = {uid: last for uid, last in self._last.items() if uid in kept}
                    self._take(found)
                    seen_until, full_look_s = seen_until or started_at, now_s
                seen_until = await self._look(seen_until)
            except StoreUnavailable as error:
                log.debug("recent.not_read", reason=str(error))
            await asyncio.sleep(_LOOK_EVERY_S)

    def last(self, uid: str) -> LastRun | None:
        """The newest known execution that has ended."""
        return self._last.get(uid)

    async def strips(
        self, jobs: Sequence[JobSpec], *, max_age_s: float = STRIP_AGE_S
    ) -> dict[str, list[Document]]:
        """
        The newest executions of each of *jobs*, newest first; as they were up to *max_age_s* ago.

        Raises:
            StoreUnavailable: MongoDB is away, and a job is asked for that is not at hand.
        """
        now_s = self._clock.uptime_s()
        stale = [job for job in jobs if now_s - self._strips.get(job.uid, _NO_STRIP)[0] >= max_age_s]
        if stale:
            found = await self._history.recent(stale, STRIP_LENGTH)
            if len(self._strips) > _STRIPS_KEPT:
                self._strips.clear()
            for job in stale:
                self._strips[job.uid] = (now_s, found.get(job.uid, []))
        return {job.uid: self._strips[job.uid][1] for job in jobs}

    async def _look(self, seen_until: datetime) -> datetime:
        begin = seen_until - _OVERLAP
        documents = await self._history.finished_since(begin, _BATCH)
        self._take(documents)
        if len(documents) == _BATCH:
            # Too many for one look: go on behind the last one, without the overlap's detour.
            # By a millisecond at least: a whole batch may have ended at the same instant.
            newest: datetime = max(documents[-1]["finished_at"], begin + _MILLISECOND) + _OVERLAP
        else:
            newest = documents[-1]["finished_at"] if documents else seen_until
        return max(seen_until, newest)

    def _take(self, documents: Sequence[Document]) -> None:
        for document in documents:
            known = self._last.get(document["uid"])
            if known is None or document["scheduled_at"] >= known.scheduled_at:
                self._last[document["uid"]] = LastRun(
                    document["_id"],
                    Status(document["status"]),
                    document["scheduled_at"],
                    document.get("duration_ms"),
                )
