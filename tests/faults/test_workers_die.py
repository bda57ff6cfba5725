"""Workers are killed, frozen and stopped while their commands run."""

import signal
import time
from typing import Any

from tests import servers
from tests.faults.cluster import KEYS, TTL_S, Cluster, hold
from tests.faults.evidence import Frozen, Phase
from tests.faults.figures import figures_of, keep, pick
from tests.faults.judging import Kind

#: Between the end of a lease and its executions being recorded as lost.
LOST_AFTER_LEASE_S = 10.0


def test_a_killed_worker_leaves_one_record_of_each_execution_and_no_command(cluster: Cluster) -> None:
    """kill -9 in the middle of 100 executions: each `lost` once, no command survives the restart (19)."""
    count = pick(full=100, short=100)
    cluster.start_workers("victim", executorThreads=count + 10)
    due_at = int(time.time()) + pick(full=12, short=8)
    seconds = sorted((due_at + wait_s) % 60 for wait_s in (0, pick(full=40, short=22)))
    cluster.save(
        *(
            {
                "name": f"long-{number}",
                "schedule": f"{seconds[0]},{seconds[1]} * * * * *",
                "command": cluster.marking(30),
                "kill_grace_s": 1,
            }
            for number in range(count)
        )
    )
    servers.wait_until(lambda: len(cluster.starts()) == count, f"{count} running executions", 60, every_s=0.2)
    running = {mark.execution for mark in cluster.starts()}
    cluster.start_workers("other", executorThreads=count + 10)
    victim = cluster.workers["victim"]
    victim.kill()
    killed_at = time.time()
    survivors = len(cluster.commands_alive())
    hold(1)
    cluster.restart_workers("victim")
    alive_after = len(cluster.commands_alive())
    lost_s = seconds_until_lost(cluster, running, killed_at)
    servers.wait_until(lambda: len(cluster.starts()) >= 2 * count, "the next ticks", 60, every_s=0.2)
    next_starts = [mark for mark in cluster.starts() if mark.execution not in running]
    cluster.settle()
    verdict = cluster.verdict()
    documents = list(cluster.database["executions"].find({"_id": {"$in": sorted(running)}}))
    keep(
        "worker_killed",
        figures_of(verdict)
        | {"running": count, "alive_after_kill": survivors, "alive_after_restart": alive_after}
        | {"lost_s": round(lost_s, 1), "ttl_s": TTL_S}
        | {"next_on": {name: sum(mark.host == name for mark in next_starts) for name in cluster.workers}},
    )

    assert {"lost"} == {document["status"] for document in documents}
    assert count == len(documents)
    assert 0 == alive_after
    assert lost_s <= TTL_S + LOST_AFTER_LEASE_S
    assert [] == [str(finding) for finding in verdict.violations]


def test_a_frozen_worker_wakes_up_powerless(cluster: Cluster) -> None:
    """SIGSTOP past the lease, then SIGCONT: what it writes late changes nothing, overlap is flagged (21)."""
    cluster.start_workers("frozen")
    cluster.save(
        each_second(cluster, "long", takes_s=60),
        *(each_second(cluster, f"short-{number}") for number in range(4)),
    )
    servers.wait_until(lambda: len(cluster.starts()) >= 9, "the first starts", 30, every_s=0.2)
    first = cluster.starts("long")[0].execution
    cluster.start_workers("other")
    cluster.workers["frozen"].signal(signal.SIGSTOP)
    frozen_at = time.time()
    servers.wait_until(lambda: len(cluster.starts("long")) == 2, "a start elsewhere", 4 * TTL_S, every_s=0.2)
    taken_over_s = time.time() - frozen_at
    hold(max(0.0, pick(full=3.0, short=1.6) * TTL_S - taken_over_s))
    successor = cluster.starts("long")[1]
    cluster.workers["frozen"].signal(signal.SIGCONT)
    thawed_at = time.time()
    servers.wait_until(lambda: not commands_of(cluster, first), "the end of its command", 15, every_s=0.2)
    stopped_s = time.time() - thawed_at
    servers.wait_until(cluster.workers["frozen"].is_ready, "its new session", 30, every_s=0.2)
    hold(2)
    lock = [kv.value.decode() for kv in cluster.keys(KEYS.lock(cluster.uid("long")))]
    still_running = len(commands_of(cluster, successor.execution))
    cluster.settle()
    verdict = cluster.verdict(frozen=[Frozen("frozen", frozen_at, thawed_at + stopped_s)])
    document = cluster.database["executions"].find_one({"_id": first}) or {}
    keep(
        "worker_frozen",
        figures_of(verdict)
        | {"frozen_s": round(thawed_at - frozen_at, 1), "taken_over_s": round(taken_over_s, 1)}
        | {"command_stopped_s": round(stopped_s, 2), "overlaps_flagged": verdict.counts[Kind.OVERLAP_FROZEN]},
    )

    assert [] == [str(finding) for finding in verdict.violations]
    assert "other" == successor.host
    assert [successor.execution] == lock
    assert still_running > 0
    assert "lost" == document["status"]
    assert verdict.counts[Kind.OVERLAP_FROZEN] >= 1


