"""The checker: every class of finding from the smallest evidence that shows it."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.domain.job import JobSpec
from tests.faults import checker
from tests.faults.checker import quantile
from tests.faults.evidence import (
    Evidence,
    Frozen,
    JobVersion,
    Mark,
    Phase,
    marking_command,
    parse_mark,
    read_documents,
    versions_of,
)
from tests.faults.judging import Kind, Rules, expected_ticks, judge

T0 = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
NOON = int(T0.timestamp())
UID = "jobaaaaaaaaaaa"


def spec(**changes: Any) -> JobSpec:
    fields: dict[str, Any] = {
        "name": "minutely",
        "command": "true",
        "schedule": "* * * * *",
        "uid": UID,
        "created_at": T0,
        "changed_at": T0,
    }
    return JobSpec(**(fields | changes))


def mark(
    tick: int, at: float, phase: str = "start", *, attempt: int = 1, host: str = "a", pid: int = 1
) -> Mark:
    return Mark(f"{UID}.{NOON + tick}.{attempt}", host, pid, NOON + at, Phase(phase))


def run(tick: int, at: float, until: float, **where: Any) -> list[Mark]:
    return [mark(tick, at, "start", **where), mark(tick, until, "end", **where)]


def record(tick: int, status: str = "succeeded", *, at: float = 0, attempt: int = 1, **more: Any) -> Any:
    return {
        f"{UID}.{NOON + tick}.{attempt}": {
            "status": status,
            "started_at": T0 + timedelta(seconds=tick),
            "finished_at": T0 + timedelta(seconds=at or tick + 1),
            "duration_ms": (at - tick if at else 1) * 1000,
            **more,
        }
    }


def missed(
    tick: int, last: int | None = None, reason: str = "no_worker", kind: str = "missed"
) -> dict[str, Any]:
    last_tick = NOON + (tick if last is None else last)
    return {"uid": UID, "tick": NOON + tick, "last_tick": last_tick, "kind": kind, "reason": reason}


def evidence(
    marks: list[Mark], *, minutes: int = 1, job: JobSpec | None = None, settled_s: int = 600, **more: Any
) -> Evidence:
    """Ticks of *minutes* minutes, seen long enough to judge all of them."""
    end = T0 + timedelta(minutes=minutes)
    versions = [JobVersion(job or spec(), until=end.timestamp())]
    return Evidence(versions=versions, marks=marks, since=NOON, until=end.timestamp() + settled_s, **more)


STRICT = Rules(change_grace_s=-1)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(evidence(run(60, 60.01, 61)), {Kind.OK: 1}, id="on time"),
        pytest.param(evidence(run(60, 59.96, 61)), {Kind.OK: 1}, id="40 ms early is on time"),
        pytest.param(evidence(run(60, 59.94, 61)), {Kind.EARLY: 1}, id="60 ms early"),
        pytest.param(evidence(run(60, 90, 91)), {Kind.OK: 1}, id="at the deadline"),
        pytest.param(evidence(run(60, 91, 92)), {Kind.LATE: 1}, id="after the deadline"),
        pytest.param(evidence([]), {Kind.MISSED: 1}, id="nothing at all"),
        pytest.param(evidence([], ledger=[missed(60)]), {Kind.ACCOUNTED: 1}, id="missed with a reason"),
        pytest.param(
            evidence([], minutes=3, ledger=[missed(60, 180)]),
            {Kind.ACCOUNTED: 3},
            id="a span of missed ticks",
        ),
        pytest.param(
            evidence([], minutes=3, ledger=[missed(120, 180)]),
            {Kind.ACCOUNTED: 2, Kind.MISSED: 1},
            id="a span that begins too late",
        ),
        pytest.param(
            evidence([], executions=record(60, "lost", reason="before_start")),
            {Kind.ACCOUNTED: 1},
            id="lost before the start",
        ),
        pytest.param(evidence([], settled_s=20), {}, id="too young to judge"),
        pytest.param(evidence([], job=spec(enabled=False)), {}, id="a disabled job expects nothing"),
        pytest.param(
            evidence(run(60, 60, 61), job=spec(enabled=False)), {Kind.UNSCHEDULED: 1}, id="a disabled job ran"
        ),
        pytest.param(
            evidence(run(60, 60, 61) + run(90, 90, 91)),
            {Kind.OK: 1, Kind.UNSCHEDULED: 1},
            id="a tick nobody knows",
        ),
        pytest.param(
            evidence(run(60, 60, 61) + run(60, 62, 63, host="b")),
            {Kind.OK: 1, Kind.DUPLICATE: 1},
            id="the same tick on two workers",
        ),
        pytest.param(
            evidence(run(60, 60, 61) + run(60, 70, 71, attempt=2)), {Kind.OK: 1}, id="a retry is no duplicate"
        ),
    ],
)
def test_ticks(case: Evidence, expected: Mapping[Kind, int]) -> None:
    """One job each minute with a start deadline of 30 seconds."""
    verdict = judge(case, STRICT)

    assert expected == {kind: count for kind, count in verdict.counts.items() if count}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(
            {"marks": run(60, 60, 130) + run(120, 120, 125, host="b")}, {Kind.OVERLAP}, id="beside it"
        ),
        pytest.param({"marks": run(60, 60, 120) + run(120, 120, 125)}, set(), id="one after the other"),
        pytest.param(
            {"marks": [*run(60, 60, 130), *run(120, 120, 125)], "job": spec(overlap="allow")},
            set(),
            id="allowed",
        ),
        pytest.param(
            {
                "marks": run(60, 60, 130) + run(120, 120, 125, host="b"),
                "frozen": [Frozen("a", NOON + 70, NOON + 128)],
            },
            {Kind.OVERLAP_FROZEN},
            id="its worker was frozen",
        ),
        pytest.param(
            {"marks": [mark(60, 60), mark(60, 100, "gone"), *run(120, 110, 125)]},
            {Kind.EARLY},
            id="killed before",
        ),
        pytest.param(
            {"marks": [mark(60, 60), mark(60, 125, "gone"), *run(120, 120, 130)]},
            {Kind.OVERLAP},
            id="killed too late",
        ),
    ],
)
def test_overlap(case: dict[str, Any], expected: set[Kind]) -> None:
    """Two runs of a job that must not overlap."""
    verdict = judge(evidence(case.pop("marks"), minutes=2, **case), STRICT)

    assert expected == {kind for kind, count in verdict.counts.items() if count} - {Kind.OK}


@pytest.mark.parametrize(
    ("marks", "executions", "expected"),
    [
        pytest.param(run(60, 60, 61), record(60), set(), id="all is well"),
        pytest.param(run(60, 60, 61), {}, {Kind.RECORD_LOST}, id="no record"),
        pytest.param([], record(60), {Kind.ACCOUNTED, Kind.RECORD_PHANTOM}, id="a record of nothing"),
        pytest.param(
            [],
            record(60, "killed", signal=15, duration_ms=25),
            {Kind.ACCOUNTED},
            id="killed before its first line",
        ),
        pytest.param(
            [],
            record(60, "killed", signal=15, duration_ms=900),
            {Kind.ACCOUNTED, Kind.RECORD_PHANTOM},
            id="killed long after, and no mark",
        ),
        pytest.param([], record(60, "failed", reason="spawn"), {Kind.ACCOUNTED}, id="could not be spawned"),
        pytest.param(run(60, 60, 61), record(60, "running"), {Kind.STATUS_MISMATCH}, id="never closed"),
        pytest.param([mark(60, 60)], record(60), {Kind.STATUS_MISMATCH}, id="succeeded without an end"),
        pytest.param([mark(60, 60)], record(60, "killed", at=70), set(), id="killed writes no end"),
        pytest.param(
            run(60, 60, 61),
            record(60, "killed", at=70),
            {Kind.STATUS_MISMATCH},
            id="killed long after its end",
        ),
        pytest.param(run(60, 60, 61), record(60, "killed", at=62), set(), id="a kill that came with the end"),
        pytest.param(run(60, 60, 90), record(60, "killed", at=70), {Kind.ORPHAN}, id="outlived its record"),
        pytest.param(run(60, 60, 90), record(60, "lost", at=70), set(), id="lost means nobody knows"),
        pytest.param(
            run(60, 60, 90),
            record(60, at=90, finished_at=T0 + timedelta(seconds=90) - timedelta(hours=1)),
            set(),
            id="its clock was set back",
        ),
    ],
)
def test_records(marks: list[Mark], executions: Any, expected: set[Kind]) -> None:
    """What history says about one tick, against what its command wrote."""
    verdict = judge(evidence(marks, executions=executions), STRICT)

    assert expected == {kind for kind, count in verdict.counts.items() if count} - {Kind.OK}


@pytest.mark.parametrize(
    ("executions", "row", "fails"),
    [
        pytest.param(record(60), {"kind": "skipped"}, True, id="skipped, and it ran"),
        pytest.param(record(60), {"kind": "missed"}, True, id="missed, and it ran"),
        pytest.param(None, {"kind": "skipped"}, True, id="nothing known of records"),
        pytest.param(record(60), {"kind": "skipped", "trigger": "x"}, False, id="about something else"),
        pytest.param(record(60), {"tick": NOON, "last_tick": NOON + 120}, False, id="a span over it"),
    ],
)
def test_a_tick_that_ran_has_no_other_account(executions: Any, row: dict[str, Any], fails: bool) -> None:
    """The ledger may not say skipped or missed about a tick that started."""
    verdict = judge(evidence(run(60, 60, 61), executions=executions, ledger=[missed(60) | row]), STRICT)

    assert ([Kind.STATUS_MISMATCH] if fails else []) == [finding.kind for finding in verdict.violations]


@pytest.mark.parametrize(
    ("catch_up", "fails"),
    [
        pytest.param("none", True, id="none: late is wrong"),
        pytest.param("last", False, id="last: it may be late"),
    ],
)
def test_late_is_judged_by_the_policy(catch_up: str, fails: bool) -> None:
    """50 seconds after its tick, with a catch-up window of 60."""
    verdict = judge(evidence(run(60, 110, 111), job=spec(catch_up=catch_up, start_deadline_s=5)), STRICT)

    assert 1 == verdict.counts[Kind.LATE]
    assert fails == bool(verdict.violations)


def test_ticks_belong_to_the_version_of_their_time() -> None:
    """A tick at the moment of a change belongs to the old version; the next one to the new."""
    old = spec()
    new = spec(schedule="*/2 * * * *", generation=2, changed_at=T0 + timedelta(minutes=3))
    first, second = versions_of([new, old])
    end = NOON + 420.0

    assert [60, 120, 180] == [tick - NOON for tick in expected_ticks(first, since=NOON, until=end)]
    assert [240, 360] == [tick - NOON for tick in expected_ticks(second, since=NOON, until=end)]


@pytest.mark.parametrize(
    ("started", "cause", "expected"),
    [
        pytest.param(119.7, "schedule", {Kind.OK: 2}, id="the news was under way"),
        pytest.param(121.2, "schedule", {Kind.OK: 1, Kind.UNSCHEDULED: 1}, id="it had arrived"),
        pytest.param(121.2, "queued", {Kind.OK: 2}, id="it waited for the one before"),
    ],
)
def test_a_tick_claimed_ahead_of_a_change(started: float, cause: str, expected: Mapping[Kind, int]) -> None:
    """Changed 0.5 s before the tick of 120 s, on a host whose clock is half a second ahead (seed 345)."""
    versions = [JobVersion(spec(), until=NOON + 119.5)]
    marks = [*run(60, 60, 61), *run(120, started, started + 1)]
    records = record(60) | record(120, at=started + 1, cause=cause)
    case = Evidence(versions=versions, marks=marks, executions=records, since=NOON, until=NOON + 900)

    counts = judge(case, Rules(change_grace_s=-1, clock_bound_s=1.0)).counts

    assert expected == {kind: count for kind, count in counts.items() if count}


@pytest.mark.parametrize(
    ("changed", "started", "expected"),
    [
        pytest.param(119.99, 120.02, {Kind.OK: 2}, id="changed at the last moment"),
        pytest.param(
            118.9, 120.02, {Kind.OK: 1, Kind.UNSCHEDULED: 1}, id="changed before it could be claimed"
        ),
        pytest.param(
            119.99, 121.02, {Kind.OK: 1, Kind.UNSCHEDULED: 1}, id="started when the news had arrived"
        ),
    ],
)
def test_a_tick_claimed_right_before_a_change(
    changed: float, started: float, expected: Mapping[Kind, int]
) -> None:
    """Clocks agree; a tick is claimed up to a second before it is due."""
    versions = [JobVersion(spec(), until=NOON + changed)]
    marks = [*run(60, 60, 61), *run(120, started, started + 1)]
    case = Evidence(versions=versions, marks=marks, since=NOON, until=NOON + 900)

    counts = judge(case, Rules(change_grace_s=-1)).counts

    assert expected == {kind: count for kind, count in counts.items() if count}


@pytest.mark.parametrize(
    ("stalls", "expected"),
    [
        pytest.param([], {Kind.STATUS_MISMATCH}, id="a worker that looked all the time"),
        pytest.param([Frozen("a", NOON + 70, NOON + 80)], set(), id="one that stood still"),
    ],
)
def test_a_kill_recorded_long_after_the_end(stalls: list[Frozen], expected: set[Kind]) -> None:
    """The command ended by itself after its TERM, and the record says killed eight seconds later."""
    killed = record(60, "killed", at=80, reason="replaced")

    verdict = judge(evidence(run(60, 60, 72), executions=killed, stalls=stalls), STRICT)

    assert expected == {finding.kind for finding in verdict.violations}


@pytest.mark.parametrize(
    ("marks", "executions", "violations"),
    [
        pytest.param(
            [mark(60, 95), mark(60, 95.01, "gone")], record(60, "lost", reason="fenced"), 0, id="fenced"
        ),
        pytest.param(
            [mark(60, 95), mark(60, 97, "gone")], record(60, "lost", reason="fenced"), 1, id="fenced late"
        ),
        pytest.param([mark(60, 95), mark(60, 95.01, "gone")], record(60, "failed"), 1, id="not fenced"),
    ],
)
def test_a_start_that_was_under_way_when_its_worker_froze(
    marks: list[Mark], executions: Any, violations: int
) -> None:
    """It comes too late whatever the worker does, so it has to end at once."""
    job = spec(catch_up="none", start_deadline_s=5)
    verdict = judge(evidence(marks, executions=executions, job=job), STRICT)

    assert violations == sum(finding.kind is Kind.LATE for finding in verdict.violations)


def test_a_tick_right_after_a_change_is_excused() -> None:
    """A claim taken ahead for the old version may have moved the cursor past it."""
    changed = spec(generation=2, changed_at=T0 + timedelta(seconds=59.5))
    verdict = judge(evidence([], minutes=2, job=changed), STRICT)

    assert (1, 1) == (verdict.counts[Kind.EXCUSED], verdict.counts[Kind.MISSED])


def test_a_tick_right_before_a_change_is_excused() -> None:
    """Nobody can tell whether the change or the claim came first."""
    verdict = judge(evidence([], minutes=1), Rules(change_grace_s=5))

    assert 1 == verdict.counts[Kind.EXCUSED]
    assert [] == verdict.violations


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("jobaaaaaaaaaaa.1.1 1 host 7 1.5", id="torn"),
        pytest.param("nonsense 1 host 7 1.5 start", id="no execution"),
        pytest.param("jobaaaaaaaaaaa.1.1 1 host 7 1.5 middle", id="no phase"),
    ],
)
def test_a_line_that_is_no_mark_is_refused(line: str) -> None:
    """A torn line is evidence of something, and never skipped in silence."""
    with pytest.raises(ValueError, match=r"mark|execution|Phase"):
        parse_mark(line)


def test_the_command_marks_its_start_and_end(tmp_path: Path) -> None:
    """The one-liner for jobs writes what the reader reads."""
    marker = tmp_path / "a marker"
    environment = {"CRON_EXECUTION": f"{UID}.{NOON}.1", "CRON_TICK": str(NOON), "PATH": "/usr/bin:/bin"}
    command = marking_command(str(marker), duration_s=0.01, exit_code=3)
    done = subprocess.run(["/bin/bash", "-c", command], env=environment, check=False)

    marks = [parse_mark(line) for line in marker.read_text().splitlines()]

    assert 3 == done.returncode
    assert [Phase.START, Phase.END] == [mark.phase for mark in marks]
    assert marks[0].at < marks[1].at


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        pytest.param(run(60, 60.01, 61), 0, id="fine"),
        pytest.param([], 1, id="violated"),
        pytest.param(None, 2, id="unreadable"),
    ],
)
def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str], marks: Any, expected: int) -> None:
    """Its exit code is the verdict."""
    jobs, marker = tmp_path / "jobs.json", tmp_path / "marks"
    deleted_at = (T0 + timedelta(seconds=70)).isoformat()
    jobs.write_text(json.dumps([{"spec": json.loads(spec().model_dump_json()), "deleted_at": deleted_at}]))
    lines = (
        ["torn"] if marks is None else [f"{m.execution} - {m.host} {m.pid} {m.at} {m.phase}" for m in marks]
    )
    marker.write_text("\n".join(lines))
    until = (T0 + timedelta(minutes=20)).isoformat()
    arguments = ["--jobs", str(jobs), "--marks", str(marker), "--since", T0.isoformat(), "--until", until]

    assert expected == checker.main([*arguments, "--json"])
    printed = capsys.readouterr()
    if expected == 2:
        assert f"{marker}:1" in printed.err
    else:
        assert expected == json.loads(printed.out)["counts"]["missed"]


def test_documents_of_mongoexport_are_read(tmp_path: Path) -> None:
    """Extended JSON becomes plain values."""
    path = tmp_path / "executions.jsonl"
    path.write_text(
        '{"_id": "x", "finished_at": {"$date": "2026-03-02T08:00:00Z"}, "n": {"$numberLong": "5"}}\n'
    )

    assert [{"_id": "x", "finished_at": T0, "n": 5}] == read_documents(path)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.5, 5), (0.99, 10), (1.0, 10), (0.0, 1)],
)
def test_quantile(share: float, expected: int) -> None:
    """Of 1 to 10."""
    assert expected == quantile(list(range(1, 11)), share)
