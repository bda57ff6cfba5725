"""The jobs as this master knows them: a feed of `/cron/jobs/` kept as rows.

Lists and filters are answered from here and never read etcd. A value that cannot be read becomes a
quarantined row (situation 37), so that it can be seen, overwritten and deleted. Writes of this master are
applied at once: a job that was just saved is in the next list.
"""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import structlog

from common.domain.codec import decode_job
from common.domain.errors import CorruptValue, InvalidInput, StoreUnavailable
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.domain.schedule import Schedule, parse_schedule
from common.domain.timing import timing_of
from common.kv.feed import Feed
from common.kv.values import Change, KeyValue
from common.runtime.clock import Clock
from master.domain.job_rows import JobRow, upcoming_ticks

log = structlog.get_logger()

_FRESHEN_EVERY_S: Final = 1.0
#: Ticks computed before other tasks get a turn: about 5 ms.
_FRESHEN_SLICE: Final = 100


#: namespace, name, uid (None: unreadable), revision, whether it is gone.
JobListener: TypeAlias = Callable[[str, str, str | None, int, bool], None]


class JobView:
    """
    Rows by key, and the same rows sorted by namespace and name.

    Attributes:
        synced: Set once all jobs have been seen; it stays set when etcd goes away.
    """

    def __init__(self, feed: Feed, keyspace: Keyspace, clock: Clock) -> None:
        self._feed = feed
        self._keyspace = keyspace
        self._clock = clock
        self._rows: dict[tuple[str, str], JobRow] = {}
        self._by_uid: dict[str, JobRow] = {}
        self._order: list[tuple[str, str]] = []
        self._sorted: list[JobRow] | None = None
        self._listed: list[JobRow] | None = None
        #: Revisions of deletions that the feed has not shown yet: older news must not revive the job.
        self._deleted: dict[tuple[str, str], int] = {}
        self.synced = asyncio.Event()
        self._on_change: JobListener = _ignored

    def tell(self, on_change: JobListener) -> None:
        """Call *on_change* with every job that changes from now on; not with those that are found first."""
        self._on_change = on_change

    @property
    def is_current(self) -> bool:
        return self.synced.is_set() and self._feed.is_current

    async def run(self) -> None:
        """Follow the store for ever."""
        async for event in self._feed.events():
            for change in event.changes:
                self.apply(change)
            if event.synced:
                self.synced.set()

    async def keep_ticks_fresh(self) -> None:
        """Compute next ticks that have passed anew, for ever: orders by next tick rely on them."""
        while True:
            await asyncio.sleep(_FRESHEN_EVERY_S)
            now = self._clock.now()
            stale = [row for row in self._rows.values() if row.next_tick is not None and row.next_tick <= now]
            for start in range(0, len(stale), _FRESHEN_SLICE):
                for row in stale[start : start + _FRESHEN_SLICE]:
                    self.freshen(row)
                await asyncio.sleep(0)

    def freshen(self, row: JobRow) -> JobRow:
        """Make sure that the row's next tick lies ahead."""
        now = self._clock.now()
        if row.timing is not None and (row.next_tick is None or row.next_tick <= now):
            row.next_tick = next(iter(upcoming_ticks(row.timing, now, 1)), None)
        return row

    def apply(self, change: Change) -> None:
        """Take over one change, from the feed or of our own; older ones than what is known change nothing."""
        try:
            key = self._keyspace.parse_job(change.key)
        except ValueError:
            log.warning("job.key_ignored", key=change.key)
            return
        revision = change.kv.mod_revision
        known = self._rows.get(key)
        is_old = revision <= self._deleted.get(key, 0) or (known is not None and revision < known.revision)
        # In a store that was restored from a backup revisions begin again: then the latest news counts.
        if is_old and not self._feed.rewound.is_set():
            return
        self._deleted.pop(key, None)
        if change.deleted:
            self._remove(key, revision)
        elif known is None or known.revision != revision:
            self._put(key, self._row(key, change.kv))

    def deleted_here(self, namespace: str, name: str, revision: int) -> None:
        """Take over a deletion this master made at *revision*."""
        key = (namespace, name)
        self._remove(key, revision)
        self._deleted[key] = revision

    def row(self, namespace: str, name: str) -> JobRow | None:
        row = self._rows.get((namespace, name))
        return self.freshen(row) if row else None

    def by_uid(self, uid: str) -> JobRow | None:
        return self._by_uid.get(uid)

    def rows(self) -> list[JobRow]:
        """
        Every row, sorted by namespace and name. Do not change the list.

        Raises:
            StoreUnavailable: etcd has not been reached since this master started.
        """
        self.check_synced()
        if self._sorted is None:
            self._sorted = [self._rows[key] for key in self._order]
        return self._sorted

    def listed(self) -> list[JobRow]:
        """Like `rows`, without the temporary jobs of test runs."""
        rows = self.rows()
        if self._listed is None:
            self._listed = [row for row in rows if not row.is_test_run]
        return self._listed

    def test_runs(self) -> list[JobRow]:
        """The temporary jobs."""
        if not self.synced.is_set() or len(self.listed()) == len(self.rows()):
            return []
        return [row for row in self.rows() if row.is_test_run]

    def check_synced(self) -> None:
        """Raise StoreUnavailable until the jobs have been listed once."""
        if not self.synced.is_set():
            raise StoreUnavailable(
                "the jobs are not known yet: etcd has not been reached since this master started",
                store="etcd",
            )

    def count(self) -> tuple[int, int]:
        """Number of jobs, and of those that cannot be read."""
        return len(self._rows), sum(row.quarantined is not None for row in self._rows.values())

    def _row(self, key: tuple[str, str], kv: KeyValue) -> JobRow:
        namespace, name = key
        spec, schedule, timing, quarantined = None, None, None, None
        try:
            spec, schedule = read_job(kv.key, kv.value, key)
            timing = timing_of(spec)
        except (CorruptValue, InvalidInput) as error:
            quarantined = str(error)
            log.warning("job.quarantined", key=kv.key, reason=quarantined)
        row = JobRow(
            namespace,
            name,
            kv.mod_revision,
            kv.create_revision,
            spec=spec,
            quarantined=quarantined,
            schedule=schedule,
            timing=timing,
            haystack="\n".join(_searchable(namespace, name, spec)).lower(),
        )
        return self.freshen(row)

    def _put(self, key: tuple[str, str], row: JobRow) -> None:
        old = self._rows.get(key)
        if old is None:
            insort(self._order, key)
        elif old.uid is not None:
            self._by_uid.pop(old.uid, None)
        self._rows[key] = row
        if row.uid is not None:
            self._by_uid[row.uid] = row
        self._sorted = self._listed = None
        if self.synced.is_set():
            self._on_change(*key, row.uid, row.revision, False)

    def _remove(self, key: tuple[str, str], revision: int) -> None:
        old = self._rows.pop(key, None)
        if old is None:
            return
        if old.uid is not None:
            self._by_uid.pop(old.uid, None)
        del self._order[bisect_left(self._order, key)]
        self._sorted = self._listed = None
        self._on_change(*key, old.uid, revision, True)


def _ignored(_namespace: str, _name: str, _uid: str | None, _revision: int, _is_gone: bool) -> None:
    """Nobody listens."""


def read_job(key: str, value: bytes, stored_as: tuple[str, str]) -> tuple[JobSpec, Schedule | None]:
    """
    The job inside a stored value, with its schedule understood.

    Raises:
        CorruptValue: The value is not a job of this release, or names another job than its key.
        InvalidInput: Its schedule or time zone means nothing on this host.
    """
    spec = decode_job(key, value)
    if (spec.namespace, spec.name) != stored_as:
        raise CorruptValue(f"{key}: holds the job {spec.qualified_name}", key=key)
    if spec.schedule is None:
        return spec, None
    return spec, parse_schedule(spec.schedule, spec.timezone, uid=spec.uid, anchor=spec.created_at)


def _searchable(namespace: str, name: str, spec: JobSpec | None) -> Iterable[str]:
    yield f"{namespace}/{name}"
    if spec is None:
        return
    yield spec.description
    yield spec.command or spec.script or " ".join(spec.argv or ())
    yield spec.request.url if spec.request else ""
    yield from (f"{label}={value}" for label, value in spec.labels.items())
