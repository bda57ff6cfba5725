"""What must hold after every simulation, whatever happened: the ten invariants, and recovery afterwards.

The oracle for ticks is the checker; what it cannot see from outside (leases, keys, statuses over time) is
looked at here. Each function returns what is wrong, in words that begin with the number of the invariant.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from common.domain.execution import Reason, Status
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from common.domain.policy import CatchUp
from common.domain.records import Seq
from common.domain.schedule import jitter_offset_s
from tests.faults.evidence import Phase
from tests.faults.judging import Finding, Kind, Rules, Verdict, expected_ticks
from tests.sim.clocks import EPOCH
from tests.sim.machine import Behaviour
from tests.sim.node import KEYS
from tests.sim.weather import busy_share
from tests.sim.world import CLOCK_BOUND_S, World

_NUMBERS: Final = {
    Kind.DUPLICATE: 1,
    Kind.OVERLAP: 2,
    Kind.MISSED: 3,
    Kind.RECORD_LOST: 4,
    Kind.RECORD_PHANTOM: 4,
    Kind.STATUS_MISMATCH: 4,
    Kind.ORPHAN: 6,
    Kind.UNSCHEDULED: 7,
    Kind.EARLY: 9,
    Kind.LATE: 9,
}
#: A claim may be taken this long before the tick, so a start may follow a change by that much at most.
_CLAIM_AHEAD_S: Final = 1.0
_LATE_IN_CALM_S: Final = 1.0
#: An execution whose command has ended is closed in the store within this long.
_CLOSED_WITHIN_S: Final = 5.0
#: How long a feed compares a full listing with its watch, and what the answers may take.
_COMPARED_WITHIN_S: Final = 8.0

STRICT: Final = Rules(clock_bound_s=CLOCK_BOUND_S, accounting_s=60.0)
#: While everything breaks nobody can say whether a change came before a tick was accounted for.
STORMY: Final = Rules(clock_bound_s=CLOCK_BOUND_S, change_grace_s=330.0, accounting_s=60.0)


def broken_invariants(
    w: World,
    rules: Rules = STRICT,
    *,
    calm_since: float | None = None,
    is_overloaded: bool = False,
    verdict: Verdict | None = None,
) -> list[str]:
    """
    Everything that is wrong.

    Args:
        calm_since: When the last fault was undone, in seconds.
        is_overloaded: The jobs need more slots than there are: ticks may be late, and missed for that.
        verdict: The checker's by *rules*, if it has been asked already.
    """
    verdict = verdict or w.judge(rules)
    wrong = [
        f"{_NUMBERS[finding.kind]} {finding}"
        for finding in verdict.violations
        if not _is_excused(w, finding) and not _waits_still(w, finding, is_overloaded)
    ]
    wrong += _final_documents(w)
    wrong += _output(w)
    wrong += [f"6 {text}" for text in w.lease_violations]
    wrong += _passed_ticks(w)
    wrong += _drift(w)
    wrong += _old_generations(w)
    wrong += _kills(w)
    if calm_since is not None:
        if not is_overloaded:
            wrong += _calm(w, calm_since)
        wrong += _leftovers(w)
    return wrong


def _is_excused(w: World, finding: Finding) -> bool:
    """The clock of a host was stepped: what it did within the second it takes to notice is its own time."""
    if finding.kind not in (Kind.EARLY, Kind.LATE):
        return False
    return any(host in finding.detail or finding.kind is Kind.LATE for host in w.stepped_hosts)


def _waits_still(w: World, finding: Finding, is_overloaded: bool) -> bool:
    """A tick nobody has decided yet: a job that catches up on all ticks, and cannot keep up with them."""
    if finding.kind is not Kind.MISSED:
        return False
    uid, tick = finding.what.split(".")[:2]
    spec, cursor = w.specs[uid][-1], w.store.get(KEYS.cursor(uid))
    is_behind = cursor is not None and int(cursor.value) < int(tick)
    return is_behind and spec.catch_up is CatchUp.ALL and (is_overloaded or busy_share(spec) > 1)


def _final_documents(w: World) -> Iterator[str]:
    for key, document in w.history.executions.items():
        stages = [entry["seq"] for entry in document["history"]]
        if stages != sorted(set(stages)):
            yield f"8 {key}: its status moved back: {stages}"
        if stages.count(Seq.FINISHED) > 1:
            yield f"4 {key}: {stages.count(Seq.FINISHED)} final documents"


def _output(w: World) -> Iterator[str]:
    chunks: dict[str, list[int]] = defaultdict(list)
    lines: dict[str, int] = defaultdict(int)
    for document in w.history.output.values():
        chunks[document["execution_id"]].append(document["seq"])
        lines[document["execution_id"]] += sum(1 for line in document["lines"] if line[1] != "system")
    for key, document in w.history.executions.items():
        if document["status"] not in (Status.SUCCEEDED, Status.FAILED) or document.get("truncated"):
            continue
        numbers = sorted(chunks[key])
        node = w.nodes[document["worker"]]
        if numbers != list(range(len(numbers))) and not node.disk.dropped_output:
            yield f"5 {key}: output has gaps: {numbers}"
        spec = w.spec_of(key, document["generation"])
        if document["status"] == Status.SUCCEEDED and spec is not None and not node.disk.dropped_output:
            expected = Behaviour.read(spec.command or "").lines
            if lines[key] != expected:
                yield f"5 {key}: printed {expected} lines, history has {lines[key]}"


def _passed_ticks(w: World) -> Iterator[str]:
    """A worker that says it has passed a tick has moved the cursor, so that nobody can start it any more."""
    passed: dict[tuple[str, int], float] = {}
    for entry in w.trace.named("tick.passed"):
        passed.setdefault((entry["job"], int(entry["tick"])), entry.at_s)
    for mark in w.marks():
        execution = ExecutionId.parse(mark.execution)
        document = w.history.executions.get(mark.execution)
        if mark.phase is not Phase.START or execution.attempt > 1 or document is None:
            continue
        job = f"{document['namespace']}/{document['job']}"
        at_s = passed.get((job, execution.tick_s or 0))
        if at_s is not None and mark.seen_at > EPOCH.timestamp() + at_s:
            yield f"1 {execution}: started after it had been passed at {at_s:.3f}"


def _drift(w: World) -> Iterator[str]:
    """What a full listing finds, the watch had told: nothing is learned of minutes late."""
    for entry in w.trace.named("feed.drifted"):
        # A program that is cut off or stands still while it compares cannot hear what explains a difference.
        if not w.was_struck(entry.host, EPOCH.timestamp() + entry.at_s, _COMPARED_WITHIN_S):
            yield f"3 {entry.host}: the watch of {entry['feed']} had lost {entry['first']}"


def _old_generations(w: World) -> Iterator[str]:
    """After a change is committed nothing of the old version starts, but what was claimed right before."""
    ends = {
        (version.spec.uid, version.spec.generation): version.until
        for version in w.versions()
        if version.until is not None
    }
    for mark in w.marks():
        document = w.history.executions.get(mark.execution)
        if mark.phase is not Phase.START or document is None:
            continue
        end = ends.get((document["uid"], document["generation"]))
        if end is not None and mark.seen_at > end + _CLAIM_AHEAD_S and not w.was_disturbed(mark.host, end):
            yield f"7 {mark.execution}: generation {document['generation']} started after it was over"


def _kills(w: World) -> Iterator[str]:
    for key, document in w.history.executions.items():
        reasons = (Reason.REQUESTED, Reason.BEFORE_START)
        was_killed = document["status"] == Status.KILLED and document.get("reason") in reasons
        if was_killed and key not in w.kills:
            yield f"8 {key}: killed, and nobody had asked for it"


def _calm(w: World, calm_since: float) -> Iterator[str]:
    """Scheduling resumes for good: a minute after the storm every short job is on time."""
    since = EPOCH.timestamp() + calm_since + 60.0
    until = w.now().timestamp() - 45.0
    started = {mark.execution: mark.seen_at for mark in w.marks() if mark.phase is Phase.START}
    for version in w.versions():
        spec = version.spec
        if version.until is not None or not _is_undemanding(spec):
            continue
        for tick in expected_ticks(version, since=since, until=until):
            execution = str(ExecutionId.of_tick(spec.uid, tick))
            due = tick + jitter_offset_s(spec.uid, spec.jitter_s)
            if execution not in started and w.ledger_row(spec.uid, tick) is None:
                if execution not in w.history.executions:
                    yield f"3 {execution}: not started and not accounted for in the calm"
            elif execution in started and started[execution] > due + _LATE_IN_CALM_S + CLOCK_BOUND_S:
                if not _were_full(w, due + _LATE_IN_CALM_S, started[execution] - _LATE_IN_CALM_S):
                    yield f"9 {execution}: {started[execution] - due:.1f} s late in the calm"
            elif execution not in started:
                row = w.ledger_row(spec.uid, tick)
                if row is not None and row["kind"] == "missed" and not _had_no_slot(w, row, spec, due):
                    yield f"9 {execution}: missed in the calm: {row['reason']}"


def _had_no_slot(w: World, row: Mapping[str, Any], spec: JobSpec, due: int) -> bool:
    """Whether every slot was taken until the tick's deadline, as its *row* says."""
    until = due + spec.start_deadline_s - _LATE_IN_CALM_S
    return row["reason"] == Reason.NO_SLOT and _were_full(w, due + _LATE_IN_CALM_S, until)


