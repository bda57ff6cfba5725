"""Why a tick ran, did not run, or where it will run: facts in, one sentence out.

Pure. What has been recorded decides; without a record the schedule, the job's times and the workers speak.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from common.domain.execution import LedgerKind, Reason, Status
from common.domain.job import JobSpec
from common.domain.records import Document
from common.domain.schedule import Schedule


class Verdict(StrEnum):
    """What became of a tick."""

    RAN = "ran"
    RUNNING = "running"
    SKIPPED = "skipped"
    MISSED = "missed"
    FUTURE = "future"
    NOT_EXPECTED = "not_expected"
    """The job has no such tick, or dropped it by its own settings."""
    UNKNOWN = "unknown"
    """It should have a record and has none (yet)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live worker, in the order in which they try; `reason` says why it may not run the job."""

    worker: str
    eligible: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    verdict: Verdict
    sentence: str
    facts: list[str] = field(default_factory=list)


_WHY_SKIPPED = {
    Reason.OVERLAP: "the execution before it was still running",
    Reason.CHANGED: "the job was changed between its claim and its start",
    Reason.PAUSED: "the job was disabled or paused at that time",
}
_WHY_MISSED = {
    Reason.DEADLINE: "it could not be started within its start deadline",
    Reason.DOWNTIME: "it was older than the catch-up policy allows when the scheduler came back",
    Reason.NO_WORKER: "no live worker fitted the job's target and executor",
    Reason.NO_SLOT: "every worker that fitted was full",
    Reason.COORDINATION: "etcd could not be reached",
    Reason.CLOCK: "the clock of the worker could not be trusted",
    Reason.REPLACED: "several ticks were due at once, and the newest one took their place",
}
_HOW_ENDED = {
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.TIMED_OUT: "was stopped at its time limit",
    Status.KILLED: "was killed",
    Status.LOST: "was lost: nobody knows how it ended",
}


def explain_tick(
    spec: JobSpec,
    schedule: Schedule | None,
    tick: datetime,
    *,
    now: datetime,
    execution: Document | None,
    ledger: Document | None,
    candidates: Sequence[Candidate],
    closed_by: str | None = None,
) -> Explanation:
    """
    What became of *tick*, or will.

    Args:
        execution: The stored execution of the tick, if there is one (see `execution_views`).
        ledger: The stored row whose span contains the tick, if there is one.
        candidates: The live workers in the order in which they try.
        closed_by: The worker whose claim of the tick was seen to end; its record follows within seconds.
    """
    if execution is not None:
        return _of_execution(execution)
    if ledger is not None:
        return _of_ledger_row(ledger)
    dropped = _why_not_expected(spec, schedule, tick)
    if dropped is not None:
        return Explanation(Verdict.NOT_EXPECTED, f"This tick does not run: {dropped}.")
    if tick > now:
        return _of_future(candidates)
    return _without_record(spec, tick, now, closed_by)


def _of_execution(execution: Document) -> Explanation:
    status = Status(execution["status"])
    facts = _execution_facts(execution)
    if not status.is_terminal:
        word = "is about to start" if status is Status.CLAIMED else "runs now"
        return Explanation(Verdict.RUNNING, f"It {word} on {execution['worker']}.", facts)
    reason = f" ({execution['reason']})" if execution.get("reason") else ""
    return Explanation(
        Verdict.RAN, f"It ran on {execution['worker']} and {_HOW_ENDED[status]}{reason}.", facts
    )


def _execution_facts(execution: Document) -> list[str]:
    facts = [f"attempt {execution['attempt']}, started because of: {execution['cause']}"]
    if execution.get("lateness_ms") is not None:
        facts.append(f"started {execution['lateness_ms']} ms after its tick")
    if execution.get("queued_ms") is not None:
        facts.append(f"waited {execution['queued_ms']} ms for the execution before it")
    if execution.get("duration_ms") is not None:
        facts.append(f"took {execution['duration_ms']} ms")
    if execution.get("exit_code") is not None:
        facts.append(f"exit code {execution['exit_code']}")
    if execution.get("error"):
        facts.append(str(execution["error"]))
    return facts


def _of_ledger_row(row: Document) -> Explanation:
    skipped = row["kind"] == LedgerKind.SKIPPED.value
    reason = Reason(row["reason"])
    why = (_WHY_SKIPPED if skipped else _WHY_MISSED).get(reason, reason.value.replace("_", " "))
    facts = []
    if row.get("blocked_by"):
        facts.append(f"execution {row['blocked_by']} was in the way")
    if row.get("detail"):
        facts.append(str(row["detail"]))
    if row.get("count", 1) > 1 or not row.get("count_is_exact", True):
        count = f"{row['count']}" if row.get("count_is_exact", True) else f"at least {row['count']}"
        facts.append(f"one of {count} ticks in a row with the same fate")
    if row.get("recorded_by"):
        facts.append(f"recorded by {row['recorded_by']}")
    if skipped:
        return Explanation(Verdict.SKIPPED, f"It was skipped on purpose: {why}.", facts)
    return Explanation(Verdict.MISSED, f"It was missed: {why}.", facts)


def _why_not_expected(spec: JobSpec, schedule: Schedule | None, tick: datetime) -> str | None:
    if schedule is None:
        return "the job has no schedule and runs only when somebody asks"
    if schedule.next_after(tick - timedelta(seconds=1)) != tick:
        return f"the schedule {schedule.text!r} has no tick at that instant"
    if tick <= spec.changed_at:
        return (
            "it lies before the present version of the job was saved, and nothing is recorded of it "
            "(its record may have expired)"
        )
    if not spec.enabled:
        return "the job is disabled"
    if spec.is_paused_at(tick):
        return "the job is paused or out of its first and last day at that time"
    return None


def _of_future(candidates: Sequence[Candidate]) -> Explanation:
    able = [candidate.worker for candidate in candidates if candidate.eligible]
    if not able:
        reasons = [f"{found.worker}: {found.reason}" for found in candidates]
        return Explanation(
            Verdict.FUTURE,
            "No live worker may run it at present: unless one comes, it will be missed.",
            reasons or ["no worker is online"],
        )
    others = able[1:3]
    facts = [f"if it is full or gone: {', then '.join(others)}"] if others else ["no other worker may run it"]
    return Explanation(Verdict.FUTURE, f"{able[0]} will try first.", facts)


def _without_record(spec: JobSpec, tick: datetime, now: datetime, closed_by: str | None) -> Explanation:
    if closed_by is not None:
        return Explanation(Verdict.UNKNOWN, f"{closed_by} has closed it; the record of it is under way.")
    age = now - tick
    if age <= timedelta(seconds=spec.start_deadline_s):
        return Explanation(
            Verdict.UNKNOWN,
            "It has come due and nothing is recorded of it yet; it may still start.",
            [f"start deadline: {spec.start_deadline_s} s, passed: {int(age.total_seconds())} s"],
        )
    return Explanation(
        Verdict.UNKNOWN,
        "It came due and nothing is recorded of it: the record may be under way, or may have expired.",
    )
