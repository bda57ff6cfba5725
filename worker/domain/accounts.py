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
    return _record(
        assignment,
        seq=Seq.STARTED,
        status=Status.RUNNING,
        recorded_at=started_at,
        started_at=started_at,
        lateness_ms=lateness_ms(assignment, started_at),
    )


def final_record(assignment: Assignment, report: RunReport) -> ExecutionRecord:
    """The record of an execution that has ended."""
    return _record(
        assignment,
        seq=Seq.FINISHED,
        status=report.status,
        recorded_at=report.finished_at,
        started_at=report.started_at,
        lateness_ms=lateness_ms(assignment, report.started_at) if report.started_at else None,
        report=report,
    )


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
    assignment: Assignment,
    *,
    seq: Seq,
    status: Status,
    recorded_at: datetime,
    started_at: datetime | None,
    lateness_ms: int | None,
    report: RunReport | None = None,
) -> ExecutionRecord:
    spec = assignment.spec
    return ExecutionRecord(
        execution_id=str(assignment.execution),
        namespace=spec.namespace,
        job=spec.name,
        uid=spec.uid,
        tick=assignment.execution.tick_s,
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
        lateness_ms=lateness_ms,
        queued_ms=assignment.queued_ms,
        flags=assignment.flags,
        reason=report.reason if report else None,
        error=report.error if report else None,
        finished_at=report.finished_at if report else None,
        duration_ms=report.duration_ms if report else None,
        exit_code=report.exit_code if report else None,
        signal=report.signal if report else None,
        cpu_ms=report.cpu_ms if report else None,
        max_rss_kb=report.max_rss_kb if report else None,
        out=report.out if report else None,
        truncated=report.truncated if report else False,
        kill_requested=report.kill_requested if report else None,
        kill_incomplete=report.kill_incomplete if report else (),
    )
