"""How late do jobs start at 200 starts a second, minutes on end?

Asked twice. *Ticks* lie on whole seconds, so 200 jobs of every second are a small burst each time, and the
last of them cannot start sooner than the machine can start 200 processes. *Requests* come one every 5 ms and
show what the scheduler itself adds: etcd, watch, claim, spawn.
"""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure, Goal
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.requests import ask_evenly
from bench.rig import Rig, installation
from bench.stamps import Punctuality, judge, read_stamps, stamping_command
from bench.usage import Cpu, sleep_until

_PER_S = 200
_SLOTS = 2 * _PER_S
_AHEAD_S = 8


def measure(form: Form) -> Sequence[Figure]:
    seconds = form.pick(full=300, short=30)
    with installation() as rig:
        marker, ticked, asked = (rig.directory / name for name in ("floor", "ticked", "asked"))
        floor = _floor(stamping_command(rig.directory, marker), marker)
        worker = rig.start_worker(slots=_SLOTS)
        rig.wait_planned(0)
        before = Cpu.of(worker.pid)
        requests = _requests(rig, asked, seconds)
        between = Cpu.of(worker.pid)
        ticks = _ticks(rig, ticked, seconds)
        after = Cpu.of(worker.pid)
    return [
        *_figures("request", "requests, one each 5 ms", requests, with_goal=True),
        Figure("request_cpu_share", "of a core the worker used", between.since(before).own_s / seconds),
        *_figures("tick", "ticks, 200 each second", ticks, with_goal=False),
        Figure("tick_cpu_share", "of a core the worker used", after.since(between).own_s / seconds),
        Figure("floor_p50_ms", "200 bare spawns at once: lateness p50", floor.p50_s * 1000, "ms"),
        Figure("floor_p99_ms", "200 bare spawns at once: lateness p99", floor.p99_s * 1000, "ms"),
        Figure("seconds", "measured for, each", seconds, "s"),
    ]


def _figures(key: str, words: str, late: Punctuality, *, with_goal: bool) -> list[Figure]:
    goals = (Goal("at most", 5), Goal("at most", 50)) if with_goal else (None, None)
    return [
        Figure(f"{key}_p50_ms", f"{words}: lateness p50", late.p50_s * 1000, "ms", goals[0]),
        Figure(f"{key}_p99_ms", f"{words}: lateness p99", late.p99_s * 1000, "ms", goals[1]),
        Figure(f"{key}_max_ms", f"{words}: lateness max", late.max_s * 1000, "ms"),
        Figure(f"{key}_started", "started", late.started),
        Figure(f"{key}_missed", "not started", late.missed, "", Goal("at most", 0)),
        Figure(f"{key}_twice", "started twice", late.twice, "", Goal("at most", 0)),
    ]


def _requests(rig: Rig, marker: Path, seconds: int) -> Punctuality:
    argv = stamping_command(rig.directory, marker)
    jobs = make_jobs(_PER_S, prefix="asked", executor="exec", argv=argv, overlap="allow")
    save_jobs(rig.etcd.endpoint, jobs)
    asked = ask_evenly(rig.etcd.endpoint, jobs, per_s=_PER_S, seconds=seconds)
    rig.wait_settled(len(asked))
    return judge(read_stamps(marker), asked)


def _ticks(rig: Rig, marker: Path, seconds: int) -> Punctuality:
    argv = stamping_command(rig.directory, marker)
    first = int(time.time()) + _AHEAD_S
    last = first + seconds - 1
    jobs = make_jobs(
        _PER_S,
        prefix="ticked",
        schedule="* * * * * *",
        executor="exec",
        argv=argv,
        starts_at=datetime.fromtimestamp(first, UTC),
        ends_at=datetime.fromtimestamp(last, UTC),
    )
    finished_before = rig.finished()
    save_jobs(rig.etcd.endpoint, jobs)
    rig.wait_planned(_PER_S)
    sleep_until(last)
    expected = [f"{job.uid}.{tick}.1" for job in jobs for tick in range(first, last + 1)]
    rig.wait_settled(finished_before + len(expected))
    return judge(read_stamps(marker), expected)


def _floor(argv: tuple[str, ...], marker: Path) -> Punctuality:
    """What nobody can beat: a loop that does nothing but start the same program 200 times at once."""
    pids, expected = [], []
    due_ns = time.time_ns()
    for number in range(_PER_S):
        expected.append(f"bare{number}.m{due_ns}.1")
        pids.append(os.posix_spawn(argv[0], argv, {"CRON_EXECUTION": expected[-1], "PATH": os.defpath}))
    for pid in pids:
        os.waitpid(pid, 0)
    return judge(read_stamps(marker), expected)


if __name__ == "__main__":
    run("steady", "How late do jobs start at 200 starts a second?", measure)
