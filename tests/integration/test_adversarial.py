"""Commands that do their best to get away, each with cgroups and without."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from common.domain.execution import Reason, Status
from common.domain.records import Stream
from tests.commands import CGROUPS, HOSTED, SESSIONS, Commands, job, running_commands
from worker.domain.assignment import StopCause
from worker.stopping import StopSwitch

_DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {detach}
        time.sleep(300)
    os._exit(0)
print("started")
"""


@pytest.fixture(params=[HOSTED, SESSIONS])
async def commands(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Commands]:
    async with running_commands(tmp_path, request.param, run_as_users=("nobody",)) as running:
        yield running


def pressed_after(delay_s: float, cause: StopCause = StopCause.REQUESTED, **how) -> StopSwitch:
    switch = StopSwitch()
    asyncio.get_running_loop().call_later(delay_s, lambda: switch.press(cause, **how))
    return switch


async def test_ignores_term(commands):
    """KILL follows the grace."""
    command = "trap '' TERM; while :; do sleep 0.1; done"

    report = await commands.run(job(command=command), pressed_after(0.3, by="ann"))

    assert (Status.KILLED, Reason.REQUESTED, 9, "ann") == (
        report.status,
        report.reason,
        report.signal,
        report.kill_requested,
    )
    assert () == report.kill_incomplete
    assert [] == await commands.left_after_a_moment()


async def test_ends_within_the_grace(commands):
    """Who takes TERM well is not killed, and is stopped all the same."""
    command = "trap 'echo cleaning; exit 0' TERM; while :; do sleep 0.05; done"

    report = await commands.run(job(command=command, kill_grace_s=10), pressed_after(0.3))

    assert (Status.KILLED, 0) == (report.status, report.exit_code)
    assert ["cleaning"] == commands.journal.lines()
    assert report.duration_ms < 5_000


async def test_is_stopped_with_sigstop(commands):
    """CONT goes with TERM: a stopped process takes none."""
    report = await commands.run(job(command="kill -STOP $$; sleep 60", kill_grace_s=10), pressed_after(0.3))

    assert Status.KILLED == report.status
    assert report.duration_ms < 5_000


@pytest.mark.parametrize(
    "detach",
    [
        pytest.param("pass", id="keeps its output open"),
        pytest.param("[os.close(fd) for fd in (0, 1, 2)]", id="closes its output"),
        pytest.param(
            "os.environ.clear(); os.execve('/bin/sleep', ['sleep', '300'], {})", id="empties its environment"
        ),
    ],
)
async def test_double_forked_daemon(commands, detach):
    """It left its session and lost its parent, and is found all the same; the pipes are not waited for."""
    began_s = time.monotonic()

    report = await commands.run(job(script=_DAEMON.format(detach=detach)))

    assert Status.SUCCEEDED == report.status
    assert ["started"] == commands.journal.lines()
    assert ["[processes the command left behind were killed]"] == commands.journal.lines(Stream.SYSTEM)
    assert time.monotonic() - began_s < 6
    assert [] == await commands.left_after_a_moment()


async def test_killed_with_its_daemon(commands):
    """A stop takes what called setsid as well."""
    script = _DAEMON.format(detach="pass") + "\ntime.sleep(300)"

    report = await commands.run(job(script=script), pressed_after(0.5))

    assert Status.KILLED == report.status
    assert [] == await commands.left_after_a_moment()


async def test_daemon_that_may_stay(commands, tmp_path):
    """`kill_leftovers: false` reports and leaves it alone."""
    command = f"setsid sleep 300 >/dev/null 2>&1 & echo $! > {tmp_path}/pid"

    report = await commands.run(job(command=command, kill_leftovers=False))
    pid = int((tmp_path / "pid").read_text())
    said = commands.journal.lines(Stream.SYSTEM)

    assert Status.SUCCEEDED == report.status
    assert 1 == len(said)
    assert f"{pid} " in said[0]
    psutil.Process(pid).kill()


async def test_fork_bomb_under_limits(commands):
    """The bomb belongs to a user of its own, whose processes are limited; the kill outruns it."""
    command = "bomb() { bomb & bomb & wait; }; bomb"
    spec = job(command=command, user="nobody", cwd="/", limits={"nproc": 100}, max_output_bytes=0)

    report = await commands.run(spec, pressed_after(1.0))

    assert Status.KILLED == report.status
    assert () == report.kill_incomplete
    assert [] == await commands.left_after_a_moment()


async def test_exits_by_signal(commands):
    report = await commands.run(job(command="kill -SEGV $$"))

    assert (Status.FAILED, Reason.SIGNAL, 11, None) == (
        report.status,
        report.reason,
        report.signal,
        report.exit_code,
    )


async def test_timeout_takes_the_same_path(commands):
    report = await commands.run(job(command="sleep 60 & sleep 60", timeout_s=1))

    assert (Status.TIMED_OUT, Reason.TIMEOUT, None) == (report.status, report.reason, report.kill_requested)
    assert 1_000 <= report.duration_ms < 3_000
    assert [] == await commands.left_after_a_moment()


async def test_two_hundred_at_once(commands):
    """Nobody waits for anybody, and each gets its own output."""
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(commands.run(job(command=f"echo {n}; exit {n % 3}"))) for n in range(200)]
    codes = [run.result().exit_code for run in runs]

    assert [n % 3 for n in range(200)] == codes
    assert sorted(map(str, range(200))) == sorted(commands.journal.lines())
    assert [] == await commands.left_after_a_moment()


