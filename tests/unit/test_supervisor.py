"""The supervisor's decisions, on a process that does what the test says."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta

import pytest

from common.domain.errors import SpawnFailed
from common.domain.execution import Reason, Status
from common.domain.records import Stream
from common.runtime.clock import SystemClock
from tests.commands import assignment, job
from tests.fakes.journal import MemoryJournal
from tests.fakes.spawner import FakeSpawner, Script
from worker.domain.account import Account
from worker.domain.assignment import StopCause
from worker.executors.shell import ShellExecutor
from worker.stopping import StopSwitch
from worker.supervisor import CommandSupervisor


class Bench:
    """A supervisor on a fake spawner."""

    def __init__(self, script: Script) -> None:
        self.spawner = FakeSpawner(script)
        self.journal = MemoryJournal()
        self.started: list[datetime] = []
        self.supervisor = CommandSupervisor(
            executors={"shell": ShellExecutor()},
            spawner=self.spawner,
            account_of=lambda _: Account("ann", "/home/ann"),
            journal=self.journal,
            clock=SystemClock(),
            output_flush_s=0.02,
        )

    async def run(self, switch=None, *, start_in_s=0.0, **fields):
        given = assignment(
            job(command="x", **fields), start_not_before=datetime.now(UTC) + timedelta(seconds=start_in_s)
        )
        return await self.supervisor.run(given, switch or StopSwitch(), self.started.append)


@pytest.mark.parametrize(
    ("cause", "status", "reason"),
    [
        pytest.param(StopCause.REQUESTED, Status.KILLED, Reason.BEFORE_START, id="kill"),
        pytest.param(StopCause.REPLACED, Status.KILLED, Reason.REPLACED, id="replace"),
        pytest.param(StopCause.SHUTDOWN, Status.KILLED, Reason.SHUTDOWN, id="shutdown"),
        pytest.param(StopCause.LEASE, Status.LOST, Reason.BEFORE_START, id="lease"),
    ],
)
async def test_stopped_before_its_start(cause, status, reason):
    """Situation 31: nothing is spawned."""
    bench, switch = Bench(Script()), StopSwitch()
    asyncio.get_running_loop().call_later(0.02, switch.press, cause)

    report = await bench.run(switch, start_in_s=30)

    assert (status, reason, None) == (report.status, report.reason, report.started_at)
    assert [] == bench.spawner.spawned
    assert [] == bench.started


async def test_a_start_that_is_withheld_is_lost_before_it():
    """Situation 21: the lease ended while the start waited for the kernel."""
    bench = Bench(Script())

    report = await bench.supervisor.run(
        assignment(job(command="x")), StopSwitch(), bench.started.append, lambda: False
    )

    assert (Status.LOST, Reason.BEFORE_START, None) == (report.status, report.reason, report.started_at)
    assert [] == bench.spawner.spawned
    assert [] == bench.started


@pytest.mark.parametrize(
    ("cause", "status", "reason"),
    [
        pytest.param(StopCause.REQUESTED, Status.KILLED, Reason.REQUESTED, id="kill"),
        pytest.param(StopCause.REPLACED, Status.KILLED, Reason.REPLACED, id="replace"),
        pytest.param(StopCause.SHUTDOWN, Status.KILLED, Reason.SHUTDOWN, id="shutdown"),
        pytest.param(StopCause.LEASE, Status.LOST, Reason.LEASE, id="lease"),
        pytest.param(StopCause.FENCED, Status.LOST, Reason.FENCED, id="fenced"),
    ],
)
async def test_stopped_while_it_runs(cause, status, reason):
    bench, switch = Bench(Script(duration_s=60)), StopSwitch()
    asyncio.get_running_loop().call_later(0.02, switch.press, cause)

    report = await bench.run(switch)

    assert (status, reason, signal.SIGTERM) == (report.status, report.reason, report.signal)
    assert [signal.SIGTERM, signal.SIGCONT] == bench.spawner.spawned[0].signals[:2]


async def test_second_press_shortens_the_grace():
    bench, switch = Bench(Script(duration_s=60, ignores_term=True)), StopSwitch()
    loop = asyncio.get_running_loop()
    loop.call_later(0.02, switch.press, StopCause.SHUTDOWN)
    loop.call_later(0.05, lambda: switch.press(StopCause.LEASE, grace_s=0.1))

    report = await bench.run(switch, kill_grace_s=600)

    assert (Status.KILLED, Reason.SHUTDOWN, signal.SIGKILL) == (report.status, report.reason, report.signal)


async def test_one_that_has_ended_is_not_told_as_started():
    """It is over before anybody heard of it: its end says all there is to say."""
    bench = Bench(Script(exit_code=3, ends_at_once=True))

    report = await bench.run()

    assert [] == bench.started
    assert (Status.FAILED, 3) == (report.status, report.exit_code)
    assert report.started_at is not None


async def test_pressed_during_the_spawn_is_stopped_after_it():
    """Situation 31, second half: the switch is looked at again."""
    bench, switch = Bench(Script(duration_s=60, spawn_s=0.05)), StopSwitch()
    asyncio.get_running_loop().call_later(0.02, switch.press, StopCause.REQUESTED)

    report = await bench.run(switch)

    assert (Status.KILLED, Reason.REQUESTED) == (report.status, report.reason)
    assert 1 == len(bench.started)


async def test_exit_at_the_moment_of_the_press_keeps_its_outcome():
    """Situation 32: the process has ended, the loop has not heard of it yet."""
    bench, switch = Bench(Script(duration_s=0.02, exit_code=4, is_exit_found_by_poll=True)), StopSwitch()
    asyncio.get_running_loop().call_later(0.05, lambda: switch.press(StopCause.REQUESTED, by="ann"))

    report = await bench.run(switch)

    assert (Status.FAILED, 4, "ann") == (report.status, report.exit_code, report.kill_requested)


async def test_never_starts_early():
    bench = Bench(Script())
    not_before = datetime.now(UTC) + timedelta(seconds=0.15)

    report = await bench.run(start_in_s=0.15)

    assert report.started_at >= not_before - timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("exit_code", "accepted", "status"),
    [(0, (0,), Status.SUCCEEDED), (3, (0, 3), Status.SUCCEEDED), (0, (3,), Status.FAILED)],
)
async def test_exit_codes_a_job_counts_as_success(exit_code, accepted, status):
    bench = Bench(Script(exit_code=exit_code))

    report = await bench.run(success_exit_codes=accepted)

    assert status == report.status


async def test_spawn_failure_is_an_execution_that_failed():
    bench = Bench(Script(fails=SpawnFailed("there is no program 'x'")))

    report = await bench.run()

    assert (Status.FAILED, Reason.SPAWN, "there is no program 'x'") == (
        report.status,
        report.reason,
        report.error,
    )


async def test_output_is_recorded_while_it_runs():
    """Within the flush time, not at the end."""
    bench, switch = Bench(Script(duration_s=60, output=b"working\n")), StopSwitch()

    async def seen() -> None:
        while not bench.journal.lines():  # noqa: ASYNC110 - a poll with a deadline
            await asyncio.sleep(0.005)
        switch.press(StopCause.REQUESTED)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(seen())
        run = group.create_task(bench.run(switch))

    assert ["working"] == bench.journal.lines()
    assert Status.KILLED == run.result().status


async def test_secrets_are_masked_in_what_is_recorded():
    bench = Bench(Script(output=b"token hunter2\n"))

    report = await bench.run(env={"TOKEN": {"value": "hunter2", "secret": True}})

    assert ["token ***"] == bench.journal.lines()
    assert "hunter2" not in report.out.head
    assert "hunter2" == bench.spawner.spawned[0].command.env["TOKEN"]


async def test_survivors_are_reported_as_such():
    """Never as killed without a word."""
    bench, switch = Bench(Script(duration_s=60, ignores_term=True, survivors=("77 stuck",))), StopSwitch()
    asyncio.get_running_loop().call_later(0.02, lambda: switch.press(StopCause.REQUESTED, grace_s=0))

    report = await bench.run(switch)

    assert ("77 stuck",) == report.kill_incomplete
    assert "77 stuck" in (report.error or "")
    assert any("77 stuck" in line for line in bench.journal.lines(Stream.SYSTEM))


async def test_cancelled_supervisor_leaves_no_command():
    bench = Bench(Script(duration_s=60, ignores_term=True))
    task = asyncio.ensure_future(bench.run())
    while not bench.started:  # noqa: ASYNC110 - a poll; the test has a time limit
        await asyncio.sleep(0.001)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [True] == [process.is_closed for process in bench.spawner.spawned]
    assert signal.SIGKILL in bench.spawner.spawned[0].signals
