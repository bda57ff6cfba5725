"""From etcd to the plan: every stored job is read, ranked, given its cursor and planned.

A value that cannot be read takes its job out of the plan and is reported; the version before never stays
(situation 37). Jobs this worker does not rank for are kept unplanned, so that a change of the roster needs no
listing; their cursors are read when they become this worker's.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import structlog

from common.domain.codec import decode_cursor, decode_job
from common.domain.errors import STORE_FAILURES, CorruptValue, CronError, InvalidInput
from common.domain.ids import epoch_s
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.domain.schedule import forget_schedules
from common.domain.timing import Timing, timing_of
from common.kv.feed import Feed
from common.kv.port import KeyValueStore
from common.kv.values import KeyValue
from worker.domain.plan import Plan, PlannedJob
from worker.roster import Requirement, Roster, requirement_of

log: Final = structlog.get_logger(__name__)

#: Cursors read in one transaction (etcd takes 128 operations), and when listing them all is cheaper.
_CURSORS_PER_READ: Final = 120
_LIST_ALL_ABOVE: Final = 2_000
#: Jobs handled before the loop gets a turn, so that lease renewals stay on time while 100,000 jobs load.
_TURN: Final = 200
_RETRY_S: Final = 0.5
_DAY_S: Final = 86_400


@dataclass(slots=True)
class KnownJob:
    """One readable stored job, planned here or not; without a timing it is planned nowhere."""

    uid: str
    key: str
    value: bytes
    revision: int
    requirement: Requirement
    timing: Timing | None
    cursor: int | None = None

    def spec(self) -> JobSpec:
        return decode_cached(self.key, self.value)


@lru_cache(maxsize=2048)
def decode_cached(key: str, value: bytes) -> JobSpec:
    """The definition at *key*; busy jobs are decoded once per version."""
    return decode_job(key, value)


class JobFeed:
    """Keeps `plan` in step with what is stored."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        feed: Feed,
        roster: Roster,
        plan: Plan,
        replan: Callable[[PlannedJob], None],
    ) -> None:
        """*replan* puts a job into the plan under its next instant."""
        self._store = store
        self._keys = keyspace
        self._feed = feed
        self._roster = roster
        self._plan = plan
        self._replan = replan
        self._known: dict[str, KnownJob] = {}
        self._uid_of: dict[str, str] = {}
        self._requirements: dict[Requirement, Requirement] = {}
        self._pending: dict[str, None] = {}
        self._wake = asyncio.Event()
        #: Keys whose values cannot be read, with the reason; shown by the health endpoint and the reporter.
        self.quarantined: dict[str, str] = {}
        roster.on_change(self._rank_again)

    @property
    def is_current(self) -> bool:
        """Every change the store has told of is planned."""
        return self._feed.is_current and not self._pending

    def job(self, uid: str) -> KnownJob | None:
        return self._known.get(uid)

    async def run(self) -> None:
        """Follow the jobs, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="job_feed.follow")
            group.create_task(self._plan_pending(), name="job_feed.plan_pending")
            group.create_task(self._compute_again_daily(), name="job_feed.daily")

    async def _follow(self) -> None:
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                for number, change in enumerate(event.changes, start=1):
                    if change.deleted:
                        self._forget(change.key)
                    else:
                        self._learn(change.kv)
                    if number % _TURN == 0:
                        await asyncio.sleep(0)
                self._wake.set()

    def _learn(self, kv: KeyValue) -> None:
        """Take in one stored value; nothing of the version before survives, whatever the new one is."""
        cursor = self._cursor_of(kv.key)
        self._forget(kv.key)
        try:
            spec = decode_job(kv.key, kv.value)
            if self._keys.parse_job(kv.key) != (spec.namespace, spec.name):
                raise CorruptValue(f"{kv.key}: holds the job {spec.qualified_name}", key=kv.key)
            timing = timing_of(spec)
        except (CorruptValue, InvalidInput, ValueError) as error:
            self._quarantine(kv.key, str(error))
            return
        other = self._known.get(spec.uid)
        if other is not None:
            self._quarantine(kv.key, f"{kv.key}: uid {spec.uid} belongs to {other.key} already")
            return
        requirement = requirement_of(spec)
        requirement = self._requirements.setdefault(requirement, requirement)
        if cursor is None and spec.generation == 1:
            cursor = epoch_s(spec.changed_at)
        self._known[spec.uid] = KnownJob(
            spec.uid,
            kv.key,
            kv.value,
            kv.mod_revision,
            requirement,
            timing,
            cursor,
        )
        self._uid_of[kv.key] = spec.uid
        self._pending[spec.uid] = None

    def _cursor_of(self, key: str) -> int | None:
        """The cursor of the version that is being replaced, so that an edit needs no read."""
        uid = self._uid_of.get(key)
        planned = self._plan.get(uid) if uid else None
        return planned.cursor if planned else None

    def _forget(self, key: str) -> None:
        self.quarantined.pop(key, None)
        uid = self._uid_of.pop(key, None)
        if uid is not None:
            self._known.pop(uid, None)
            self._pending.pop(uid, None)
            self._plan.remove(uid)

    def _quarantine(self, key: str, reason: str) -> None:
        self.quarantined[key] = reason
        log.error("job.quarantined", key=key, reason=reason)

    def _rank_again(self) -> None:
        """The roster has changed: every job may have another rank."""
        self._pending.update(dict.fromkeys(self._known))
        self._wake.set()

    async def _plan_pending(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                batch = list(self._pending)[: _LIST_ALL_ABOVE + 1]
                if len(batch) > _LIST_ALL_ABOVE:
                    batch = list(self._pending)
                await self._plan_these(batch)

    async def _plan_these(self, uids: Sequence[str]) -> None:
        ours: list[tuple[KnownJob, int]] = []
        for number, uid in enumerate(uids, start=1):
            known = self._known.get(uid)
            if known is None or known.timing is None:
                self._pending.pop(uid, None)
                continue
            rank = self._roster.rank(uid, known.requirement, known.spec)
            if rank is None:
                self._leave(known)
            else:
                ours.append((known, rank))
            if number % _TURN == 0:
                await asyncio.sleep(0)
        missing = [known.uid for known, _ in ours if self._needs_cursor(known)]
        cursors = await self._read_cursors(missing)
        for number, (known, rank) in enumerate(ours, start=1):
            if self._known.get(known.uid) is known:
                self._pending.pop(known.uid, None)
                self._place(known, rank, cursors)
            if number % _TURN == 0:
                await asyncio.sleep(0)

    def _needs_cursor(self, known: KnownJob) -> bool:
        return known.cursor is None and self._plan.get(known.uid) is None

    def _leave(self, known: KnownJob) -> None:
        """Another worker's job now: its cursor moves without us, so what we know of it is worth nothing."""
        self._pending.pop(known.uid, None)
        known.cursor = None
        self._plan.remove(known.uid)

    def _place(self, known: KnownJob, rank: int, cursors: dict[str, int | str]) -> None:
        planned = self._plan.get(known.uid)
        if planned is not None and planned.revision == known.revision:
            if planned.rank != rank:
                planned.rank = rank
                self._replan(planned)
            return
        cursor = known.cursor if known.cursor is not None else cursors.get(known.uid, "it is missing")
        if isinstance(cursor, str):
            self._quarantine(known.key, f"{known.key}: the cursor cannot be used: {cursor}")
            return
        job = plan_entry(known, cursor, rank)
        if job is not None:
            self._plan.put(job, None)
            self._replan(job)

    async def _read_cursors(self, uids: Sequence[str]) -> dict[str, int | str]:
        """The cursors of *uids*: epoch seconds, or why one cannot be used. Tries until the store answers."""
        while uids:
            try:
                if len(uids) > _LIST_ALL_ABOVE:
                    listing = await self._store.list(self._keys.cursors)
                    return self._decode_cursors(listing.items)
                found: dict[str, int | str] = {}
                for start in range(0, len(uids), _CURSORS_PER_READ):
                    keys = [self._keys.cursor(uid) for uid in uids[start : start + _CURSORS_PER_READ]]
                    result = await self._store.txn(reads=keys)
                    found |= self._decode_cursors(kv for kv in result.reads.values() if kv is not None)
            except STORE_FAILURES as error:
                log.debug("job_feed.cursors_unread", error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return found
        return {}

    def _decode_cursors(self, items: Iterable[KeyValue]) -> dict[str, int | str]:
        cursors: dict[str, int | str] = {}
        for kv in items:
            uid = self._keys.parse_last(kv.key, self._keys.cursors)
            try:
                cursors[uid] = epoch_s(decode_cursor(kv.key, kv.value))
            except CorruptValue as error:
                cursors[uid] = str(error)
        return cursors

    async def _compute_again_daily(self) -> None:
        """Situation 12: a changed time zone database moves future ticks; claimed ones stay."""
        while True:
            await asyncio.sleep(_DAY_S)
            forget_schedules()
            for known in list(self._known.values()):
                known.timing = timing_of(known.spec())
                planned = self._plan.get(known.uid)
                job = plan_entry(known, planned.cursor, planned.rank) if planned is not None else None
                if job is not None:
                    self._plan.put(job, None)
                    self._replan_current(known.uid)
                await asyncio.sleep(0)

    def _replan_current(self, uid: str) -> None:
        planned = self._plan.get(uid)
        if planned is not None:
            self._replan(planned)

    def quarantine(self, job: PlannedJob, error: CronError) -> None:
        """Take a job out of the plan whose stored state turned out to be unusable (a garbage cursor)."""
        self._plan.remove(job.uid)
        self._quarantine(job.key, str(error))


def plan_entry(known: KnownJob, cursor: int, rank: int) -> PlannedJob | None:
    """
    The plan's entry of a job, None if it has no schedule or is disabled.

    Its tick is computed when it is put into the plan. The timing is the one that was read with the job: a
    definition takes longer to decode than everything else here.
    """
    if known.timing is None:
        return None
    return PlannedJob(
        uid=known.uid,
        key=known.key,
        value=known.value,
        revision=known.revision,
        timing=known.timing,
        cursor=cursor,
        rank=rank,
    )
