"""What worker and master record alike: ticks nobody will start, and executions nobody runs any more.

Pure. Either of them may come first, and what is stored must not depend on who did.
"""

from datetime import datetime

from common.domain.codec import MissedTicks, RunRecord
from common.domain.execution import LedgerKind, Reason, Status
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from common.domain.records import ExecutionRecord, LedgerRow, Seq


def missed_row(
    spec: JobSpec, missed: MissedTicks, *, now: datetime, expires_at: datetime, by: str
) -> LedgerRow:
    """The ledger row of ticks nobody may start any more."""
    return LedgerRow(
        namespace=spec.namespace,
        job=spec.name,
        uid=spec.uid,
        tick=missed.first,
        last_tick=missed.last,
        count=missed.count,
        count_is_exact=missed.count_is_exact,
        kind=LedgerKind.MISSED,
        reason=missed.reason,
        generation=spec.generation,
        recorded_at=now,
        expires_at=expires_at,
        recorded_by=by,
    )


def lost_record(
    execution: ExecutionId,
    record: RunRecord,
    *,
    fence: int,
    was_started: bool,
    now: datetime,
    expires_at: datetime,
) -> ExecutionRecord:
    """The record of an execution whose worker is gone; the owner's own word still replaces it."""
    return ExecutionRecord(
        execution_id=str(execution),
        namespace=record.namespace,
        job=record.name,
        uid=execution.uid,
        tick=execution.tick_s,
        attempt=execution.attempt,
        cause=record.cause,
        worker=record.worker,
        session=record.session,
        fence=fence,
        seq=Seq.GIVEN_UP,
        status=Status.LOST,
        reason=Reason.WORKER_GONE if was_started else Reason.BEFORE_START,
        generation=record.generation,
        scheduled_at=record.scheduled_at,
        claimed_at=record.claimed_at,
        finished_at=now,
        recorded_at=now,
        expires_at=expires_at,
        requested_by=record.requested_by,
        parameters=record.parameters,
    )
