"""Runs of commands, put together from their marks, and whether two of one job ran at a time.

Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from tests.faults.evidence import Document, Frozen, Mark, Phase, seconds_of


@dataclass(slots=True)
class Run:
    """
    One process of one execution.

    Attributes:
        started_at: By the clock of its host; `true_started_at` by the observer's, where that is known.
        ended_at: When the command wrote its end, by the observer's clock; None if it never came to that.
        gone_at: When its process was seen dead, likewise.
        last_sign_at: The later of the two.
        closed_at: When its record says it was over.
    """

    execution: ExecutionId
    host: str
    pid: int
    started_at: float
    true_started_at: float
    ended_at: float | None = None
    gone_at: float | None = None
    last_sign_at: float | None = None
    closed_at: float | None = None

    @property
    def over_at(self) -> float:
        """The latest moment at which it is known to have run, or to be over."""
        for known in (self.gone_at, self.ended_at, self.closed_at):
            if known is not None:
                return max(known, self.true_started_at)
        return self.true_started_at

    @property
    def is_open(self) -> bool:
        """Nothing is known of its end: it may run still."""
        return self.gone_at is None and self.ended_at is None and self.closed_at is None

    @property
    def duration_s(self) -> float:
        return self.over_at - self.true_started_at


def runs_of(marks: Sequence[Mark], executions: Mapping[str, Document] | None) -> dict[str, list[Run]]:
    """Runs by the uid of their job, in order of their start."""
    runs: dict[tuple[str, str, int], Run] = {}
    for mark in sorted(marks, key=lambda mark: (mark.seen_at, mark.phase is not Phase.START)):
        key = (mark.execution, mark.host, mark.pid)
        if mark.phase is Phase.START:
            execution = ExecutionId.parse(mark.execution)
            runs[key] = Run(execution, mark.host, mark.pid, mark.at, mark.seen_at)
        elif key in runs:
            runs[key].last_sign_at = mark.seen_at
            if mark.phase is Phase.END:
                runs[key].ended_at = mark.seen_at
            else:
                runs[key].gone_at = mark.seen_at
    by_uid: dict[str, list[Run]] = {}
    for run in runs.values():
        document = (executions or {}).get(str(run.execution))
        run.closed_at = seconds_of(document.get("finished_at")) if document else None
        by_uid.setdefault(run.execution.uid, []).append(run)
    return by_uid


def judge_overlaps(
    spec: JobSpec, runs: Sequence[Run], frozen: Sequence[Frozen]
) -> Iterator[tuple[str, str, str]]:
    """Pairs of runs of an exclusive job that ran at a time, as (kind, execution, detail)."""
    if not spec.is_exclusive:
        return
    longest: Run | None = None
    for run in sorted(runs, key=lambda run: run.true_started_at):
        if (
            longest is not None
            and run.true_started_at < longest.over_at
            and run.execution != longest.execution
        ):
            by_s = min(longest.over_at, run.over_at) - run.true_started_at
            flagged = any(_stood_still(frozen, other) for other in (run, longest))
            kind = "overlap_frozen" if flagged else "overlap"
            detail = f"ran beside {longest.execution} ({longest.host}, {run.host}) for {by_s:.3f} s"
            yield kind, str(run.execution), detail
        if longest is None or run.over_at > longest.over_at:
            longest = run


def _stood_still(frozen: Sequence[Frozen], run: Run) -> bool:
    return any(
        still.host == run.host and still.since <= run.over_at and run.true_started_at <= still.until
        for still in frozen
    )
