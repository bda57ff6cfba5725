"""How many executions a second does one worker complete, and what does each cost?

More ticks are due than the worker can run, so it is always at its limit. An execution counts when its final
document is in MongoDB: claimed in etcd, started, ended, recorded on disk, finished in etcd, stored.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.figures import Figure, Goal
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.rig import Rig, installation
from bench.usage import Cpu

_OFFERED_PER_S = 2000
_SLOTS = 128
_WARM_UP_S = 6.0


def measure(form: Form) -> Sequence[Figure]:
    window_s = form.pick(full=20, short=10)
    jobs = make_jobs(
        _OFFERED_PER_S,
        schedule="* * * * * *",
        executor="exec",
        argv=("/bin/true",),
        overlap="allow",
        # Late ticks are to run, not to be counted as missed: the worker is meant to fall behind.
        start_deadline_s=3600,
    )
    with installation() as rig:
        rig.start_worker(slots=_SLOTS)
        rig.wait_planned(0)
        save_jobs(rig.etcd.endpoint, jobs)
        time.sleep(_WARM_UP_S)
        return _measure_window(rig, window_s)


def _measure_window(rig: Rig, window_s: float) -> Sequence[Figure]:
    pids = {"worker": rig.programs["bench-1"].pid, "etcd": rig.etcd_pid, "mongod": rig.mongod_pid}
    before = {name: Cpu.of(pid) for name, pid in pids.items()}
    stored_before, began_s, began_at = rig.finished(), time.monotonic(), datetime.now(UTC)
    time.sleep(window_s)
    stored, took_s, ended_at = rig.finished() - stored_before, time.monotonic() - began_s, datetime.now(UTC)
    used = {name: Cpu.of(pid).since(before[name]) for name, pid in pids.items()}
    finished = rig.database["executions"].count_documents(
        {"finished_at": {"$gte": began_at, "$lt": ended_at}}
    )
    failed = rig.database["executions"].count_documents(
        {"finished_at": {"$gte": began_at}, "status": {"$ne": "succeeded"}}
    )
    per_execution = 1000 / max(1, stored)
    return [
        Figure("executions_per_s", "complete executions", stored / took_s, "/s", Goal("at least", 1000)),
        Figure("finished_per_s", "ended in the window by their own record", finished / took_s, "/s"),
        Figure("failed", "of them not succeeded", failed, "", Goal("at most", 0)),
        Figure("worker_cpu_ms", "worker CPU per execution", used["worker"].own_s * per_execution, "ms"),
        Figure(
            "command_cpu_ms", "command CPU per execution", used["worker"].children_s * per_execution, "ms"
        ),
        Figure("etcd_cpu_ms", "etcd CPU per execution", used["etcd"].own_s * per_execution, "ms"),
        Figure("mongod_cpu_ms", "mongod CPU per execution", used["mongod"].own_s * per_execution, "ms"),
        Figure("worker_cpu_share", "of one core the worker used", used["worker"].own_s / took_s),
        Figure("slots", "slots of the worker", _SLOTS),
        Figure("window_s", "measured for", took_s, "s"),
    ]


if __name__ == "__main__":
    run("throughput", "How many executions a second does one worker complete?", measure)
