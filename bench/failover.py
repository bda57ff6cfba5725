"""How long do ticks wait when the worker that would have run them is killed?

Three workers, forty jobs of every second, some long jobs; the worker with most of them is killed with SIGKILL
in the middle of a second, when its short jobs have ended. Measured by the commands' own stamps: how late the
first tick of each of its jobs starts elsewhere, and how long until its long commands are recorded as lost.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure, Goal, spread
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.rig import Rig, installation, poll
from bench.stamps import NS_PER_S, Stamp, read_stamps, stamping_command
from bench.usage import sleep_until

_WORKERS = ("bench-a", "bench-b", "bench-c")
_JOBS = 40
_LONG_JOBS = 12
_TTL_S = 10
_LONG_COMMAND = "sleep 300"
_LOST_LIMIT_S = 3.0 * _TTL_S


def measure(form: Form) -> Sequence[Figure]:
    rounds = form.pick(full=5, short=1)
    gaps: list[float] = []
    missed, lost = 0, []
    for _ in range(rounds):
        with installation() as rig:
            late, absent, lost_s = _one_kill(rig)
        gaps += late
        missed += absent
        lost.append(lost_s)
    late_spread = spread(gaps)
    return [
        Figure("next_tick_p50_s", "lateness of the next tick elsewhere: p50", late_spread.p50, "s"),
        Figure("next_tick_max_s", "max", late_spread.max, "s", Goal("at most", 1.0)),
        Figure("jobs", "jobs of the killed workers", late_spread.count),
        Figure("missed", "ticks that started nowhere", missed, "", Goal("at most", 0)),
        Figure(
            "lost_s",
            "until the long command is recorded lost: max",
            max(lost),
            "s",
            Goal("at most", _TTL_S + 10),
        ),
        Figure("ttl_s", "lease of a worker", _TTL_S, "s"),
        Figure("rounds", "kills", rounds),
    ]


def _one_kill(rig: Rig) -> tuple[list[float], int, float]:
    """Lateness of the first tick of each of the victim's jobs, missed ticks, and seconds until lost."""
    marker = rig.directory / "stamps"
    argv = stamping_command(rig.directory, marker)
    rig.start_master()
    for name in _WORKERS:
        rig.start_worker(name, slots=64, jobLockTtl=_TTL_S)
    rig.wait_planned(0)
    short = make_jobs(_JOBS, prefix="short", schedule="* * * * * *", executor="exec", argv=argv)
    long = make_jobs(
        _LONG_JOBS,
        prefix="long",
        schedule="* * * * * *",
        command=f"echo $$ >> {rig.directory / 'pids'}; exec {_LONG_COMMAND}",
    )
    save_jobs(rig.etcd.endpoint, [*short, *long])
    rig.wait_finished(5 * _JOBS)
    victim = _busiest(rig)
    killed_at = int(time.time()) + 1.5
    sleep_until(killed_at)
    os.kill(rig.programs[victim].pid, signal.SIGKILL)
    lost_s = poll(lambda: _is_lost(rig, victim), limit_s=_LOST_LIMIT_S)
    victims = _jobs_of(rig, victim)
    late, missed = _gaps(read_stamps(marker), victims, killed_at, int(time.time()) - 3)
    _end_orphans(rig)
    return late, missed, lost_s


def _busiest(rig: Rig) -> str:
    """The worker that runs most of the long jobs; it has its share of the short ones too."""
    running = rig.database["executions"].find({"status": "running", "job": {"$regex": "^long"}})
    workers = [document["worker"] for document in running]
    return max(_WORKERS, key=workers.count)


def _jobs_of(rig: Rig, worker: str) -> set[str]:
    """The short jobs whose last execution before the kill was on *worker*: it ranks first for them."""
    pipeline: list[dict[str, Any]] = [
        {"$match": {"job": {"$regex": "^short"}}},
        {"$group": {"_id": {"uid": "$uid", "worker": "$worker"}, "count": {"$sum": 1}}},
    ]
    counts = list(rig.database["executions"].aggregate(pipeline))
    return {
        entry["_id"]["uid"] for entry in counts if entry["_id"]["worker"] == worker and entry["count"] > 1
    }


def _is_lost(rig: Rig, worker: str) -> bool:
    where = {"worker": worker, "job": {"$regex": "^long"}}
    executions = rig.database["executions"]
    return (
        executions.count_documents(where | {"status": "running"}) == 0
        and executions.count_documents(where | {"status": "lost"}) > 0
    )


def _gaps(stamps: Sequence[Stamp], uids: set[str], killed_at: float, until: int) -> tuple[list[float], int]:
    """Lateness of the first tick after the kill of each of *uids*, and their ticks that never started."""
    started = {(stamp.uid, stamp.due_ns // NS_PER_S): stamp for stamp in stamps}
    first = int(killed_at) + 1
    late = [started[uid, first].lateness_s for uid in uids if (uid, first) in started]
    missed = sum((uid, tick) not in started for uid in uids for tick in range(first, until))
    return late, missed


def _end_orphans(rig: Rig) -> None:
    """A killed worker's commands wait for its return, which ends them; here it does not return."""
    wanted = _LONG_COMMAND.replace(" ", "\0").encode() + b"\0"
    for line in (rig.directory / "pids").read_text().splitlines():
        try:
            if Path(f"/proc/{line}/cmdline").read_bytes() == wanted:
                os.kill(int(line), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


if __name__ == "__main__":
    run("failover", "How long do ticks wait when their worker is killed?", measure)
