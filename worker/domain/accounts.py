"""From what happened to what is recorded: execution records and ledger rows.

Pure. One place computes lateness, retention and the order of records, so that the runner, the dispatcher and
the recovery after a crash cannot disagree.
"""

from datetime import datetime, timedelta

from common.domain.execution import LedgerKind, Reason, Status
from common.domain.job import JobSpec
from common.domain.records import ExecutionRecord, LedgerRow, Seq
from worker.domain.assignment import Assignment, RunReport


def expires_at(spec: JobSpec, now: datetime) -> datetime:
    """When history about *spec* that is written now may be deleted."""
    return now + timedelta(days=spec.retention_days)


def started_record(assignment: Assignment, started_at: datetime) -> ExecutionRecord:
    """The record of a command that runs."""
    return _record(assignment, Seq.STARTED, Status.RUNNING, started_at, started_at)


def final_record(
    assignment: Assignment, report: RunReport, *, is_start_recorded: bool = False
) -> ExecutionRecord:
    """The record of an execution that has ended; it tells of the start, too, if no other has."""
    record = _record(assignment, Seq.FINISHED, report.status, report.finished_at, report.started_at)
    record.reason = report.reason
    record.error = report.error
    record.finished_at = report.finished_at
    record.duration_ms = report.duration_ms
    record.exit_code = report.exit_code
    record.signal = report.signal
    record.cpu_ms = report.cpu_ms
    record.max_rss_kb = report.max_rss_kb
    record.out = report.out
    record.truncated = report.truncated
    record.kill_requested = report.kill_requested
    record.kill_incomplete = report.kill_incomplete
    record.tells_start = report.started_at is not None and not is_start_recorded
    return record


def lateness_ms(assignment: Assignment, started_at: datetime) -> int:
    """Milliseconds between the instant a command was to start and the instant it did; never negative."""
    return max(0, round((started_at - assignment.start_not_before).total_seconds() * 1000))


def skipped_row(
    spec: JobSpec,
    tick: int,
    reason: Reason,
    now: datetime,
    recorded_by: str,
    *,
    blocked_by: str | None = None,
    trigger: str | None = None,
) -> LedgerRow:
    """The row of a tick (or of a requested execution) that was deliberately not run."""
    return LedgerRow(
        namespace=spec.namespace,
        job=spec.name,
        uid=spec.uid,
        tick=tick,
        kind=LedgerKind.SKIPPED,
        reason=reason,
        generation=spec.generation,
        recorded_at=now,
        expires_at=expires_at(spec, now),
        recorded_by=recorded_by,
        blocked_by=blocked_by,
        trigger=trigger,
    )


def _record(
    assignment: Assignment, seq: Seq, status: Status, recorded_at: datetime, started_at: datetime | None
) -> ExecutionRecord:
    """What is known of *assignment* in every state of it."""
    spec = assignment.spec
    return ExecutionRecord(
        execution_id=assignment.id,
        namespace=spec.namespace,
        job=spec.name,
        uid=spec.uid,
        tick=assignment.tick_s,
        attempt=assignment.execution.attempt,
        cause=assignment.cause,
        worker=assignment.worker_id,
        session=assignment.session,
        fence=assignment.fence,
        seq=seq,
        status=status,
        generation=spec.generation,
        scheduled_at=assignment.scheduled_at,
        claimed_at=assignment.claimed_at,
        expires_at=assignment.expires_at,
        recorded_at=recorded_at,
        requested_by=assignment.requested_by,
        parameters=assignment.parameters,
        started_at=started_at,
        lateness_ms=lateness_ms(assignment, started_at) if started_at else None,
        queued_ms=assignment.queued_ms,
        flags=assignment.flags,
    )
