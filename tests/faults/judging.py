"""What became of every tick: expected ticks against the marks of the commands and the records.

Pure. A tick takes the earliest unused start that names it in `[tick - 50 ms, tick + deadline]`, else the
first that names it at all. A start is never matched with a tick it does not name: with jobs that run more
often than their deadline is long, one missed tick would shift all that follow. Ticks younger than the
deadline plus the longest duration are left alone: their story is not over.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from common.domain.execution import Cause, Status
from common.domain.ids import ExecutionId, from_epoch_s
from common.domain.job import JobSpec
from common.domain.policy import CatchUp, Overlap
from common.domain.schedule import jitter_offset_s, parse_schedule, typical_interval_s
from tests.faults.evidence import Document, Evidence, JobVersion
from tests.faults.records import judge_records
from tests.faults.runs import Run, judge_overlaps, runs_of

MAX_CATCH_UP_S: Final = 3600
#: A command that a worker finds fenced when it wakes is killed without grace.
_AT_ONCE_S: Final = 0.1


class Kind(StrEnum):
    """What a tick, a start or a record turned out to be."""

    OK = "ok"
    """Started within its window."""
    LATE = "late"
    """Started after its start deadline; a violation when no policy of the job allows that."""
    ACCOUNTED = "accounted"
    """Did not start, and a record says why."""
    EXCUSED = "excused"
    """Need not have started: its job was changed or deleted at that time."""
    MISSED = "missed"
    """Neither a start nor a record: the one thing that must never happen."""
    DUPLICATE = "duplicate"
    UNSCHEDULED = "unscheduled"
    EARLY = "early"
    OVERLAP = "overlap"
    OVERLAP_FROZEN = "overlap_frozen"
    """Overlap with the command of a worker that stood still past its lease: counted, not a violation."""
    ORPHAN = "orphan"
    RECORD_LOST = "record_lost"
    RECORD_PHANTOM = "record_phantom"
    STATUS_MISMATCH = "status_mismatch"


HARMLESS: Final = frozenset({Kind.OK, Kind.LATE, Kind.ACCOUNTED, Kind.EXCUSED, Kind.OVERLAP_FROZEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    How strictly to look.

    Attributes:
        early_s: A start may come this much before its tick by the clock of its own host.
        clock_bound_s: How far the clock of a host may be off while it still takes ticks.
        change_grace_s: A tick this shortly before a change or deletion of its job need not have started.
        orphan_after_s: A command may live this much longer than its record says.
        accounting_s: How much longer than its deadline a tick may wait for an account of it.
        settle_s: Records may be open for this long before the end of the observation.
        claim_ahead_s: A tick may be claimed this much early; a change after that may come too late.
        news_s: How long the news of a change may take to a worker that has claimed a tick ahead.
    """

    early_s: float = 0.05
    clock_bound_s: float = 0.0
    change_grace_s: float = 5.0
    orphan_after_s: float = 5.0
    accounting_s: float = 0.0
    settle_s: float = 60.0
    claim_ahead_s: float = 1.0
    news_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth telling; `is_violation` makes the verdict fail."""

    kind: Kind
    job: str
    what: str
    detail: str
    is_violation: bool = True

    def __str__(self) -> str:
        return f"{self.kind}: {self.job} {self.what}: {self.detail}"


@dataclass(slots=True)
class Verdict:
    """Counts of every kind, how late the starts were (ms, sorted), and what is worth telling."""

    counts: Counter[Kind] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    lateness_ms: list[int] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def violations(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_violation]

    def add(
        self, kind: Kind, spec: JobSpec, what: str, detail: str, *, is_violation: bool | None = None
    ) -> None:
        self.counts[kind] += 1
        fails = kind not in HARMLESS if is_violation is None else is_violation
        self.findings.append(Finding(kind, spec.qualified_name, what, detail, fails))


def judge(evidence: Evidence, rules: Rules | None = None) -> Verdict:
    """Classify every expected tick, every start and, when records are given, every record."""
    rules = rules or Rules()
    verdict = Verdict()
    accounts = _Accounts(evidence)
    for uid, versions in _by_uid(evidence.versions).items():
        _judge_job(versions, accounts.runs.get(uid, []), accounts, evidence, rules, verdict)
    _judge_strangers(accounts.runs, evidence, verdict)
    return verdict


def expected_ticks(version: JobVersion, *, since: float, until: float) -> list[int]:
    """Ticks of *version* in (*since*, *until*], in epoch seconds, without those of a paused job."""
    spec = version.spec
    if spec.schedule is None:
        return []
    schedule = parse_schedule(spec.schedule, spec.timezone, uid=spec.uid, anchor=spec.created_at)
    last = until if version.until is None else min(until, version.until)
    at = max(spec.changed_at, datetime.fromtimestamp(since, spec.changed_at.tzinfo))
    ticks = []
    while (tick := schedule.next_after(at)) is not None and tick.timestamp() <= last:
        if not spec.is_paused_at(tick):
            ticks.append(int(tick.timestamp()))
        at = tick
    return ticks


def latest_start_s(spec: JobSpec, around: datetime) -> float:
    """Seconds after a tick until which a policy of the job allows it to start."""
    latest = float(spec.start_deadline_s)
    if spec.overlap is Overlap.REPLACE:
        latest += spec.kill_grace_s
    if spec.catch_up is not CatchUp.NONE or spec.overlap is Overlap.QUEUE_ONE:
        latest = max(latest, catch_up_window_s(spec, around))
    return latest + jitter_offset_s(spec.uid, spec.jitter_s)


def catch_up_window_s(spec: JobSpec, around: datetime) -> int:
    """The job's own window, or the smaller of its interval and an hour."""
    if spec.catch_up_window_s is not None:
        return spec.catch_up_window_s
    assert spec.schedule is not None
    schedule = parse_schedule(spec.schedule, spec.timezone, uid=spec.uid, anchor=spec.created_at)
    return min(MAX_CATCH_UP_S, typical_interval_s(schedule, around))


