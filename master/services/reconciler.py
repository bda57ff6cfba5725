"""Closes what dead workers left open and accounts for ticks nobody started.

Runs on every master, without an election: each repair compares what it replaces. The record is stored before
the key is changed, so a master that dies in between is repeated, not missed.
"""

import asyncio
import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from common.domain.accounts import lost_record, missed_row
from common.domain.codec import encode_cursor
from common.domain.errors import STORE_FAILURES
from common.domain.execution import Reason, Status
from common.domain.ids import from_epoch_s
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.domain.records import Document, Record
from common.domain.retry import next_retry
from common.domain.timing import timing_of, undecided
from common.kv.port import KeyValueStore
from common.kv.values import Put, absent, created_at, modified_at, value_is
from common.runtime.clock import Clock
from master.domain.job_rows import JobRow
from master.domain.reconcile import final_misses, is_abandoned, why_nobody_started
from master.services.cursor_view import CursorView
from master.services.job_view import JobView
from master.services.live_runs import LiveRun, LiveRuns
from master.services.roster import Roster

log: Final = structlog.get_logger(__name__)

_INTERVAL_S: Final = 5.0
#: A session that has just ended may belong to a worker that registers anew and adopts its executions.
_ABANDONED_GRACE_S: Final = 4.0
#: Workers account for missed ticks themselves when they claim the next one; the master comes after them.
_MISSED_GRACE: Final = timedelta(seconds=10)
_RETRY_LEASE_S: Final = 86_400
_DEFAULT_RETENTION: Final = timedelta(days=30)


class RecordWriter(Protocol):
    async def write(self, records: Sequence[Record]) -> object:
        """
        Store records durably; fenced and idempotent.

        Raises:
            StoreUnavailable: Nothing is known to be stored.
        """
        ...


class ExecutionLookup(Protocol):
    async def execution(self, execution_id: str) -> Document | None: ...


