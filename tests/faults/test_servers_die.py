"""etcd and MongoDB are killed under load and come back with the data they had synced to disk."""

import statistics
import time
from typing import Any

from tests import servers
from tests.faults.cluster import Cluster, hold
from tests.faults.figures import figures_of, keep, pick
from tests.faults.judging import Kind


def test_killing_etcd_again_and_again_loses_and_repeats_no_tick(cluster: Cluster) -> None:
    """kill -9 of etcd during load: 0 duplicates, every tick accounted for, no worker restarted (row 23)."""
    cluster.start_workers("one", "two", jobLockTtl=10)
    pids = {name: worker.pid for name, worker in cluster.workers.items()}
    cluster.save(*load(cluster))
    hold(2)
    rounds = pick(full=5, short=2)
    gaps = []
    for _ in range(rounds):
        cluster.etcd.kill()
        killed_at = time.time()
        hold(pick(full=5.0, short=1.0))
        cluster.etcd.start()
        back_at = time.time()
        gap_s = {"away_s": back_at - killed_at, "resumed_s": seconds_until_start(cluster, back_at)}
        gaps.append({name: round(value, 2) for name, value in gap_s.items()})
        hold(pick(full=8.0, short=1.5))
    cluster.wait_current()
    hold(2)
    cluster.settle()
    verdict = cluster.verdict()
    keep("etcd_killed", figures_of(verdict) | {"kills": rounds, "outages": gaps})

    assert [] == [str(finding) for finding in verdict.violations]
    assert 0 == verdict.counts[Kind.DUPLICATE]
    assert pids == {name: worker.pid for name, worker in cluster.workers.items() if worker.is_running}


def test_killing_mongodb_loses_no_record_and_delays_no_start(cluster: Cluster) -> None:
    """kill -9 of MongoDB under load: starts go on, records spool, all of them arrive afterwards (row 25)."""
    cluster.start_workers("one", "two")
    cluster.save(*load(cluster))
    hold(2)
    cluster.mongo.kill()
    killed_at = time.time()
    peak = {"records": 0.0, "bytes": 0.0}
    while time.time() < killed_at + pick(full=120.0, short=8.0):
        hold(0.5)
        peak["records"] = max(peak["records"], backlog(cluster, "journal_backlog"))
        peak["bytes"] = max(peak["bytes"], backlog(cluster, "spool_bytes"))
    cluster.mongo.start()
    back_at = time.time()
    oldest = backlog(cluster, "journal_backlog")
    servers.wait_until(lambda: backlog(cluster, "journal_oldest_seconds") < 5, "drained spools", 60)
    drained_s = time.time() - back_at
    hold(1)
    cluster.wait_current()
    cluster.settle()
    verdict = cluster.verdict()
    during = [
        lateness_s(mark.execution, mark.seen_at)
        for mark in cluster.starts("skip-0")
        if killed_at <= mark.seen_at <= back_at
    ]
    keep(
        "mongodb_killed",
        figures_of(verdict)
        | {"away_s": round(back_at - killed_at, 1), "starts_meanwhile": len(during)}
        | {"lateness_meanwhile_s": {"p50": round(statistics.median(during), 3), "max": round(max(during), 3)}}
        | {"spool_peak": peak, "backlog_when_back": oldest, "drain_s": round(drained_s, 2)}
        | {"records_lost": verdict.counts[Kind.RECORD_LOST]},
    )

    assert [] == [str(finding) for finding in verdict.violations]
    assert 0 == verdict.counts[Kind.RECORD_LOST]
    assert len(during) >= 0.9 * (back_at - killed_at) - 1
    # Loose, because other tests may share the processors: a start that waits for MongoDB waits for seconds.
    assert statistics.median(during) < 1.0


def load(cluster: Cluster) -> list[dict[str, Any]]:
    """Jobs of every overlap policy, most of them each second."""

    def job(name: str, *, each_s: int = 1, takes_s: float = 0.05, overlap: str = "skip") -> dict[str, Any]:
        schedule = f"*/{each_s} * * * * *"
        return {
            "name": name,
            "schedule": schedule,
            "overlap": overlap,
            "command": cluster.marking(takes_s),
            "kill_grace_s": 1,
        }

    return [
        *(job(f"allow-{number}", overlap="allow") for number in range(4)),
        *(job(f"skip-{number}") for number in range(4)),
        job("long", takes_s=2.5),
        job("queued", each_s=2, takes_s=2.5, overlap="queue_one"),
        job("replaced", each_s=3, takes_s=4, overlap="replace"),
    ]


def backlog(cluster: Cluster, figure: str) -> float:
    return sum(worker.figure(figure) for worker in cluster.workers.values())


def lateness_s(execution: str, started_at: float) -> float:
    return started_at - int(execution.split(".")[1])


def seconds_until_start(cluster: Cluster, moment: float) -> float:
    """Wait for the first start after *moment*; the seconds between the two."""

    def after() -> list[float]:
        return [mark.seen_at for mark in cluster.starts() if mark.seen_at > moment]

    servers.wait_until(lambda: bool(after()), "a start after the outage", 30, every_s=0.2)
    return min(after()) - moment
