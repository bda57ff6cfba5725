"""Due ticks become claims, and claims become executions.

The loop wakes when the plan says so, at most a second ahead of anything: a stepped clock is seen within that
second. Rank 0 claims shortly before the tick, so that the start itself needs no round trip; ranks 1 and 2
look at the cursor a little after the tick and claim only what nobody has taken.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from common.domain.codec import decode_cursor
from common.domain.errors import STORE_FAILURES, CorruptValue
from common.domain.execution import Reason
from common.domain.ids import epoch_s
from common.domain.keys import Keyspace
from common.domain.policy import CatchUp
from common.domain.preference import RANK_DELAY_S
from common.kv.port import KeyValueStore
from common.runtime.clock import Clock
from common.runtime.wakeup import Wakeup
from worker.domain.due import CATCH_UP_PACE_S
from worker.domain.plan import Plan, PlannedJob
from worker.gate import Gate
from worker.job_feed import JobFeed, decode_cached
from worker.launcher import Launcher
from worker.tick_taker import Again, TickTaker

log: Final = structlog.get_logger(__name__)

#: Longest sleep: a clock that steps is noticed within it.
_NAP_S: Final = 1.0
#: How far ahead of its tick rank 0 claims, at most; a quarter of the interval for frequent jobs.
CLAIM_AHEAD_S: Final = 0.9
#: With ticks no closer than this, a quarter of the interval is more than that, whatever comes next.
_RARE_S: Final = 4 * CLAIM_AHEAD_S
#: Claims under way at once; more only queue up inside the client.
_CLAIMS_AT_ONCE: Final = 64
_CURSORS_PER_READ: Final = 120
#: Slots (a fifth of them at most) that claims taken ahead leave for what is due at once.
_RESERVED_SLOTS: Final = 8
_GATE_RETRY_S: Final = 0.25


class Dispatcher:
    """Owns the plan's time: nothing else decides when a job is looked at."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        clock: Clock,
        plan: Plan,
        gate: Gate,
        launcher: Launcher,
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._clock = clock
        self._plan = plan
        self._gate = gate
        self._launcher = launcher
        self._here_since = clock.now().timestamp()
        self._wake = Wakeup()
        #: By uid, oldest first, each with its entry in the plan when it was parked.
        self._parked: dict[str, tuple[PlannedJob, int]] = {}
        self._claims_at_once = asyncio.Semaphore(_CLAIMS_AT_ONCE)
        self._taker: TickTaker | None = None
        self._job_feed: JobFeed | None = None
        self._hindrance: dict[str, Reason] = {}
        self._takes = 0
        self._settled = asyncio.Event()
        self._settled.set()
        launcher.on_end(self._ended)

    def connect(self, taker: TickTaker, job_feed: JobFeed) -> None:
        """Late binding of the two parts that also need the dispatcher."""
        self._taker = taker
        self._job_feed = job_feed

    def replan(self, job: PlannedJob) -> None:
        """Put *job* into the plan under the instant at which this worker looks at its next tick."""
        job.look_ahead()
        self._plan.put(job, self._instant_of(job))
        self._wake.set()

    def look_again(self) -> None:
        """The clock has stepped: what is due is another question now."""
        for job in list(self._plan):
            self.replan(job)

    async def run(self) -> None:
        """Dispatch, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._nap()
                now = self._clock.now().timestamp()
                due = self._plan.pop_due(now)
                if due and not self._gate.is_open:
                    self._put_off(due)
                    continue
                if self._gate.is_open:
                    # Those that have waited for a slot come first.
                    due = self._unpark() + due
                mine = [job for job in due if job.rank == 0]
                others = [job for job in due if job.rank > 0]
                for job in mine:
                    self._start_take(group, job, now)
                if others:
                    group.create_task(self._take_if_open(group, others), name="dispatcher.ranks")

    async def settled(self) -> None:
        """Return when no claim is under way; close the gate first."""
        await self._settled.wait()

    async def _nap(self) -> None:
        wakeup = self._plan.next_wakeup()
        ahead_s = _NAP_S if wakeup is None else wakeup - self._clock.now().timestamp()
        if ahead_s <= 0:
            # Let the others have a turn even when everything is due at once.
            await asyncio.sleep(0)
            return
        self._wake.clear()
        await self._wake.wait(min(ahead_s, _NAP_S))

    def _instant_of(self, job: PlannedJob) -> float | None:
        """When this worker looks at *job*: ahead of the tick as rank 0, after it as rank 1 and 2."""
        if job.tick is None:
            return None
        start = float(job.tick + job.timing.offset)
        if job.rank > 0:
            return start + job.rank * RANK_DELAY_S
        if job.timing.least_interval_s >= _RARE_S:
            return start - CLAIM_AHEAD_S
        job.following = job.timing.next_tick(job.tick)
        interval_s = (job.following - job.tick) if job.following is not None else _RARE_S
        return start - min(CLAIM_AHEAD_S, interval_s / 4)

    def _put_off(self, jobs: Iterable[PlannedJob]) -> None:
        """The gate is closed: look again soon, and remember why for what will have been missed."""
        reason = self._gate.reason
        again = self._clock.now().timestamp() + _GATE_RETRY_S
        for job in jobs:
            # What came due before this worker was there would have been missed with the gate open, too.
            if reason is not None and job.tick is not None and self._here_since <= job.tick <= again:
                self._hindrance[job.uid] = reason
            self._plan.put(job, again)

    async def _take_if_open(self, group: asyncio.TaskGroup, jobs: list[PlannedJob]) -> None:
        """Ranks 1 and 2: claim only where the cursor has not reached the tick."""
        for start in range(0, len(jobs), _CURSORS_PER_READ):
            batch = jobs[start : start + _CURSORS_PER_READ]
            try:
                result = await self._store.txn(reads=[self._keys.cursor(job.uid) for job in batch])
            except STORE_FAILURES:
                self._put_off(job for job in batch if self._plan.is_current(job))
                continue
            now = self._clock.now().timestamp()
            for job in batch:
                if not self._plan.is_current(job):
                    continue
                kv = result.reads[self._keys.cursor(job.uid)]
                try:
                    cursor = epoch_s(decode_cursor(self._keys.cursor(job.uid), kv.value if kv else b""))
                except CorruptValue as error:
                    self._quarantine(job, error)
                    continue
                job.cursor = max(job.cursor, cursor)
                if job.tick is not None and job.tick > job.timing.base(job.cursor):
                    self._start_take(group, job, now)
                else:
                    self._hindrance.pop(job.uid, None)
                    self._follow(job)

    def _follow(self, job: PlannedJob) -> None:
        """Somebody else decides this job's ticks; while they catch up at one per second, leave it at that."""
        self.replan(job)
        spec = decode_cached(job.key, job.value)
        if job.tick is None or spec.catch_up is not CatchUp.ALL:
            return
        now = self._clock.now().timestamp()
        if now - job.tick - job.timing.offset > spec.start_deadline_s:
            self._plan.put(job, now + CATCH_UP_PACE_S + job.rank * RANK_DELAY_S)

    def _start_take(self, group: asyncio.TaskGroup, job: PlannedJob, now: float) -> None:
        if self._is_too_early(job, now):
            self._plan.put(job, float((job.tick or 0) + job.timing.offset))
            return
        if not self._launcher.slots.try_reserve():
            self._park(job)
            return
        self._takes += 1
        self._settled.clear()
        group.create_task(self._take(job), name=f"take.{job.uid}")

    def _is_too_early(self, job: PlannedJob, now: float) -> bool:
        """
        Ahead of the tick, and not worth claiming yet.

        While this worker itself runs the job the lock is surely held; and claims taken ahead must not occupy
        the slots of what is due now.
        """
        if job.tick is None or now >= job.tick + job.timing.offset:
            return False
        slots = self._launcher.slots
        return (
            bool(self._parked)
            or slots.free <= min(_RESERVED_SLOTS, slots.limit // 5)
            or self._launcher.running.has_exclusive(job.uid)
        )

    async def _take(self, job: PlannedJob) -> None:
        """One look at one job, with a slot reserved; the slot is kept only by an execution that started."""
        assert self._taker is not None  # noqa: S101 - connected before run
        started = False
        try:
            async with self._claims_at_once:
                if not self._plan.is_current(job):
                    return
                answer = await self._taker.take(job, self._hindrance.get(job.uid))
            started = answer.started
            self._after(job, answer)
        except CorruptValue as error:
            self._quarantine(job, error)
        finally:
            self._takes -= 1
            if not self._takes:
                self._settled.set()
            if not started:
                self._launcher.slots.release()
                self._wake.set()

    def _after(self, job: PlannedJob, answer: Again) -> None:
        """Plan the job's next look."""
        if answer.hindrance is not None:
            self._hindrance[job.uid] = answer.hindrance
        elif not answer.overtaken:
            self._hindrance.pop(job.uid, None)
        if not self._plan.is_current(job) or answer.stale:
            # The feed brings the new version, or has brought it.
            return
        if answer.at is None:
            self.replan(job)
        else:
            job.look_ahead()
            self._plan.put(job, answer.at.timestamp())
            self._wake.set()

    def _park(self, job: PlannedJob) -> None:
        """No free slot: the job waits here, oldest first, until one is freed."""
        self._hindrance[job.uid] = Reason.NO_SLOT
        self._plan.put(job, None)
        self._parked[job.uid] = (job, job.entry)

    def _unpark(self) -> list[PlannedJob]:
        """As many parked jobs as there are free slots; those that were planned anew meanwhile are let go."""
        free = self._launcher.slots.free
        jobs: list[PlannedJob] = []
        while self._parked and len(jobs) < free:
            job, entry = self._parked.pop(next(iter(self._parked)))
            if self._plan.is_current(job) and job.entry == entry:
                jobs.append(job)
        return jobs

    def _ended(self, uid: str) -> None:
        """An execution was closed: its slot is free, and a tick of its job that waited for it may go now."""
        job = self._plan.get(uid)
        if job is not None and job.tick is not None and uid not in self._parked:
            now = self._clock.now().timestamp()
            if job.tick + job.timing.offset <= now:
                self._plan.put(job, now)
        self._wake.set()

    def _quarantine(self, job: PlannedJob, error: CorruptValue) -> None:
        assert self._job_feed is not None  # noqa: S101 - connected before run
        self._job_feed.quarantine(job, error)

    @property
    def parked(self) -> int:
        """Jobs that are due and wait for a slot."""
        return len(self._parked)
