"""What runs at this moment: a feed of `/cron/runs/`, by execution, by job and by worker.

A run record appears with the claim and goes when the execution's final record is durable, so this is ahead of
history in MongoDB on both ends.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from common.domain.codec import RunRecord
from common.domain.errors import CorruptValue
from common.domain.ids import ExecutionId
from common.domain.keys import Keyspace
from common.kv.feed import Feed
from common.kv.values import Change

log = structlog.get_logger()

#: Uids are never used again, and some jobs live for one run.
_MOST_SEEN: Final = 50_000
#: Ticks whose run was closed: those of the seconds until their records are stored.
_MOST_CLOSED: Final = 5_000


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One execution that has been claimed and not been closed; `fence` is the revision of its claim."""

    execution: ExecutionId
    record: RunRecord
    fence: int


class LiveRuns:
    """
    Run records, kept current.

    Attributes:
        synced: Set once all of them have been seen; it stays set when etcd goes away.
    """

    def __init__(self, feed: Feed, keyspace: Keyspace) -> None:
        self._feed = feed
        self._keyspace = keyspace
        self._by_id: dict[str, LiveRun] = {}
        self._by_uid: dict[str, dict[str, LiveRun]] = defaultdict(dict)
        self._per_worker: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._closed_by: dict[tuple[str, int], str] = {}
        self.synced = asyncio.Event()
        self._on_start: Callable[[LiveRun], None] = _ignored
        self._on_end: Callable[[LiveRun], None] = _ignored

    def tell(self, *, on_start: Callable[[LiveRun], None], on_end: Callable[[LiveRun], None]) -> None:
        """Call these with every run that begins or ends from now on; not with those that are found first."""
        self._on_start, self._on_end = on_start, on_end

    @property
    def is_current(self) -> bool:
        return self.synced.is_set() and self._feed.is_current

    async def run(self) -> None:
        """Follow the store for ever."""
        async for event in self._feed.events():
            for change in event.changes:
                self._apply(change)
            if event.synced:
                self.synced.set()

    def all(self) -> list[LiveRun]:
        return list(self._by_id.values())

    def find(self, execution_id: str) -> LiveRun | None:
        return self._by_id.get(execution_id)

    def of_job(self, uid: str) -> list[LiveRun]:
        runs = self._by_uid.get(uid)
        return sorted(runs.values(), key=lambda run: run.record.claimed_at) if runs else []

    def has_run(self, uid: str) -> bool:
        """Whether a run of the job was seen since this master started (or not so many others since)."""
        return uid in self._seen

    def closed_by(self, uid: str, tick_s: int) -> str | None:
        """The worker whose run of a tick was seen to end, if not so many others have ended since."""
        return self._closed_by.get((uid, tick_s))

    def running_uids(self) -> Collection[str]:
        """Jobs of which at least one execution runs."""
        return self._by_uid.keys()

    def on_worker(self, worker_id: str) -> int:
        return self._per_worker[worker_id]

    def per_worker(self, namespaces: Collection[str] | None) -> Mapping[str, int]:
        """How many executions of *namespaces* run on each worker; None counts all."""
        if namespaces is None:
            return self._per_worker
        return Counter(run.record.worker for run in self.all() if run.record.namespace in namespaces)

    def __len__(self) -> int:
        return len(self._by_id)

    def _apply(self, change: Change) -> None:
        try:
            execution = self._keyspace.parse_run(change.key)
        except ValueError:
            log.warning("run.key_ignored", key=change.key)
            return
        known = self._forget(execution)
        if change.deleted:
            if known is not None:
                self._note_closed(known)
                self._on_end(known)
            return
        try:
            record = RunRecord.decode(change.key, change.kv.value)
        except CorruptValue as error:
            log.warning("run.unreadable", key=change.key, reason=str(error))
            return
        run = LiveRun(execution, record, change.kv.create_revision)
        self._by_id[str(execution)] = run
        self._by_uid[execution.uid][str(execution)] = run
        self._per_worker[record.worker] += 1
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen.add(execution.uid)
        if known is None and self.synced.is_set():
            self._on_start(run)

    def _note_closed(self, run: LiveRun) -> None:
        tick_s = run.execution.tick_s
        if tick_s is None:
            return
        self._closed_by[run.execution.uid, tick_s] = run.record.worker
        if len(self._closed_by) > _MOST_CLOSED:
            del self._closed_by[next(iter(self._closed_by))]

    def _forget(self, execution: ExecutionId) -> LiveRun | None:
        run = self._by_id.pop(str(execution), None)
        if run is None:
            return None
        self._per_worker[run.record.worker] -= 1
        if not self._per_worker[run.record.worker]:
            del self._per_worker[run.record.worker]
        runs = self._by_uid[execution.uid]
        del runs[str(execution)]
        if not runs:
            del self._by_uid[execution.uid]
        return run


def _ignored(_run: LiveRun) -> None:
    """Nobody listens."""