def _were_full(w: World, since: float, until: float) -> bool:
    """Whether every slot was taken from *since* to *until*: several jobs came due at that second."""
    for node in w.nodes.values():
        changes = sorted(
            (mark.seen_at, 1 if mark.phase is Phase.START else -1)
            for mark in node.machine.marks
            if mark.phase is not Phase.END
        )
        at = since
        while at < until:
            # A slot is held for a moment after the command, until the execution is closed.
            if sum(step for seen_at, step in changes if seen_at <= at + 0.1) < node.settings.slots:
                before = sum(step for seen_at, step in changes if seen_at <= at - 0.1)
                if before < node.settings.slots:
                    return False
            at += 0.25
    return True


def _is_undemanding(spec: JobSpec) -> bool:
    """Short enough that its own executions are never in its way, and no retries that could be."""
    behaviour = Behaviour.read(spec.command or "")
    return behaviour.duration_s <= 0.5 and spec.retry.max_attempts == 1


def _leftovers(w: World) -> Iterator[str]:
    """No stale locks or run records, no processes nobody watches, nothing left in a spool."""
    alive = {process.execution for node in w.nodes.values() for process in node.machine.processes.values()}
    closing = {mark.execution for mark in w.marks() if mark.seen_at > w.now().timestamp() - _CLOSED_WITHIN_S}
    for key in w.store.keys(KEYS.runs):
        execution = str(KEYS.parse_run(key))
        if execution not in alive | closing and w.age_of(key) > 30:
            yield f"10 {key}: a run record of nothing"
    for key in w.store.keys(KEYS.locks):
        kv = w.store.get(key)
        assert kv is not None
        if kv.value.decode() not in alive | closing and w.age_of(key) > 30:
            yield f"10 {key}: a lock of nothing ({kv.value.decode()})"
    recorded = {str(KEYS.parse_run(key)) for key in w.store.keys(KEYS.runs)}
    for execution in sorted(alive - recorded):
        yield f"6 {execution}: runs, and no run record knows it"
    for node in w.nodes.values():
        if len(node.disk.records) > 200:
            yield f"10 {node.name}: {len(node.disk.records)} records are left in its spool"