async def test_invalid_utf8_and_nul(commands):
    await commands.run(job(command=r"printf 'a\377b\000c\n\000\000\nend'"))

    assert ["a\ufffdbc", "", "end"] == commands.journal.lines()


async def test_reads_stdin(commands):
    """Without `stdin` there is an end at once, with it there is what the job says, however long."""
    text = "line\n" * 6_000

    await commands.run(job(command="cat; echo none"))
    report = await commands.run(job(command="wc -c", stdin=text))

    assert ["none", str(len(text))] == commands.journal.lines()
    assert Status.SUCCEEDED == report.status


async def test_changes_directory(commands, tmp_path):
    await commands.run(job(command="pwd; cd /; pwd", cwd=str(tmp_path)))

    assert [str(tmp_path), "/"] == commands.journal.lines()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"argv": ["/no/such/program"]}, "there is no program", id="missing program"),
        pytest.param({"argv": ["no-such-program"]}, "in PATH=", id="missing on PATH"),
        pytest.param(
            {"command": "true", "shell": "/bin/fish-not-here"}, "there is no program", id="missing shell"
        ),
        pytest.param(
            {"script": "1", "interpreter": "python9"}, "there is no program", id="missing interpreter"
        ),
        pytest.param(
            {"command": "true", "cwd": "/no/such/directory"}, "working directory", id="missing directory"
        ),
        pytest.param({"command": "true", "cwd": "/etc/passwd"}, "not a directory", id="file as directory"),
        pytest.param({"command": "true", "user": "nobody-here"}, "runAsUsers", id="user not listed"),
        pytest.param({"command": "true", "user": "daemon"}, "runAsUsers", id="no right to run as"),
        pytest.param({"argv": ["/etc/passwd"]}, "may not execute", id="not executable"),
        pytest.param({"argv": ["/etc"]}, "is a directory", id="a directory"),
        pytest.param(
            {"command": "true", "executor": "shell", "limits": {"nofile": 1_048_576}}, None, id="large limit"
        ),
        pytest.param({"executor": "cobol"}, "does not offer", id="unknown executor"),
        pytest.param(
            {"argv": ["/bin/true", "x" * 32_000] + ["y" * 32_000] * 90}, "too long", id="long arguments"
        ),
    ],
)
async def test_cannot_be_spawned(commands, fields, said):
    """An execution that failed, with a reason a person can act on."""
    report = await commands.run(job(**fields))

    if said is None:
        assert report.error is None or "limit" in report.error
        return
    assert (Status.FAILED, Reason.SPAWN) == (report.status, report.reason)
    assert said in (report.error or "")
    assert [] == await commands.left_after_a_moment()


async def test_missing_interpreter_of_a_script(commands, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)

    report = await commands.run(job(argv=[str(script)]))

    assert "interpreter in its first line" in (report.error or "")


async def test_exit_that_came_first_keeps_its_outcome(commands):
    """Situation 32: the kill arrives while the pipes are still being drained."""
    switch = pressed_after(0.5, by="ann")

    report = await commands.run(job(command="sleep 60 & exit 3"), switch)

    assert (Status.FAILED, 3, "ann") == (report.status, report.exit_code, report.kill_requested)
    assert [] == await commands.left_after_a_moment()


@pytest.mark.slow
async def test_one_gigabyte_of_output(commands):
    """Bounded in memory, counted to the byte, and nobody else waits for it."""
    own = psutil.Process()
    before = own.memory_info().rss
    neighbours = []

    async def neighbour() -> None:
        for _ in range(20):
            began_s = time.monotonic()
            await commands.run(job(command="echo hi"))
            neighbours.append(time.monotonic() - began_s)

    async with asyncio.TaskGroup() as group:
        group.create_task(neighbour())
        flood = group.create_task(
            commands.run(
                job(
                    command="yes $(printf %099d 7) | head -c 1000000000",
                    max_output_bytes=1_000_000,
                )
            )
        )
    report = flood.result()

    assert report.out.bytes >= 1_000_000_000
    assert report.truncated
    assert own.memory_info().rss - before < 60 * 1024 * 1024
    assert sorted(neighbours)[len(neighbours) // 2] < 0.5


@pytest.mark.slow
async def test_one_line_of_a_hundred_megabytes(commands):
    report = await commands.run(job(command="head -c 100000000 /dev/zero | tr '\\0' x"))

    assert (100_000_000, 1) == (report.out.bytes, report.out.lines)
    assert report.truncated


async def test_peak_memory_of_a_small_command_is_its_own(commands):
    """Not the worker's size, which the kernel reports for everything smaller than the worker."""
    report = await commands.run(job(command="sleep 1.5; exit 0"))

    assert report.max_rss_kb is not None
    assert report.max_rss_kb < 20_000


async def test_cgroup_that_vanished_is_replaced(tmp_path):
    """Somebody cleaned up below the worker's cgroup: the next execution gets a new one."""
    async with running_commands(tmp_path, CGROUPS) as commands:
        await commands.run(job(command="true"))
        (leaf,) = commands.spawner._containments._pool._free
        leaf.path.rmdir()

        report = await commands.run(job(command="setsid sleep 300 & exit 0"))

        assert Status.SUCCEEDED == report.status
        assert [] == await commands.left_after_a_moment()