def test_a_worker_that_is_asked_to_stop_finishes_what_runs(cluster: Cluster) -> None:
    """SIGTERM with running commands: they end by themselves, nothing new starts, 0 ticks missed (C3)."""
    cluster.start_workers("leaving")
    takes_s = pick(full=10.0, short=4.0)
    cluster.save(
        {**each_second(cluster, "long", takes_s=takes_s), "schedule": "*/2 * * * * *"},
        *(each_second(cluster, f"short-{number}") for number in range(6)),
    )
    servers.wait_until(lambda: len(cluster.starts("long")) == 1, "the first start", 30, every_s=0.2)
    cluster.start_workers("staying")
    servers.wait_until(lambda: running_on(cluster, "leaving", "long"), "a long command", 60, every_s=0.2)
    execution = cluster.starts("long")[-1].execution
    asked_at = time.time()
    exit_code = cluster.workers["leaving"].stop()
    took_s = time.time() - asked_at
    hold(pick(full=10, short=3))
    cluster.wait_current()
    cluster.settle()
    verdict = cluster.verdict()
    document = cluster.database["executions"].find_one({"_id": execution}) or {}
    after = [mark for mark in cluster.starts() if mark.host == "leaving" and mark.seen_at > asked_at + 1.5]
    missed = {reason: n for reason, n in verdict.reasons.items() if not reason.startswith("skipped")}
    keep("worker_stopped", figures_of(verdict) | {"stop_s": round(took_s, 1), "started_after": len(after)})

    assert [] == [str(finding) for finding in verdict.violations]
    assert 0 == exit_code
    assert "succeeded" == document["status"]
    assert [] == after
    assert {} == missed


def each_second(cluster: Cluster, name: str, *, takes_s: float = 0.05) -> dict[str, Any]:
    return {
        "name": name,
        "schedule": "* * * * * *",
        "command": cluster.marking(takes_s),
        "kill_grace_s": 1,
    }


def seconds_until_lost(cluster: Cluster, executions: set[str], since: float) -> float:
    where = {"_id": {"$in": sorted(executions)}, "status": "lost"}

    def all_are_lost() -> bool:
        return cluster.database["executions"].count_documents(where) == len(executions)

    servers.wait_until(all_are_lost, "a record of every lost execution", 40, every_s=0.2)
    return time.time() - since


def commands_of(cluster: Cluster, execution: str) -> list[int]:
    return [pid for pid, owner in cluster.commands_alive().items() if owner == execution]


def running_on(cluster: Cluster, worker: str, job: str) -> bool:
    """Whether the newest execution of *job* runs on *worker* and has not ended."""
    newest = cluster.starts(job)[-1]
    ended = {mark.execution for mark in cluster.marks() if mark.phase is Phase.END}
    return newest.host == worker and newest.execution not in ended
