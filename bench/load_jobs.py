"""How soon is a worker at work on many stored jobs, and what do they cost it?

None of them is due while this runs. The worker's own metrics say how many it plans; they come from its event
loop, so the longest wait for an answer is also the longest time the loop was busy without a break.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2

from bench.figures import Figure, Goal
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.rig import Program, installation
from bench.usage import Cpu, peak_rss_bytes, rss_bytes
from tests import servers

_LIMIT_S = 300.0
#: Each look costs the worker some milliseconds; fifty a second were a tenth of what loading costs.
_POLL_S = 0.1
#: What belongs to the start: indexes, the first reports, and one walk over all jobs by the garbage collector.
_START_ENDS_S = 15.0
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one worker's start on *count* stored jobs cost."""

    count: int
    ready_s: float
    cpu_s: float
    rss_mb: float
    peak_mb: float
    stall_ms: float
    idle_share: float


def measure(form: Form) -> Sequence[Figure]:
    idle_s = form.pick(full=60, short=30)
    figures = _figures(_load(10_000, idle_s), rss_goal=100, idle_goal=0.01)
    if not form.is_short:
        figures += _figures(_load(100_000, idle_s), ready_goal=10, rss_goal=250)
    return figures


def _figures(
    loaded: Loaded, *, rss_goal: float, ready_goal: float | None = None, idle_goal: float | None = None
) -> list[Figure]:
    jobs = f"{loaded.count:,} jobs"
    key = f"{loaded.count // 1000}k"
    return [
        Figure(
            f"ready_{key}_s",
            f"{jobs}: from the worker's start to all planned",
            loaded.ready_s,
            "s",
            Goal("at most", ready_goal) if ready_goal else None,
        ),
        Figure(f"load_cpu_{key}_s", "CPU for that", loaded.cpu_s, "s"),
        Figure(f"rss_{key}_mb", "memory afterwards", loaded.rss_mb, "MB", Goal("at most", rss_goal)),
        Figure(f"peak_{key}_mb", "memory at most", loaded.peak_mb, "MB"),
        Figure(f"stall_{key}_ms", "longest stall of the event loop meanwhile", loaded.stall_ms, "ms"),
        Figure(
            f"idle_{key}_share",
            "of a core while nothing is due",
            loaded.idle_share,
            "",
            Goal("at most", idle_goal) if idle_goal else None,
        ),
    ]


def _load(count: int, idle_s: float) -> Loaded:
    with installation() as rig:
        # Every minute of the day is another text; the half of the day that is over, so that nothing is due.
        away = datetime.now(UTC) + timedelta(hours=4)
        jobs = [
            job.model_copy(update={"schedule": f"{n % 60} {(away.hour + n // 60 % 12) % 24} * * *"})
            for n, job in enumerate(make_jobs(count, schedule="@daily", command="true"))
        ]
        save_jobs(rig.etcd.endpoint, jobs)
        port = servers.free_port()
        began_s = time.monotonic()
        # Heartbeats as they are by default; other programs here want to hear sooner.
        worker = rig.start_worker(healthPort=port, heartbeatInterval=3000)
        stall_ms = _wait_planned(worker, port, count)
        ready_s = time.monotonic() - began_s
        load_cpu = Cpu.of(worker.pid)
        time.sleep(_START_ENDS_S)
        before = Cpu.of(worker.pid)
        time.sleep(idle_s)
        return Loaded(
            count=count,
            ready_s=ready_s,
            cpu_s=load_cpu.own_s,
            rss_mb=rss_bytes(worker.pid) / _MB,
            peak_mb=peak_rss_bytes(worker.pid) / _MB,
            stall_ms=stall_ms,
            idle_share=Cpu.of(worker.pid).since(before).own_s / idle_s,
        )


def _wait_planned(worker: Program, port: int, count: int) -> float:
    """Wait until the worker plans *count* jobs; return the longest wait for an answer, in milliseconds."""
    longest_ms, deadline_s = 0.0, time.monotonic() + _LIMIT_S
    with httpx2.Client(timeout=60, trust_env=False) as client:
        while time.monotonic() < deadline_s and worker.process.is_running:
            asked_s = time.monotonic()
            try:
                text = client.get(f"http://127.0.0.1:{port}/metrics").text
            except httpx2.ConnectError:
                # Not listening yet: that is the start of the interpreter, not a stall.
                time.sleep(_POLL_S)
                continue
            longest_ms = max(longest_ms, (time.monotonic() - asked_s) * 1000)
            if f"everytick_worker_planned {float(count)}" in text:
                return longest_ms
            time.sleep(_POLL_S)
    raise TimeoutError(f"the worker did not plan {count} jobs within {_LIMIT_S:.0f} s")


if __name__ == "__main__":
    run("load_jobs", "How soon is a worker at work on many stored jobs?", measure)
