"""Children, their record, their restarts and their end, with real small programs."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cronctl.up_child import Child, PortLost, ProgramDied, readable
from cronctl.up_process_record import ProcessMark, ProcessRecord, mark, stop_leftovers
from cronctl.up_stop import Stopped, StopRequest
from cronctl.up_supervision import NotReady, Supervisor, next_pause_s

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-u",
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)",
)


def child(tmp_path, name="program", argv=SLEEPER, stop_limit_s=5.0):
    return Child(name, argv, log=tmp_path / f"{name}.log", stop_limit_s=stop_limit_s)


def has_ended(pid):
    return mark("program", pid) is None


async def soon(condition, within_s=10.0):
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - processes set no events
            await asyncio.sleep(0.02)


@pytest.fixture
def said():
    return []


@pytest.fixture
async def stop(said):
    return StopRequest(said.append)


@pytest.fixture
async def supervisor(tmp_path, stop, said):
    supervisor = Supervisor(ProcessRecord(tmp_path / "processes.json"), stop, said.append)
    yield supervisor
    await supervisor.stop_all()


async def never():
    return False


async def test_a_child_that_dies_while_starting_is_named_with_its_last_words(tmp_path, supervisor):
    """Nobody has to look for the log to learn why."""
    dying = child(tmp_path, "mongod", (sys.executable, "-c", "print('no AVX here'); raise SystemExit(62)"))
    await supervisor.start_group([dying])

    with pytest.raises(ProgramDied, match=r"(?s)mongod ended \(exit code 62\).*no AVX here.*mongod\.log"):
        await supervisor.until(never, dying, limit_s=20)


async def test_a_lost_port_is_told_from_other_deaths(tmp_path, supervisor):
    """Somebody took it between the choice and the start: the whole can be tried again on others."""
    script = "print('Error: Address already in use'); print('backtrace\\n' * 5000); raise SystemExit(1)"
    dying = child(tmp_path, "mongod", (sys.executable, "-c", script))
    await supervisor.start_group([dying])

    with pytest.raises(PortLost, match="mongod ended"):
        await supervisor.until(never, dying, limit_s=20)


async def test_a_child_that_never_gets_ready_is_given_up(tmp_path, supervisor):
    """The limit is said, and what the program wrote."""
    silent = child(tmp_path)
    await supervisor.start_group([silent])

    with pytest.raises(NotReady, match="program was not ready within 0 s"):
        await supervisor.until(never, silent, limit_s=0.1)


async def test_a_program_that_cannot_be_executed_says_so(tmp_path, supervisor):
    """A missing binary reads like any other early death."""
    missing = child(tmp_path, argv=("/nonexistent/etcd",))
    await supervisor.start_group([missing])

    with pytest.raises(ProgramDied, match=r"exit code 127.*\n.*cannot start /nonexistent/etcd"):
        await supervisor.until(never, missing, limit_s=20)


async def test_a_child_that_ends_later_is_started_again(tmp_path, supervisor, said):
    """With another pid, and both the end and the start are said."""
    program = child(tmp_path)
    await supervisor.start_group([program])
    first = program.pid
    keeping = asyncio.create_task(supervisor.keep_running())
    program.send(signal.SIGKILL)
    await soon(lambda: program.is_running and program.pid != first)
    keeping.cancel()

    assert "program ended (killed by SIGKILL)" in said[0]
    assert f"program runs again (pid {program.pid})" == said[1]


@pytest.mark.parametrize(
    ("pause_s", "ran_s", "expected"),
    [
        pytest.param(0.0, 1.0, 1.0, id="first end"),
        pytest.param(1.0, 0.2, 2.0, id="again at once"),
        pytest.param(30.0, 5.0, 30.0, id="never longer"),
        pytest.param(30.0, 90.0, 1.0, id="it had recovered"),
    ],
)
def test_next_pause(pause_s, ran_s, expected):
    """The pause doubles until the program runs for a minute."""
    assert expected == next_pause_s(pause_s, ran_s)


async def test_groups_stop_last_first(tmp_path, supervisor, said):
    """Workers before masters before servers."""
    await supervisor.start_group([child(tmp_path, "etcd")])
    await supervisor.start_group([child(tmp_path, "worker-1"), child(tmp_path, "worker-2")])
    await supervisor.stop_all()

    assert ["stopping worker-1, worker-2", "stopping etcd"] == said


async def test_a_child_that_ignores_term_is_killed_at_its_limit(tmp_path, supervisor, said):
    """Stopping always comes to an end."""
    stubborn = child(tmp_path, argv=STUBBORN, stop_limit_s=0.2)
    await supervisor.start_group([stubborn])
    await soon(lambda: stubborn.last_words() == ["up"])
    await supervisor.stop_all()

    assert not stubborn.is_running
    assert "program did not stop in time and is killed" == said[-1]


async def test_the_first_press_asks_and_the_second_hurries(stop):
    """A third one changes nothing."""
    stop.press()

    assert (True, False) == (stop.requested.is_set(), stop.hurried.is_set())

    stop.press()
    stop.press()

    assert (True, True) == (stop.requested.is_set(), stop.hurried.is_set())


async def test_a_stop_cancels_what_is_awaited(stop):
    """Ctrl-C during the start does not wait for the start."""
    cancelled = asyncio.Event()

    async def work():
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    asyncio.get_running_loop().call_soon(stop.press)
    with pytest.raises(Stopped):
        await stop.unless_requested(work())

    assert cancelled.is_set()


async def test_children_end_when_their_parent_is_killed(tmp_path):
    """kill -9 of `cronctl up` leaves nothing running."""
    program = (
        "import asyncio, sys; from pathlib import Path; from cronctl.up_child import Child\n"
        "async def main():\n"
        f"    child = Child('program', {SLEEPER!r}, log=Path({str(tmp_path / 'log')!r}), stop_limit_s=1)\n"
        "    print(await child.start(), flush=True)\n"
        "    await child.exited()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    await soon(lambda: b"time.sleep(600)" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2:][0])
    parent.kill()
    parent.wait()
    parent.stdout.close()

    await soon(lambda: has_ended(pid))


def test_a_leftover_is_recognised_and_stopped(tmp_path):
    """The next start finds what an earlier one left, by pid, start time and boot."""
    with subprocess.Popen(SLEEPER) as leftover:
        ProcessRecord(tmp_path / "processes.json").add("worker-1", leftover.pid)
        found = ProcessRecord(tmp_path / "processes.json").leftovers()
        stop_leftovers(found)

        assert ["worker-1"] == [entry.name for entry in found]
        assert -signal.SIGTERM == leftover.wait(5)


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone():
    """The start time does not match: no signal."""
    with subprocess.Popen(SLEEPER) as stranger:
        own = mark("worker-1", stranger.pid)
        assert own is not None
        earlier = ProcessMark(own.name, own.pid, own.started_at_ticks - 100, own.boot_id)
        stop_leftovers([earlier])

        assert stranger.poll() is None
        stranger.kill()


def test_a_damaged_record_has_no_leftovers(tmp_path):
    """Nothing is signalled on a guess."""
    (tmp_path / "processes.json").write_text('{"processes": [{"pid": 1}]}')

    assert [] == ProcessRecord(tmp_path / "processes.json").leftovers()


def test_the_own_process_is_marked():
    """Start time and boot id come from the kernel."""
    assert mark("cronctl", os.getpid()) == mark("cronctl", os.getpid())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("plain text", "plain text", id="text"),
        pytest.param(
            '{"s":"E","msg":"Failed to set up listener","attr":{"error":"Address already in use"}}',
            "E Failed to set up listener: Address already in use",
            id="mongod",
        ),
        pytest.param(
            '{"level":"fatal","msg":"discovery failed","error":"bad url"}',
            "fatal discovery failed: bad url",
            id="etcd",
        ),
        pytest.param('["a"]', '["a"]', id="other JSON"),
    ],
)
def test_readable(line, expected):
    """Log lines of the servers as people read them."""
    assert expected == readable(line)
