"""A worker that was killed, and what its successor finds."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil

from tests.commands import SESSIONS, worker_with
from worker.adapters.process_table import entry_of
from worker.adapters.state_files import StateFile, recover


def test_successor_kills_what_a_killed_worker_left(tmp_path: Path):
    """Also a command without its environment, by pid and start time; what had ended is not named."""
    worker, (first, second, _) = worker_with(
        tmp_path,
        SESSIONS,
        {"command": "sleep 300 & setsid sleep 300 & echo x; sleep 300"},
        {"command": "exec env -i sleep 300"},
        {"argv": ["/bin/true"]},
    )
    before = psutil.Process(worker.pid).children(recursive=True)
    worker.send_signal(signal.SIGKILL)
    worker.wait()

    left = {leftover.execution_id: leftover for leftover in recover(tmp_path)}

    assert {first, second} == left.keys()
    assert len(left[first].killed) >= 3
    assert 1 == len(left[second].killed)
    assert [] == [p for p in before if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_reused_pid_is_left_alone(tmp_path: Path):
    """The number is somebody else's: it started at another time."""
    state = StateFile(tmp_path)
    state.intend("samplejob1.1.1")
    time.sleep(0.3)
    bystander = subprocess.Popen(["/bin/sleep", "60"], env={})
    state.started("samplejob1.1.1", os.getppid())
    state.intend("samplejob1.2.1")
    state._open["samplejob1.2.1"].intended_s -= 1000
    state._append('["intend", "samplejob1.2.1", 5.0]')
    state._append(f'["started", "samplejob1.2.1", 6.0, {bystander.pid}]')
    state.close()

    left = recover(tmp_path)
    is_alive = bystander.poll() is None
    bystander.kill()
    bystander.wait()

    assert ["samplejob1.1.1", "samplejob1.2.1"] == [leftover.execution_id for leftover in left]
    assert [(), ()] == [leftover.killed for leftover in left]
    assert is_alive


def test_intent_without_a_process_is_reported(tmp_path: Path):
    """The worker died between the note and the spawn."""
    state = StateFile(tmp_path)
    state.intend("samplejob1.1.1")
    state.close()

    assert [("samplejob1.1.1", None)] == [(left.execution_id, left.pid) for left in recover(tmp_path)]


def test_half_a_line_is_no_reason_to_fail(tmp_path: Path):
    state = StateFile(tmp_path)
    state.intend("samplejob1.1.1")
    state.close()
    with open(tmp_path / "executions.state", "a") as file:
        file.write('["started", "samplej')

    assert 1 == len(recover(tmp_path))


def test_file_stays_small(tmp_path: Path):
    """Three lines per execution, rewritten before they are many."""
    state = StateFile(tmp_path)
    for number in range(20_000):
        state.intend(f"samplejob1.{number}.1")
        state.started(f"samplejob1.{number}.1", 1)
        if number:
            state.done(f"samplejob1.{number}.1")
    state.close()

    assert (tmp_path / "executions.state").stat().st_size < 2 * 1024 * 1024
    assert ["samplejob1.0.1"] == [left.execution_id for left in recover(tmp_path)]


def test_process_table_reads_any_name(tmp_path: Path):
    """A name may hold parentheses and spaces."""
    program = tmp_path / "a) b (c"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([str(program), "60"])
    deadline = time.monotonic() + 5
    while (entry := entry_of(process.pid)) is None or not entry.name.startswith("a) b"):
        assert time.monotonic() < deadline
    process.kill()
    process.wait()

    assert ("a) b (c", os.getpid()) == (entry.name, entry.parent)