class _Accounts:
    """The evidence by job and tick."""

    def __init__(self, evidence: Evidence) -> None:
        self.runs = runs_of(evidence.marks, evidence.executions)
        self._spans: dict[str, list[tuple[int, int, Document]]] = {}
        for row in evidence.ledger:
            if row.get("trigger"):
                continue  # about something that was asked for, not about a tick
            span = (int(row["tick"]), int(row.get("last_tick") or row["tick"]), row)
            self._spans.setdefault(row["uid"], []).append(span)
        self._knows_records = evidence.executions is not None
        self._records = evidence.executions or {}
        self._executions: dict[tuple[str, int], Document] = {}
        for key, document in (evidence.executions or {}).items():
            execution = ExecutionId.parse(key)
            if execution.tick_s is not None:
                self._executions.setdefault((execution.uid, execution.tick_s), document)

    def why_not_started(self, uid: str, tick: int) -> str | None:
        """The reason a record gives for a tick without a start."""
        if (row := self.ledger_row(uid, tick)) is not None:
            return f"{row['kind']}: {row['reason']}"
        document = self._executions.get((uid, tick))
        return f"{document['status']}: {document.get('reason', '')}" if document is not None else None

    def is_second(self, row: Document, run: Run) -> bool:
        """
        Whether *row* is another account of the tick of *run* than its record.

        A row is durable before the cursor moves. Should somebody else take the tick, the record of that
        execution replaces the row that begins there; the end of a longer span may reach over such a tick.
        """
        execution = run.execution
        if execution.tick_s is None or int(row["tick"]) != execution.tick_s:
            return False
        return not self._knows_records or (execution.uid, execution.tick_s) in self._executions

    def was_queued(self, run: Run) -> bool:
        """Whether its tick had been taken, and waited for the execution before."""
        return bool(self._records.get(str(run.execution), {}).get("cause") == Cause.QUEUED)

    def was_stopped_at_once(self, run: Run) -> bool:
        """
        Whether the start of *run* was under way when its worker froze.

        It is made when the worker wakes, and finds itself fenced: killed without grace, recorded as lost.
        """
        is_lost = self._records.get(str(run.execution), {}).get("status") == Status.LOST
        return is_lost and run.gone_at is not None and run.duration_s <= _AT_ONCE_S

    def ledger_row(self, uid: str, tick: int) -> Document | None:
        for first, last, row in self._spans.get(uid, ()):
            if first <= tick <= last:
                return row
        return None


def _by_uid(versions: Iterable[JobVersion]) -> dict[str, list[JobVersion]]:
    jobs: dict[str, list[JobVersion]] = {}
    for version in versions:
        jobs.setdefault(version.spec.uid, []).append(version)
    return jobs


def _judge_job(
    versions: Sequence[JobVersion],
    runs: Sequence[Run],
    accounts: _Accounts,
    evidence: Evidence,
    rules: Rules,
    verdict: Verdict,
) -> None:
    spec = versions[-1].spec
    _judge_duplicates(spec, runs, verdict)
    unused = _FirstStarts(runs)
    longest_s = max((run.duration_s for run in runs), default=0.0)
    for version in versions:
        patience_s = version.spec.start_deadline_s + longest_s + rules.accounting_s
        # Starts of ticks whose story is not over are taken as well, or they would look unscheduled.
        for tick in expected_ticks(version, since=evidence.since, until=evidence.until + rules.early_s + 5):
            is_judged = tick + patience_s <= evidence.until
            _judge_tick(version, tick, unused, accounts, rules, verdict, is_judged=is_judged)
    for run in unused.rest():
        if run.execution.tick_s is not None and run.execution.tick_s > evidence.since:
            if _came_before_change(run, versions, rules, was_queued=accounts.was_queued(run)):
                verdict.counts[Kind.OK] += 1
                continue
            detail = f"no version of the job has this tick; started {_clock(run.started_at)} on {run.host}"
            verdict.add(Kind.UNSCHEDULED, spec, str(run.execution), detail)
    for kind, what, detail in judge_overlaps(spec, runs, evidence.frozen):
        verdict.add(Kind(kind), spec, what, detail)
    for kind, what, detail in judge_records(spec, runs, evidence, rules.orphan_after_s, rules.settle_s):
        verdict.add(Kind(kind), spec, what, detail)