class Reconciler:
    """Compares what is stored with what is alive, and closes the difference."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        clock: Clock,
        jobs: JobView,
        cursors: CursorView,
        runs: LiveRuns,
        roster: Roster,
        records: RecordWriter,
        history: ExecutionLookup,
        *,
        name: str,
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._clock = clock
        self._jobs = jobs
        self._cursors = cursors
        self._runs = runs
        self._roster = roster
        self._records = records
        self._history = history
        self._name = name
        self._abandoned_since: dict[str, float] = {}
        self._checks: list[tuple[float, str, int]] = []
        self._checked: dict[str, int] = {}
        self._orphans: set[str] = set()
        self._cut_off_until: datetime | None = None
        #: Counters for /metrics.
        self.closed = 0
        self.missed = 0

    async def run(self) -> None:
        """Look every five seconds, for ever."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            if not self._is_current():
                self._cut_off_until = self._clock.now()
                continue
            for look in (self._close_abandoned, self._account_for_missed, self._sweep_orphans):
                try:
                    await look()
                except STORE_FAILURES as error:
                    log.debug("reconcile.postponed", what=look.__name__, error=str(error))

    def _is_current(self) -> bool:
        """A repair on an old view could only fail; there is no point in trying."""
        return (
            self._jobs.is_current
            and self._cursors.is_current
            and self._runs.is_current
            and self._roster.is_current
        )

    # --- executions whose worker is gone (situations 18 to 21) ---

    async def _close_abandoned(self) -> None:
        health = {worker.worker: worker for worker in self._roster.live()}
        now_s = self._clock.uptime_s()
        abandoned: dict[str, float] = {}
        for run in self._runs.all():
            if is_abandoned(run.record, health.get):
                key = f"{run.execution}/{run.record.session}"
                abandoned[key] = self._abandoned_since.get(key, now_s)
                if now_s - abandoned[key] >= _ABANDONED_GRACE_S:
                    await self._close(run)
        self._abandoned_since = abandoned

    async def _close(self, run: LiveRun) -> None:
        """Record the outcome, then remove the run record; put the retry if the job wants one."""
        now = self._clock.now()
        row = self._jobs.by_uid(run.execution.uid)
        spec = row.spec if row is not None else None
        stored = await self._history.execution(str(run.execution))
        outcome = _real_outcome(stored, run.fence)
        expires_at = now + (timedelta(days=spec.retention_days) if spec else _DEFAULT_RETENTION)
        records: list[Record] = []
        if outcome is None:
            outcome = Status.LOST
            records.append(
                lost_record(
                    run.execution,
                    run.record,
                    fence=run.fence,
                    was_started=stored is not None,
                    now=now,
                    expires_at=expires_at,
                )
            )
        if run.record.missed is not None and spec is not None:
            missed = run.record.missed
            records.append(missed_row(spec, missed, now=now, expires_at=expires_at, by=self._name))
        if records:
            await self._records.write(records)
        if await self._remove(run, spec, outcome, now):
            self.closed += 1
            log.warning(
                "execution.closed",
                execution=str(run.execution),
                worker=run.record.worker,
                outcome=outcome.value,
            )

    async def _remove(self, run: LiveRun, spec: JobSpec | None, outcome: Status, now: datetime) -> bool:
        run_key = self._keys.run(run.execution)
        puts: list[Put] = []
        retry = None
        if spec is not None:
            retry = next_retry(
                spec,
                run.execution,
                outcome,
                scheduled_at=run.record.scheduled_at,
                now=now,
                parameters=run.record.parameters,
                requested_by=run.record.requested_by,
            )
        if retry is not None:
            trigger_id, trigger = retry
            lease = await self._store.grant(_RETRY_LEASE_S)
            key = self._keys.trigger(run.execution.uid, trigger_id)
            puts.append(Put(key, trigger.encode(), lease=lease.id))
        result = await self._store.txn(
            compares=[created_at(run_key, run.fence)], puts=puts, deletes=[run_key]
        )
        return result.succeeded

    # --- ticks nobody started (situations 23, 34, 35) ---

    async def _account_for_missed(self) -> None:
        """Look at each job when its next undecided tick is past its deadline; only then."""
        now = self._clock.now()
        self._plan_checks()
        again: list[tuple[float, str, int]] = []
        while self._checks and self._checks[0][0] <= now.timestamp():
            _, uid, revision = heapq.heappop(self._checks)
            row = self._jobs.by_uid(uid)
            if row is None or row.revision != revision:
                continue
            await self._account_for(row, now)
            at = self._next_check(row, now)
            if at is not None:
                again.append((at, uid, revision))
        for check in again:
            heapq.heappush(self._checks, check)

    def _plan_checks(self) -> None:
        """Take in jobs that are new or were changed since the last round."""
        now = self._clock.now()
        seen: dict[str, int] = {}
        for row in self._jobs.rows():
            uid = row.uid
            if uid is None:
                continue
            seen[uid] = row.revision
            if self._checked.get(uid) != row.revision:
                at = self._next_check(row, now)
                if at is not None:
                    heapq.heappush(self._checks, (at, uid, row.revision))
        self._checked = seen

    def _next_check(self, row: JobRow, now: datetime) -> float | None:
        """When the job's next undecided tick will be past its deadline and the workers' own time."""
        spec = row.spec
        timing = timing_of(spec) if spec is not None else None
        cursor = self._cursors.cursor(spec.uid) if spec is not None else None
        if spec is None or timing is None:
            return None
        if cursor is None:
            return now.timestamp() + _INTERVAL_S
        tick = timing.next_tick(timing.base(cursor))
        if tick is None:
            return None
        due_at = tick + timing.offset + spec.start_deadline_s + _MISSED_GRACE.total_seconds()
        return max(due_at, now.timestamp() + _INTERVAL_S)

    async def _account_for(self, row: JobRow, now: datetime) -> None:
        spec = row.spec
        timing = timing_of(spec) if spec is not None else None
        cursor = self._cursors.cursor(spec.uid) if spec is not None else None
        if spec is None or timing is None or cursor is None:
            return
        then = now - _MISSED_GRACE
        plan = undecided(spec, timing, cursor, then, reason=Reason.DEADLINE)
        missed = final_misses(plan.missed, plan.due[0] if plan.due else None)
        if missed is None:
            return
        was_cut_off = self._cut_off_until is not None and self._cut_off_until >= from_epoch_s(missed.first)
        reason = why_nobody_started(spec, self._roster.live(), self._runs.on_worker, was_cut_off=was_cut_off)
        missed = missed.model_copy(update={"reason": reason})
        expires_at = now + timedelta(days=spec.retention_days)
        await self._records.write([missed_row(spec, missed, now=now, expires_at=expires_at, by=self._name)])
        cursor_key = self._keys.cursor(spec.uid)
        result = await self._store.txn(
            compares=[
                modified_at(self._keys.job(spec.namespace, spec.name), row.revision),
                value_is(cursor_key, encode_cursor(from_epoch_s(cursor))),
            ],
            puts=[Put(cursor_key, encode_cursor(from_epoch_s(missed.last)))],
        )
        if result.succeeded:
            self.missed += missed.count
            log.warning(
                "tick.missed",
                job=spec.qualified_name,
                first=missed.first,
                count=missed.count,
                reason=reason.value,
            )

    # --- what deleted jobs left ---

    async def _sweep_orphans(self) -> None:
        """Delete cursors of jobs that are gone: seen twice, because a new job's keys arrive by two feeds."""
        known = {row.uid for row in self._jobs.rows()}
        if any(row.quarantined for row in self._jobs.rows()):
            # The uid of a job that cannot be read is not known, and its cursor must survive the repair.
            self._orphans = set()
            return
        orphans = self._cursors.uids() - known
        for uid in orphans & self._orphans:
            key = self._keys.cursor(uid)
            found = (await self._store.txn(reads=[key])).reads[key]
            if found is not None:
                await self._store.txn(
                    compares=[modified_at(key, found.mod_revision), absent(self._keys.lock(uid))],
                    deletes=[key],
                )
                log.info("cursor.removed", uid=uid)
        self._orphans = orphans


def _real_outcome(stored: Document | None, fence: int) -> Status | None:
    """The outcome the worker itself recorded for this claim, if it did."""
    if stored is None or stored.get("fence") != fence:
        return None
    try:
        status = Status(stored.get("status", ""))
    except ValueError:
        return None
    return status if status.is_terminal and status is not Status.LOST else None
