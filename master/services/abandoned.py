"""Closes the executions of sessions that ended (situations 18 to 21).

Looks when a session ends, when its grace is over, and every five seconds for what no event told of. So an
execution is recorded as lost some seconds after its worker's lease, and not two rounds later.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from common.domain.accounts import lost_record, missed_row
from common.domain.codec import WorkerHealth
from common.domain.errors import STORE_FAILURES
from common.domain.execution import Status
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.domain.records import Document, Record
from common.domain.retry import next_retry
from common.kv.port import KeyValueStore
from common.kv.values import Change, Put, created_at
from common.runtime.clock import Clock
from common.runtime.wakeup import Wakeup
from master.domain.reconcile import has_session_ended, is_abandoned
from master.services.job_view import JobView
from master.services.live_runs import LiveRun, LiveRuns
from master.services.roster import Roster

log: Final = structlog.get_logger(__name__)

_INTERVAL_S: Final = 5.0
#: Clocks round: a timer may go off a hair before the grace is over.
_LEAST_PAUSE_S: Final = 0.05
#: A session that has just ended may belong to a worker that registers anew and adopts its executions.
_GRACE_S: Final = 4.0
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


class AbandonedRuns:
    """
    Finds executions nobody runs any more, and closes them.

    Attributes:
        closed: How many, for /metrics.
    """

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        clock: Clock,
        jobs: JobView,
        runs: LiveRuns,
        roster: Roster,
        records: RecordWriter,
        history: ExecutionLookup,
        *,
        name: str,
    ) -> None:
        self.closed = 0
        self._store = store
        self._keys = keyspace
        self._clock = clock
        self._jobs = jobs
        self._runs = runs
        self._roster = roster
        self._records = records
        self._history = history
        self._name = name
        self._since_s: dict[str, float] = {}
        self._session_ended = Wakeup()
        roster.on_health(self._hear)

    async def run(self) -> None:
        """Close what is abandoned, for ever."""
        while True:
            await self._until_next_look()
            if not (self._jobs.is_current and self._runs.is_current and self._roster.is_current):
                continue
            try:
                await self._look()
            except STORE_FAILURES as error:
                log.debug("reconcile.postponed", what="abandoned", error=str(error))

    def _hear(
        self, _worker_id: str, before: WorkerHealth | None, after: WorkerHealth | None, _change: Change
    ) -> None:
        if has_session_ended(before, after):
            self._session_ended.set()

    async def _until_next_look(self) -> None:
        if await self._session_ended.wait(self._pause_s()):
            self._session_ended.clear()

    def _pause_s(self) -> float:
        """Until the next grace is over; what could not be closed after its own waits for the interval."""
        now_s = self._clock.uptime_s()
        rests = (since_s + _GRACE_S - now_s for since_s in self._since_s.values())
        return max(min((rest_s for rest_s in rests if rest_s > 0), default=_INTERVAL_S), _LEAST_PAUSE_S)

    async def _look(self) -> None:
        health = {worker.worker: worker for worker in self._roster.live()}
        now_s = self._clock.uptime_s()
        abandoned = {
            f"{run.execution}/{run.record.session}": run
            for run in self._runs.all()
            if is_abandoned(run.record, health.get)
        }
        self._since_s = {key: self._since_s.get(key, now_s) for key in abandoned}
        for key, run in abandoned.items():
            if now_s - self._since_s[key] >= _GRACE_S:
                await self._close(run)

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


def _real_outcome(stored: Document | None, fence: int) -> Status | None:
    """The outcome the worker itself recorded for this claim, if it did."""
    if stored is None or stored.get("fence") != fence:
        return None
    try:
        status = Status(stored.get("status", ""))
    except ValueError:
        return None
    return status if status.is_terminal and status is not Status.LOST else None
