"""A worker and the process that runs its commands: what becomes of the one when the other is gone."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from common.domain.errors import SpawnFailed
from common.domain.execution import Status
from common.runtime.clock import SystemClock
from tests.commands import HOSTED, job, running_commands, worker_with
from worker.adapters.hosted import HostedSpawner
from worker.executors.contract import Heard
from worker.processes import Command


def test_commands_of_a_killed_worker_end_with_it(tmp_path: Path):
    """Nobody has to come and find them first."""
    worker, _ = worker_with(
        tmp_path,
        HOSTED,
        {"command": "trap '' TERM; setsid sleep 300 & echo x; sleep 300"},
        {"command": "exec env -i sleep 300"},
    )
    below = psutil.Process(worker.pid).children(recursive=True)
    worker.send_signal(signal.SIGKILL)
    worker.wait()

    _, alive = psutil.wait_procs(below, timeout=10)

    assert len(below) >= 4
    assert [] == alive


async def test_worker_ends_when_its_command_host_is_gone(tmp_path: Path):
    async with asyncio.timeout(30), HostedSpawner("test", tmp_path, ()) as spawner:
        command = Command(execution_id="samplejob1.1.1", argv=("/bin/sleep", "300"), env={})
        process = await spawner.spawn(command, Heard())
        running = psutil.Process(process.pid)
        os.kill(spawner.pid, signal.SIGKILL)

        with pytest.raises(RuntimeError, match="has ended with -9"):
            await spawner.run()
        with pytest.raises(SpawnFailed, match="has ended"):
            await spawner.spawn(command, Heard())
        # Nobody is left to ask; a caller that is cancelled now must come to its end all the same.
        await process.poll()
        process.signal_tree(signal.SIGTERM)
        await process.sweep()
        await process.close()
        running.kill()


async def test_a_start_that_is_under_way_when_the_host_dies_fails(tmp_path: Path):
    async with asyncio.timeout(30), HostedSpawner("test", tmp_path, ()) as spawner:
        os.kill(spawner.pid, signal.SIGSTOP)
        command = Command(execution_id="samplejob1.1.1", argv=("/bin/true",), env={})
        starting = asyncio.ensure_future(spawner.spawn(command, Heard()))
        await asyncio.sleep(0.05)
        os.kill(spawner.pid, signal.SIGKILL)

        with pytest.raises(SpawnFailed, match="has ended"):
            await starting


async def test_an_order_that_waited_for_longer_than_the_lease_starts_nothing(tmp_path: Path):
    """The host stood still with the order in its hands; the worker may be fenced by the time it goes on."""
    marker = tmp_path / "started"
    async with running_commands(tmp_path, HOSTED) as commands, asyncio.timeout(30):
        await commands.run(job(command="true"))
        os.kill(commands.host_pid, signal.SIGSTOP)
        lease_ends_s = SystemClock().uptime_s() + 0.3
        running = asyncio.ensure_future(
            commands.run(job(command=f"touch {marker}"), start_by=lambda: lease_ends_s)
        )
        await asyncio.sleep(0.5)
        os.kill(commands.host_pid, signal.SIGCONT)
        report = await running

    assert Status.LOST is report.status
    assert not marker.exists()


async def test_exit_codes_are_known_where_ends_of_children_are_ignored(tmp_path: Path):
    """Whoever starts the worker may ignore SIGCHLD, and that is inherited."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        async with asyncio.timeout(30), running_commands(tmp_path, HOSTED) as commands:
            report = await commands.run(job(command="exit 3"))
    finally:
        signal.signal(signal.SIGCHLD, before)

    assert (Status.FAILED, 3) == (report.status, report.exit_code)


async def test_a_host_that_cannot_be_started_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(FileNotFoundError) as refused:
        async with HostedSpawner("test", tmp_path, ()):
            pass

    # The error holds the frames in which it was raised, and with them what a collector would close.
    assert "no-python" in str(refused.value)
    assert before == len(os.listdir("/proc/self/fd"))
