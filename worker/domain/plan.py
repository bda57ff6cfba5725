"""The plan: which job fires next.

Pure. Holds no clock and does no I/O: callers pass instants in and get jobs out. A job that changes is put
again; entries that were overtaken are dropped when they surface, so putting costs O(log n). Instants are
epoch seconds (float), as a heap of 100,000 datetimes would cost three times the memory.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from common.domain.timing import Timing


@dataclass(slots=True)
class PlannedJob:
    """
    What the worker keeps of one job it plans.

    Attributes:
        key: Its etcd key.
        value: The stored bytes; the definition is decoded again when the job is due, because 100,000
            decoded definitions would take 400 MB.
        revision: mod_revision of the key: a claim requires it.
        cursor: Stored cursor in epoch seconds, as far as this worker knows.
        timing: Which ticks belong to this version.
        tick: The next undecided tick, as `look_ahead` found it; None when there is none.
        following: The tick after that one, if somebody has asked for it already.
        rank: 0, 1 or 2: how this worker stands for this job.
        entry: Number of its live entry in the heap.
    """

    uid: str
    key: str
    value: bytes
    revision: int
    timing: Timing
    cursor: int
    tick: int | None = None
    following: int | None = None
    rank: int = 0
    entry: int = 0

    def look_ahead(self) -> None:
        """Find the next undecided tick: whenever the cursor has moved onto `tick` or past it."""
        base = self.timing.base(self.cursor)
        known = self.following if base == self.tick else None
        self.tick = known if known is not None else self.timing.next_tick(base)
        self.following = None


class Plan:
    """A heap of planned jobs, each under the instant at which this worker looks at it next."""

    def __init__(self) -> None:
        self._jobs: dict[str, PlannedJob] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._entries = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[PlannedJob]:
        return iter(self._jobs.values())

    def get(self, uid: str) -> PlannedJob | None:
        return self._jobs.get(uid)

    def put(self, job: PlannedJob, due_at: float | None) -> None:
        """Plan *job* at *due_at* (epoch seconds) instead of whatever was planned; None: unplanned."""
        self._jobs[job.uid] = job
        self._entries += 1
        job.entry = self._entries
        if due_at is not None:
            heapq.heappush(self._heap, (due_at, job.entry, job.uid))
        self._drop_overtaken()

    def remove(self, uid: str) -> PlannedJob | None:
        """Forget a job; its entry is dropped when it surfaces."""
        return self._jobs.pop(uid, None)

    def is_current(self, job: PlannedJob) -> bool:
        """Whether *job* is still what is planned under its uid (not changed or removed meanwhile)."""
        return self._jobs.get(job.uid) is job

    def pop_due(self, until: float, limit: int = 1000) -> list[PlannedJob]:
        """Take out the jobs due at or before *until*, earliest first; each must be put again."""
        due: list[PlannedJob] = []
        while self._heap and self._heap[0][0] <= until and len(due) < limit:
            _, entry, uid = heapq.heappop(self._heap)
            job = self._jobs.get(uid)
            if job is not None and job.entry == entry:
                due.append(job)
        return due

    def next_wakeup(self) -> float | None:
        """The earliest instant anything is due, in epoch seconds."""
        while self._heap:
            due_at, entry, uid = self._heap[0]
            job = self._jobs.get(uid)
            if job is not None and job.entry == entry:
                return due_at
            heapq.heappop(self._heap)
        return None

    def _drop_overtaken(self) -> None:
        # Every put leaves one dead entry behind; without this a job changed each second would grow the heap
        # for as long as its old entries lie in the future.
        if len(self._heap) > 64 and len(self._heap) > 2 * len(self._jobs):
            live = [item for item in self._heap if self._is_live(item)]
            heapq.heapify(live)
            self._heap = live

    def _is_live(self, item: tuple[float, int, str]) -> bool:
        job = self._jobs.get(item[2])
        return job is not None and job.entry == item[1]
