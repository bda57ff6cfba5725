"""Workers whose clocks disagree, and workers that are all away for a while."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from tests.faults.cluster import Cluster, hold
from tests.faults.evidence import Mark
from tests.faults.figures import figures_of, keep, pick
from tests.faults.judging import Kind, expected_ticks

SKEW_S = (-1.5, 0.0, 1.5)


def test_clocks_that_disagree_by_three_seconds_start_no_tick_twice(cluster: Cluster) -> None:
    """Five jobs each second on workers at -1.5 s, 0 and +1.5 s: 0 duplicates, 98 % run, none early (16)."""
    cluster.start_workers("behind", "right", "ahead", skew_s=SKEW_S)
    # Not disabled at the end: by a clock that is ahead, ticks of the next moment are due already.
    ends_at = time.time() + pick(full=60, short=10)
    cluster.save(*(each_second(cluster, f"second-{number}", ends_at=rfc3339(ends_at)) for number in range(5)))
    hold(ends_at - time.time() + 3)
    cluster.wait_current()
    cluster.settle()
    verdict = cluster.verdict(clock_bound_s=2.0)
    started = verdict.counts[Kind.OK] + verdict.counts[Kind.LATE]
    expected = started + verdict.counts[Kind.ACCOUNTED] + verdict.counts[Kind.MISSED]
    by_worker = {name: sum(mark.host == name for mark in cluster.starts()) for name in cluster.workers}
    keep("skew", figures_of(verdict) | {"started_share": started / expected, "starts": by_worker})

    assert [] == [str(finding) for finding in verdict.violations]
    # Where other tests share the processors a command of 50 ms may take a second: its next tick is skipped.
    assert started / expected >= pick(full=0.98, short=0.8)
    assert not cluster.leaked.exists()


def test_ticks_of_an_outage_are_caught_up_or_listed_as_missed(cluster: Cluster) -> None:
    """All workers stopped and started again: rows 5, 6 and 7, and every tick in the ledger (row 8)."""
    outage_s, window_s = pick(full=120.0, short=10.0), pick(full=60, short=10)
    cluster.start_workers("one", "two")
    ends_at = time.time() + pick(full=70, short=10)
    often = {"start_deadline_s": 2, "overlap": "skip"}
    cluster.save(
        each_second(cluster, "none", catch_up="none", **often),
        each_second(cluster, "last", catch_up="last", catch_up_window_s=600, **often),
        # Nothing of it is on time afterwards, so that the newest of its missed ticks is caught up.
        each_second(
            cluster, "last-over", catch_up="last", catch_up_window_s=600, ends_at=rfc3339(ends_at), **often
        ),
        each_second(
            cluster,
            "all",
            catch_up="all",
            catch_up_window_s=window_s,
            **often | {"schedule": "*/2 * * * * *"},
        ),
    )
    hold(3)
    exit_codes = [worker.stop() for worker in cluster.workers.values()]
    stopped_at = time.time()
    hold(max(outage_s, ends_at + 3 - stopped_at))
    started_again_at = time.time()
    cluster.restart_workers(*cluster.workers)
    cluster.wait_current(limit_s=150)
    hold(2)
    cluster.settle()
    verdict = cluster.verdict()
    late = {job: late_starts(cluster.starts(job), stopped_at) for job in ("none", "last", "last-over", "all")}
    keep(
        "outage",
        figures_of(verdict)
        | {"outage_s": round(started_again_at - stopped_at, 1)}
        | {"caught_up": {job: len(ticks) for job, ticks in late.items()}},
    )

    assert [0, 0] == exit_codes
    assert [] == [str(finding) for finding in verdict.violations]
    assert [] == late["none"]
    assert [] == late["last"]
    assert [int(ends_at)] == late["last-over"]
    assert_newest_one_after_the_other(cluster, "all", late["all"], window_s)
    missed = {reason: n for reason, n in verdict.reasons.items() if not reason.startswith("skipped")}
    # On a busy machine the master may come before the workers that are back: it finds somebody there, and a
    # deadline that has passed.
    assert {"missed: downtime", "missed: no_worker", "missed: deadline"} >= set(missed)
    assert sum(missed.values()) > 2 * missed.get("missed: deadline", 0)
    for job in late:
        assert [] == unlisted(cluster, job, until=started_again_at)


def each_second(cluster: Cluster, name: str, **definition: Any) -> dict[str, Any]:
    return {"name": name, "schedule": "* * * * * *", "command": cluster.marking(), **definition}


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).isoformat()


def tick_of(mark: Mark) -> int:
    return int(mark.execution.split(".")[1])


def late_starts(starts: Sequence[Mark], since: float) -> list[int]:
    """
    Ticks after *since* that started although their deadline of 2 s had passed, in the order of starts.

    Deadlines count whole seconds, and a claim in the last of them has yet to start on a busy machine.
    """
    return [tick_of(mark) for mark in starts if since < tick_of(mark) < mark.seen_at - 4]


def assert_newest_one_after_the_other(
    cluster: Cluster, job: str, caught_up: list[int], window_s: int
) -> None:
    """Policy `all`: the ticks within the window and no older ones, oldest first, one per second."""
    assert caught_up, "nothing was caught up"
    version = next(version for version in cluster.versions() if version.spec.name == job)
    starts = [mark.seen_at for mark in cluster.starts(job) if tick_of(mark) in caught_up]
    gaps = [later - earlier for earlier, later in pairwise(starts)]

    assert expected_ticks(version, since=caught_up[0] - 1, until=caught_up[-1]) == caught_up
    assert caught_up[0] >= starts[0] - window_s - 2
    # The command tells when it began: on a busy machine one may begin late, and the next on time.
    assert min(gaps, default=1.0) >= 0.5
    assert sum(gaps) >= 0.9 * len(gaps)


def unlisted(cluster: Cluster, job: str, *, until: float) -> list[int]:
    """Ticks of *job* up to *until* that its ledger does not list, one by one or in a span."""
    entries = cluster.ledger(job)
    spans = [(entry["tick"], datetime.fromisoformat(entry["last_at"]).timestamp()) for entry in entries]
    return [
        tick
        for version in cluster.versions()
        if version.spec.name == job
        for tick in expected_ticks(version, since=cluster.since, until=until)
        if not any(first <= tick <= last for first, last in spans)
    ]
