"""One look at one job: decide what is due, claim it, and act on what the store answered.

Thin: the decisions are `decide_due` and `decide_blocked`. What comes back tells the dispatcher whether an
execution was started and when to look again.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from common.domain.accounts import missed_row
from common.domain.codec import MissedTicks, Trigger
from common.domain.errors import STORE_FAILURES
from common.domain.execution import Cause, Reason
from common.domain.ids import ExecutionId, from_epoch_s
from common.domain.job import JobSpec
from common.domain.policy import CatchUp
from common.domain.records import LedgerRow
from common.domain.retry import TRIGGER_LIFETIME
from common.domain.timing import window_s
from common.kv.port import KeyValueStore
from common.runtime.clock import Clock
from worker.claims import (
    Blocked,
    Claims,
    CursorMoved,
    Done,
    NoSession,
    Stale,
    Tick,
    Undecided,
    Won,
    trigger_lease_s,
)
from worker.domain.accounts import expires_at, skipped_row
from worker.domain.assignment import StopCause
from worker.domain.blocked import Queue, Replace, Skip, Wait, decide_blocked
from worker.domain.due import CATCH_UP_PACE_S, Due, decide_due, is_far_ahead
from worker.domain.plan import PlannedJob
from worker.job_feed import decode_cached
from worker.launcher import Launcher
from worker.ports import Journal
from worker.running import RunningExecution

log: Final = structlog.get_logger(__name__)

_SOON: Final = timedelta(milliseconds=250)
_SECOND: Final = timedelta(seconds=1)


class Again(NamedTuple):
    """
    What the dispatcher does next.

    Attributes:
        started: An execution took the slot.
        at: Look again then; None: at the next tick.
        stale: Do not plan it again, the feed brings another version.
        hindrance: Why it was not claimed, if something stood in the way.
        overtaken: Somebody else had moved the cursor: nothing was decided here, so what stood in the way
            of the ticks that are left still counts.
    """

    started: bool = False
    at: datetime | None = None
    stale: bool = False
    hindrance: Reason | None = None
    overtaken: bool = False


_STARTED: Final = Again(started=True)


class TickTaker:
    """Takes ticks for one worker."""

    def __init__(
        self,
        store: KeyValueStore,
        claims: Claims,
        journal: Journal,
        launcher: Launcher,
        clock: Clock,
        worker_id: str,
    ) -> None:
        self._store = store
        self._claims = claims
        self._journal = journal
        self._launcher = launcher
        self._clock = clock
        self._worker_id = worker_id
        #: Late ticks started since the job was last on time (policy `all` starts 100 at most).
        self._recovered: dict[str, int] = {}
        #: Uptime before which no late tick of a job of policy `all` may start.
        self._late_not_before_s: dict[str, float] = {}

    async def take(self, job: PlannedJob, hindrance: Reason | None) -> Again:
        """Look at *job* once; a slot is reserved."""
        spec = decode_cached(job.key, job.value)
        now = self._clock.now()
        due = decide_due(job, spec, now, hindrance=hindrance, started=self._recovered.get(job.uid, 0))
        if due.tick is None:
            return await self._account_for_missed(job, spec, due) if due.missed else Again()
        wait_s = self._pace_left_s(job.uid) if _is_paced(spec, due) else 0.0
        # Less than a millisecond would be rounded to this very instant, and looked at again without end.
        if wait_s >= 0.001:
            return Again(at=now + timedelta(seconds=wait_s), hindrance=hindrance)
        start_at = from_epoch_s(due.tick + job.timing.offset)
        if start_at - now > _SECOND:
            return Again()
        deadline = max(start_at, now) + timedelta(seconds=spec.start_deadline_s)
        return await self._claim(job, spec, due, start_at, deadline)

    async def _claim(
        self, job: PlannedJob, spec: JobSpec, due: Due, start_at: datetime, deadline: datetime
    ) -> Again:
        assert due.tick is not None  # noqa: S101 - the caller looked
        tick = self._tick(job, spec, due.tick, due)
        match await self._claims.claim(tick, deadline=deadline):
            case Won() as won:
                self._started(job, spec, due, won, start_at)
                return _STARTED
            case Blocked(by=blocker):
                return await self._blocked(job, spec, tick, start_at, blocker)
            case CursorMoved(cursor=cursor):
                self._take_over(job, cursor)
                if _is_paced(spec, due):
                    self._note_late_start(job.uid)
                return Again(overtaken=True)
            case Stale():
                return Again(stale=True)
            case NoSession() | Undecided():
                return Again(at=self._clock.now() + _SOON, hindrance=Reason.COORDINATION)

    def _note_late_start(self, uid: str) -> None:
        self._late_not_before_s[uid] = self._clock.uptime_s() + CATCH_UP_PACE_S

    def _pace_left_s(self, uid: str) -> float:
        """
        Seconds until the next late tick of a job may start.

        Asked at every look and not only planned: the end of an execution has its job looked at at once.
        Whoever had the job until now may have started a late tick just before, so the first one waits, too.
        """
        now_s = self._clock.uptime_s()
        return self._late_not_before_s.setdefault(uid, now_s + CATCH_UP_PACE_S) - now_s

    def _take_over(self, job: PlannedJob, cursor: int) -> None:
        """Somebody else moved the cursor: go on from there."""
        job.cursor = cursor
        if is_far_ahead(job.timing, cursor, self._clock.now()):
            # Nothing runs until the clocks get there: what was decided stays decided (situation 15).
            log.error("cursor.far_ahead", key=job.key, cursor=cursor)

    def _started(self, job: PlannedJob, spec: JobSpec, due: Due, won: Won, start_at: datetime) -> None:
        assert due.tick is not None  # noqa: S101
        job.cursor = due.tick
        if due.missed is not None:
            # Also in the run record: should this process die now, the reconciler writes the row.
            self._journal.record(self._missed_row(spec, due.missed))
        if due.cause is Cause.CATCH_UP:
            self._recovered[job.uid] = self._recovered.get(job.uid, 0) + 1
            self._note_late_start(job.uid)
        else:
            self._recovered.pop(job.uid, None)
            self._late_not_before_s.pop(job.uid, None)
        moved = job.timing.is_moved_by_gap(won.record.scheduled_at)
        self._launcher.launch(
            won,
            execution=ExecutionId.of_tick(job.uid, due.tick),
            spec=spec,
            job_revision=job.revision,
            start_not_before=start_at,
            flags=("dst: gap",) if moved else (),
        )

    async def _account_for_missed(self, job: PlannedJob, spec: JobSpec, due: Due) -> Again:
        """Nothing to start: record the missed ticks, then move the cursor past them."""
        assert due.missed is not None  # noqa: S101
        now = self._clock.now()
        await self._journal.record_durably(self._missed_row(spec, due.missed))
        tick = self._tick(job, spec, due.missed.last, due)
        return await self._skip(job, spec, tick, deadline=now + timedelta(seconds=spec.start_deadline_s))

    def _missed_row(self, spec: JobSpec, missed: MissedTicks) -> LedgerRow:
        now = self._clock.now()
        return missed_row(spec, missed, now=now, expires_at=expires_at(spec, now), by=self._worker_id)

    async def _blocked(
        self, job: PlannedJob, spec: JobSpec, tick: Tick, start_at: datetime, blocker: str
    ) -> Again:
        now = self._clock.now()
        local = self._launcher.running.get(blocker)
        decision = decide_blocked(
            spec.overlap,
            tick=start_at,
            now=now,
            cause=tick.cause,
            start_deadline_s=spec.start_deadline_s,
            kill_grace_s=spec.kill_grace_s,
            blocker_claimed_at=_began_at(local) if local else None,
        )
        deadline = now + timedelta(seconds=spec.start_deadline_s)
        match decision:
            case Wait(until=until):
                return Again(at=until)
            case Skip():
                return await self._skip_blocked(job, spec, tick, blocker, deadline)
            case Queue():
                return await self._queue(job, spec, tick, blocker, deadline)
            case Replace(until=until):
                await self._replace(blocker)
                return Again(at=until)

    async def _skip_blocked(
        self, job: PlannedJob, spec: JobSpec, tick: Tick, blocker: str, deadline: datetime
    ) -> Again:
        now = self._clock.now()
        if tick.missed is not None:
            self._journal.record(self._missed_row(spec, tick.missed))
        row = skipped_row(spec, tick.tick, Reason.OVERLAP, now, self._worker_id, blocked_by=blocker)
        await self._journal.record_durably(row)
        return await self._skip(job, spec, tick, deadline)

    async def _skip(self, job: PlannedJob, spec: JobSpec, tick: Tick, deadline: datetime) -> Again:
        result = await self._claims.skip(tick, deadline=deadline)
        if isinstance(result, Done):
            log.info("tick.passed", job=spec.qualified_name, tick=tick.tick)
        return self._after_move(job, tick, result)

    async def _queue(
        self, job: PlannedJob, spec: JobSpec, tick: Tick, blocker: str, deadline: datetime
    ) -> Again:
        """The first blocked tick waits as a trigger; while one waits, further ticks are skipped."""
        now = self._clock.now()
        scheduled_at = from_epoch_s(tick.tick)
        expires_at = scheduled_at + timedelta(
            seconds=max(window_s(spec, job.timing, now), spec.start_deadline_s)
        )
        trigger = Trigger(
            cause=Cause.QUEUED,
            tick=tick.tick,
            not_before=scheduled_at + timedelta(seconds=job.timing.offset),
            expires_at=min(expires_at, scheduled_at + TRIGGER_LIFETIME),
            scheduled_at=scheduled_at,
        )
        try:
            lease = await self._store.grant(trigger_lease_s(trigger, now))
        except STORE_FAILURES:
            return Again(at=now + _SOON, hindrance=Reason.COORDINATION)
        if tick.missed is not None:
            # No run record carries them as that of a claim would.
            await self._journal.record_durably(self._missed_row(spec, tick.missed))
        result = await self._claims.queue(tick, trigger, lease_id=lease.id, deadline=deadline)
        if isinstance(result, Blocked):
            return await self._skip_blocked(job, spec, tick, blocker, deadline)
        log.info("tick.queued", job=spec.qualified_name, tick=tick.tick, behind=blocker)
        return self._after_move(job, tick, result)

    def _after_move(
        self, job: PlannedJob, tick: Tick, result: Done | CursorMoved | Stale | NoSession | Undecided
    ) -> Again:
        match result:
            case Done():
                job.cursor = tick.tick
                return Again()
            case CursorMoved(cursor=cursor):
                self._take_over(job, cursor)
                return Again(overtaken=True)
            case Stale():
                return Again(stale=True)
            case NoSession() | Undecided():
                return Again(at=self._clock.now() + _SOON, hindrance=Reason.COORDINATION)

    async def _replace(self, blocker: str) -> None:
        local = self._launcher.running.get(blocker)
        if local is not None:
            local.switch.press(StopCause.REPLACED, by="overlap policy")
            return
        try:
            await self._claims.request_kill(blocker, by="overlap policy", reason=StopCause.REPLACED.value)
        except STORE_FAILURES as error:
            log.debug("tick.replace_postponed", blocker=blocker, error=str(error))

    @staticmethod
    def _tick(job: PlannedJob, spec: JobSpec, tick: int, due: Due) -> Tick:
        missed = due.missed if due.tick is not None else None
        return Tick(
            spec=spec,
            job_key=job.key,
            job_revision=job.revision,
            cursor=job.cursor,
            tick=tick,
            cause=due.cause,
            missed=missed,
        )


def _is_paced(spec: JobSpec, due: Due) -> bool:
    """Policy `all` starts one late tick per second in all, however many workers look at the job."""
    return due.cause is Cause.CATCH_UP and spec.catch_up is CatchUp.ALL


def _began_at(running: RunningExecution) -> datetime:
    """When an execution began to hold its lock in earnest: a claim taken ahead counts from its tick."""
    return max(running.assignment.claimed_at, running.assignment.start_not_before)
