"""How jobs ended last, close at hand: for filters over all jobs, and for the rows of one page.

`last` covers every job and is kept by looking at what has finished since the last look. The strip of a page's
jobs is read when asked for and kept while nothing of the job has started or finished since: reading fifty of
them costs MongoDB more than a list may take.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from common.domain.errors import StoreUnavailable
from common.domain.execution import Status
from common.domain.job import JobSpec
from common.domain.records import Document
from common.runtime.clock import Clock
from master.domain.execution_views import strip_entry
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
#: A strip of a job that does something is read anew after this long, at the earliest.
STRIP_AGE_S: Final = 2.0
#: One of a job at rest: expired records and corrections of old ones are all it may miss.
_RESTING_AGE_S: Final = 60.0
_STRIPS_KEPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Strip:
    """
    The latest executions of a job.

    Attributes:
        newest: As lists show it.
        entries: As strips show them, oldest first, the newest included.
    """

    newest: Document | None
    entries: list[Document]

    @classmethod
    def of(cls, executions: Sequence[Document]) -> "Strip":
        """*executions* come newest first."""
        entries = [strip_entry(execution) for execution in reversed(executions)]
        return cls(executions[0] if executions else None, entries)


NO_STRIP: Final = Strip(None, [])


@dataclass(frozen=True, slots=True)
class _Read:
    """A strip as it was read, and what was known of the job then."""

    read_at_s: float
    mark: tuple[object, ...]
    strip: Strip


class RecentExecutions:
    """The last execution of every job, and the last few of those somebody looks at."""

    def __init__(
        self,
        history: HistoryReader,
        clock: Clock,
        running: Callable[[str], Sequence[object]],
        has_run: Callable[[str], bool],
    ) -> None:
        """
        Args:
            running: What of a job runs now, by uid; a strip is of no use once that has changed.
            has_run: Whether a job ran since this master started: `last` learns of that a little later.
        """
        self._history = history
        self._clock = clock
        self._running = running
        self._has_run = has_run
        self._knows_all = False
        self._last: dict[str, LastRun] = {}
        self._strips: dict[str, _Read] = {}

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
                    self._knows_all = True
                seen_until = await self._look(seen_until)
            except StoreUnavailable as error:
                log.debug("recent.not_read", reason=str(error))
            await asyncio.sleep(_LOOK_EVERY_S)

    def last(self, uid: str) -> LastRun | None:
        """The newest known execution that has ended."""
        return self._last.get(uid)

    def all_last(self) -> Mapping[str, LastRun]:
        """The same of all jobs, by uid; to be looked at at once, as it goes on changing."""
        return self._last

    async def strips(self, jobs: Sequence[JobSpec], *, max_age_s: float = STRIP_AGE_S) -> dict[str, Strip]:
        """
        The strip of each of *jobs*, by uid.

        Args:
            max_age_s: How old the strip of a job may be that has started or ended something since.

        Raises:
            StoreUnavailable: MongoDB is away, and a job is asked for that is not at hand.
        """
        now_s = self._clock.uptime_s()
        marks = {job.uid: self._mark(job.uid) for job in jobs}
        stale = [job for job in jobs if not self._is_good(job.uid, marks[job.uid], now_s, max_age_s)]
        if stale:
            unread = [job for job in stale if max_age_s <= 0 or not self._never_ran(job.uid)]
            found = await self._history.recent(unread, STRIP_LENGTH) if unread else {}
            if len(self._strips) > _STRIPS_KEPT:
                self._strips = {uid: read for uid, read in self._strips.items() if uid in marks}
            for job in stale:
                strip = Strip.of(found.get(job.uid, []))
                self._strips[job.uid] = _Read(now_s, marks[job.uid], strip)
        return {job.uid: self._strips[job.uid].strip for job in jobs}

    def _mark(self, uid: str) -> tuple[object, ...]:
        """Changes with everything the job starts or ends."""
        last = self._last.get(uid)
        return (last.execution_id, last.status) if last else (), *self._running(uid)

    def _never_ran(self, uid: str) -> bool:
        """Known without a question: of a list of 10,000 jobs those that never ran are many."""
        return self._knows_all and uid not in self._last and not self._has_run(uid)

    def _is_good(self, uid: str, mark: tuple[object, ...], now_s: float, max_age_s: float) -> bool:
        read = self._strips.get(uid)
        if read is None:
            return False
        age_s = now_s - read.read_at_s
        # What has just ended may have been read before it was recorded: such a strip is young.
        is_resting = read.mark == mark and not self._running(uid)
        return age_s < (_RESTING_AGE_S if is_resting and max_age_s > 0 else max_age_s)

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
                    # In the zone that is written in C: lists are ordered by it.
                    document["scheduled_at"].astimezone(UTC),
                    document.get("duration_ms"),
                )
