"""History against the marks: is there a record of everything that ran, and nothing else, and is it true?

Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from common.domain.execution import Reason, Status
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from tests.faults.evidence import Document, Evidence
from tests.faults.runs import Run

_OUTCOMES: Final = frozenset(status.value for status in Status if status.is_terminal)
#: A command that wrote its end may be overtaken by a kill before it has exited; more than this is no race.
_EXIT_RACE_S: Final = 2.0
#: A command that a signal ended this soon need not have come to its first line.
_FIRST_MARK_MS: Final = 500

Complaint = tuple[str, str, str]


def judge_records(
    spec: JobSpec, runs: Sequence[Run], evidence: Evidence, orphan_after_s: float, settle_s: float
) -> Iterator[Complaint]:
    """Complaints about one job's records, as (kind, execution, detail)."""
    for run in runs:
        if str(run.execution) in evidence.alive:
            yield "orphan", str(run.execution), f"pid {run.pid} on {run.host} is still alive"
    if evidence.executions is None:
        return
    settled = evidence.until - settle_s
    by_execution: dict[str, Run] = {}
    for run in runs:
        by_execution.setdefault(str(run.execution), run)
    for key, run in by_execution.items():
        longest_s = spec.timeout_s + spec.kill_grace_s if spec.timeout_s else float("inf")
        if run.over_at + (longest_s if run.is_open else 0) <= settled:
            document = evidence.executions.get(key)
            yield from _judge_run(key, run, document, orphan_after_s, _has_stalled(run, evidence))
    yield from _judge_phantoms(spec, by_execution, evidence.executions)


def _judge_run(
    key: str, run: Run, document: Document | None, orphan_after_s: float, stood_still: bool
) -> Iterator[Complaint]:
    if document is None:
        yield "record_lost", key, f"ran on {run.host} pid {run.pid}, and history does not know it"
        return
    status = document["status"]
    if status not in _OUTCOMES:
        yield "status_mismatch", key, f"is over since {run.over_at:.0f}, and history says {status}"
        return
    if status == Status.SUCCEEDED and run.ended_at is None:
        yield "status_mismatch", key, "succeeded, and the command never wrote its end"
    duration_ms, sign_at = document.get("duration_ms"), run.last_sign_at
    if duration_ms is None or sign_at is None:
        return
    # Counted from the start: the clock of a host may be stepped while its command runs.
    closed_at = run.true_started_at + duration_ms / 1000
    if sign_at > closed_at + orphan_after_s and status != Status.LOST:
        yield "orphan", key, f"lived {sign_at - closed_at:.1f} s longer than its record ({status})"
    stopped = status in (Status.KILLED, Status.TIMED_OUT)
    # A worker that stood still after its TERM learns late that the command has ended.
    if stopped and not stood_still and run.ended_at is not None and sign_at + _EXIT_RACE_S < closed_at:
        yield "status_mismatch", key, f"{status}, {closed_at - sign_at:.1f} s after the command had ended"


def _has_stalled(run: Run, evidence: Evidence) -> bool:
    return evidence.stood_still(run.host, run.true_started_at, run.over_at)


def _judge_phantoms(
    spec: JobSpec, runs: Mapping[str, Run], executions: Mapping[str, Document]
) -> Iterator[Complaint]:
    for key, document in executions.items():
        if ExecutionId.parse(key).uid != spec.uid or key in runs:
            continue
        started = document.get("started_at") is not None or document["status"] == Status.SUCCEEDED
        if _ended_before_its_mark(document):
            continue
        if started and document.get("reason") not in (Reason.BEFORE_START, Reason.SPAWN):
            yield "record_phantom", key, f"history says {document['status']}, and nothing ever started"


def _ended_before_its_mark(document: Document) -> bool:
    duration_ms = document.get("duration_ms")
    return document.get("signal") is not None and duration_ms is not None and duration_ms < _FIRST_MARK_MS