def _judge_tick(
    version: JobVersion,
    tick: int,
    unused: "_FirstStarts",
    accounts: _Accounts,
    rules: Rules,
    verdict: Verdict,
    *,
    is_judged: bool,
) -> None:
    spec = version.spec
    due = tick + jitter_offset_s(spec.uid, spec.jitter_s)
    deadline = due + spec.start_deadline_s + rules.clock_bound_s
    run = unused.take(tick, due - rules.early_s - rules.clock_bound_s, deadline)
    name = f"{spec.uid}.{tick}"
    if run is not None:
        _judge_start(spec, tick, due, deadline, run, accounts, rules, verdict)
        row = accounts.ledger_row(spec.uid, tick)
        if row is not None and accounts.is_second(row, run):
            detail = f"started, and the ledger says {row['kind']}: {row['reason']}"
            verdict.add(Kind.STATUS_MISMATCH, spec, name, detail)
    elif not is_judged:
        return
    elif (reason := accounts.why_not_started(spec.uid, tick)) is not None:
        verdict.counts[Kind.ACCOUNTED] += 1
        verdict.reasons[reason] += 1
    elif version.until is not None and tick >= version.until - rules.change_grace_s:
        verdict.counts[Kind.EXCUSED] += 1
    elif spec.generation > 1 and tick <= spec.changed_at.timestamp() + rules.claim_ahead_s:
        # Ticks of a new version count from the cursor, and a claim taken ahead had moved it (row 27).
        verdict.counts[Kind.EXCUSED] += 1
    else:
        verdict.add(Kind.MISSED, spec, name, f"due {_clock(due)}: no start and no record")


def _came_before_change(run: Run, versions: Sequence[JobVersion], rules: Rules, *, was_queued: bool) -> bool:
    """The tick was claimed before the change and started before its host heard of that, or was queued."""
    tick = run.execution.tick_s or 0
    return any(
        version.until is not None
        and version.until < tick <= version.until + rules.clock_bound_s + rules.claim_ahead_s
        and (was_queued or run.true_started_at <= version.until + rules.news_s)
        for version in versions
    )


def _judge_start(
    spec: JobSpec,
    tick: int,
    due: int,
    deadline: float,
    run: Run,
    accounts: _Accounts,
    rules: Rules,
    verdict: Verdict,
) -> None:
    name = str(run.execution)
    verdict.lateness_ms.append(round((run.true_started_at - due) * 1000))
    if (
        run.started_at < due - rules.early_s
        or run.true_started_at < due - rules.early_s - rules.clock_bound_s
    ):
        ahead_s = due - min(run.started_at, run.true_started_at)
        verdict.add(Kind.EARLY, spec, name, f"started {ahead_s:.3f} s before its tick on {run.host}")
    elif run.true_started_at > deadline:
        late_s = run.true_started_at - due
        allowed_s = latest_start_s(spec, from_epoch_s(tick)) + rules.clock_bound_s + spec.start_deadline_s
        is_violation = late_s > allowed_s and not accounts.was_stopped_at_once(run)
        verdict.add(Kind.LATE, spec, name, f"started {late_s:.1f} s late", is_violation=is_violation)
    else:
        verdict.counts[Kind.OK] += 1


class _FirstStarts:
    """The first attempts of one job's ticks that are not matched yet."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._named: dict[int, list[Run]] = {}
        for run in runs:
            if run.execution.tick_s is not None and run.execution.attempt == 1:
                self._named.setdefault(run.execution.tick_s, []).append(run)

    def take(self, tick: int, earliest: float, latest: float) -> Run | None:
        """The earliest start that names *tick*, preferably one within the window."""
        named = self._named.pop(tick, [])
        within = [run for run in named if earliest <= run.started_at <= latest]
        return (within or named or [None])[0]

    def rest(self) -> list[Run]:
        return [run for named in self._named.values() for run in named]


def _judge_duplicates(spec: JobSpec, runs: Sequence[Run], verdict: Verdict) -> None:
    seen: dict[ExecutionId, Run] = {}
    for run in runs:
        first = seen.setdefault(run.execution, run)
        if first is not run:
            detail = f"started on {first.host} pid {first.pid} and on {run.host} pid {run.pid}"
            verdict.add(Kind.DUPLICATE, spec, str(run.execution), detail)


def _judge_strangers(runs: Mapping[str, Sequence[Run]], evidence: Evidence, verdict: Verdict) -> None:
    known = {version.spec.uid for version in evidence.versions}
    for uid, started in runs.items():
        if uid not in known:
            verdict.counts[Kind.UNSCHEDULED] += len(started)
            detail = f"{len(started)} starts of a job that was never defined"
            verdict.findings.append(Finding(Kind.UNSCHEDULED, uid, str(started[0].execution), detail))


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, from_epoch_s(0).tzinfo).strftime("%H:%M:%S.%f")[:-3]
