"""What every spawner must do: the real one, contained either way, and the scripted one of the tests."""

import asyncio
import errno
import itertools
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from common.domain.errors import SpawnFailed
from common.domain.records import Stream
from tests.commands import CGROUPS, HOSTED, SESSIONS, running_commands
from tests.fakes.spawner import FakeSpawner, Script
from worker.adapters.process_table import all_entries, execution_of
from worker.executors.contract import Heard
from worker.processes import Command, ProcessExit, Spawner, StartWithheld, at_any_time

SCRIPTED = "scripted"


_numbers = itertools.count(1)


class Kind:
    """Makes spawners whose next process does what a test needs."""

    def __init__(self, spawner: Spawner | None) -> None:
        self._spawner = spawner

    async def spawn(self, shell_text: str, script: Script, start_by: Callable[[], float] = at_any_time):
        heard = Heard()
        spawner = self._spawner or FakeSpawner(script)
        argv = ("/no/such/program",) if script.fails else ("/bin/sh", "-c", shell_text)
        # No other test's, also not one of another test run on this host: what is left of an execution is
        # found by this id, and killed.
        execution_id = f"samplejob1.{next(_numbers)}.{os.getpid()}"
        command = Command(
            execution_id=execution_id, argv=argv, env={"CRON_EXECUTION": execution_id}, start_by=start_by
        )
        return await spawner.spawn(command, heard), heard


@pytest.fixture(params=[SCRIPTED, HOSTED, CGROUPS, SESSIONS])
async def kind(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kind]:
    async with asyncio.timeout(30):
        if request.param == SCRIPTED:
            yield Kind(None)
            return
        async with running_commands(tmp_path, request.param) as commands:
            yield Kind(commands.spawner)


async def test_exit_is_told_once_with_its_code(kind):
    process, heard = await kind.spawn("exit 3", Script(exit_code=3))
    await heard.has_exited.wait()
    await process.poll()
    await process.close()

    assert [ProcessExit(exit_code=3)] == heard.exits


async def test_output_comes_before_the_exit(kind):
    process, heard = await kind.spawn("echo hi", Script(output=b"hi\n", duration_s=0.01))
    await heard.has_exited.wait()
    await process.sweep()
    await process.close()

    assert {Stream.STDOUT: b"hi\n"} == heard.output
    assert 1 == heard.ends


@pytest.mark.parametrize("contained", [HOSTED, CGROUPS, SESSIONS])
async def test_output_may_end_after_the_exit(contained, tmp_path):
    """Somebody else has the pipes: a daemon, or for an instant another command that is just being started."""
    async with running_commands(tmp_path, contained) as commands, asyncio.timeout(10):
        process, heard = await Kind(commands.spawner).spawn("sleep 0.3 & exit 4", Script())
        await heard.has_exited.wait()
        ends_at_exit = heard.ends
        while not heard.ends:  # noqa: ASYNC110 - a poll; there is a time limit
            await asyncio.sleep(0.01)
        await process.sweep()
        await process.close()

    assert [ProcessExit(exit_code=4)] == heard.exits
    assert (0, 1) == (ends_at_exit, heard.ends)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
async def test_signal_ends_it(kind, signum):
    process, heard = await kind.spawn("exec sleep 60", Script(duration_s=60))

    process.signal_tree(signum)
    await heard.has_exited.wait()
    await process.close()

    assert [ProcessExit(signal=signum)] == heard.exits


async def test_deaf_process_is_swept(kind):
    process, heard = await kind.spawn(
        "trap '' TERM; echo ready; while :; do sleep 1; done",
        Script(duration_s=60, ignores_term=True, output=b"ready\n"),
    )
    while not heard.output:  # noqa: ASYNC110 - a poll; the fixture has a time limit
        await asyncio.sleep(0.01)
    process.signal_tree(signal.SIGTERM)

    swept = await process.sweep()
    await process.close()

    assert () == swept.survivors
    assert [ProcessExit(signal=signal.SIGKILL)] == heard.exits


async def test_signal_after_the_end_is_harmless(kind):
    process, heard = await kind.spawn("exit 0", Script())
    await heard.has_exited.wait()
    await process.sweep()

    process.signal_tree(signal.SIGTERM)
    await process.close()

    assert [ProcessExit(exit_code=0)] == heard.exits


async def test_what_cannot_be_spawned_says_so(kind):
    with pytest.raises(SpawnFailed, match="there is no program"):
        await kind.spawn("", Script(fails=SpawnFailed("there is no program '/no/such/program'")))


async def test_what_may_not_start_any_more_is_withheld(kind, tmp_path):
    """The worker stood still between its decision and the start; the next start is none the worse for it."""
    marker = tmp_path / "started"
    with pytest.raises(StartWithheld):
        await kind.spawn(f"touch {marker}", Script(), start_by=lambda: 0.0)
    process, heard = await kind.spawn("exit 0", Script())
    await heard.has_exited.wait()
    await process.close()

    assert [ProcessExit(exit_code=0)] == heard.exits
    assert not marker.exists()


@pytest.mark.parametrize("contained", [CGROUPS, SESSIONS])
async def test_a_start_that_waits_holds_no_descriptor(contained, tmp_path):
    """Each one that is open is copied for every process that is started, and a thousand starts may wait."""
    may_start = threading.Event()

    def when_allowed() -> float:
        may_start.wait(20)
        return at_any_time()

    async with running_commands(tmp_path, contained) as commands:
        kind = Kind(commands.spawner)
        process, _ = await kind.spawn("exec sleep 60", Script())
        await process.sweep()
        await process.close()
        before = _open_descriptors()
        starts = [asyncio.ensure_future(kind.spawn("exit 0", Script(), when_allowed)) for _ in range(40)]
        await asyncio.sleep(0.1)
        waiting = _open_descriptors()
        may_start.set()
        for process, heard in await asyncio.gather(*starts):
            await heard.has_exited.wait()
            await process.sweep()
            await process.close()

        assert before == waiting
        assert before == _open_descriptors()


@pytest.mark.parametrize("contained", [CGROUPS, SESSIONS])
async def test_what_cannot_be_watched_is_killed_and_has_failed(contained, tmp_path, monkeypatch):
    """No descriptor is left just when the command has been started: it must not run on unseen."""

    def refuse(pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with running_commands(tmp_path, contained) as commands:
        kind = Kind(commands.spawner)
        before = _open_descriptors()
        with monkeypatch.context() as patched:
            patched.setattr(os, "pidfd_open", refuse)
            with pytest.raises(SpawnFailed, match="could not be watched"):
                await kind.spawn("exec sleep 300", Script())
        left = await commands.left_after_a_moment()
        process, heard = await kind.spawn("exit 0", Script())
        await heard.has_exited.wait()
        await process.sweep()
        await process.close()

        assert [] == left
        assert before == _open_descriptors()


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("contained", [HOSTED, CGROUPS, SESSIONS])
async def test_cancelled_start_leaves_no_command(contained, tmp_path):
    """The start may be anywhere between the pipes and the first instruction when its caller is cancelled."""
    async with running_commands(tmp_path, contained) as commands:
        kind = Kind(commands.spawner)
        told = 0
        for delay_ms in range(12):
            spawning = asyncio.ensure_future(kind.spawn("exec sleep 300", Script(duration_s=300)))
            await asyncio.sleep(delay_ms / 2000)
            spawning.cancel()
            await asyncio.wait((spawning,))
            if spawning.cancelled():
                told += 1
                continue
            process, _ = spawning.result()
            await process.sweep()
            await process.close()

        assert told > 0
        assert [] == await commands.left_after_a_moment()
        assert [] == [str(entry) for entry in all_entries().values() if _names_one_of(entry.pid)]


def _names_one_of(pid: int) -> bool:
    return (execution_of(pid) or "").endswith(f".{os.getpid()}")
