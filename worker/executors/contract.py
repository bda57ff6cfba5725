"""The contract every executor keeps, as a pytest suite a plug-in runs against its own.

    from worker.executors.contract import ExecutorContract

    class TestGreeter(ExecutorContract):
        executor = GreeterExecutor()
        succeeds = {"options": {"name": "ann"}}
        fails = {"options": {"name": ""}}
        runs_long = {"options": {"name": "ann", "pause_s": "60"}}

Needs pytest and pytest-asyncio (in auto mode) where it is run; nothing of the worker imports this module.
"""

import asyncio
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from common.domain.execution import Cause
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from common.domain.records import Stream
from worker.adapters.cgroup import Containments
from worker.adapters.readiness import Readiness
from worker.adapters.run_as import RunAs
from worker.adapters.spawner import PosixSpawner
from worker.adapters.state_files import StateFile
from worker.adapters.subreaper import Subreaper
from worker.domain.assignment import Assignment
from worker.domain.environment import environment_of
from worker.executors.interface import Executor, StartRequest
from worker.processes import Process, ProcessExit

_LIMIT_S = 30.0
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Heard:
    """What an execution told."""

    def __init__(self) -> None:
        self.output: dict[Stream, bytes] = {}
        self.exits: list[ProcessExit] = []
        self.ends = 0
        self.has_exited = asyncio.Event()

    def on_output(self, stream: Stream, data: bytes) -> None:
        self.output[stream] = self.output.get(stream, b"") + data

    def on_output_end(self) -> None:
        self.ends += 1

    def on_exit(self, ended: ProcessExit) -> None:
        self.exits.append(ended)
        self.has_exited.set()


class ExecutorContract:
    """
    Subclass it with the four attributes; each is the fields of a job beyond its name.

    Attributes:
        succeeds: A job whose execution exits with 0 within seconds.
        fails: One that exits with another code, or raises SpawnFailed.
        runs_long: One that runs for a minute unless it is stopped.
    """

    executor: ClassVar[Executor]
    succeeds: ClassVar[dict[str, Any]]
    fails: ClassVar[dict[str, Any]]
    runs_long: ClassVar[dict[str, Any]]

    async def test_success_is_exit_code_0(self) -> None:
        async with _started(self.executor, self.succeeds) as (_, heard):
            await heard.has_exited.wait()

        _expect([ProcessExit(exit_code=0)], heard.exits)

    async def test_failure_is_another_exit_code_or_a_spawn_failure(self) -> None:
        from common.domain.errors import SpawnFailed

        try:
            async with _started(self.executor, self.fails) as (_, heard):
                await heard.has_exited.wait()
        except SpawnFailed as error:
            _expect(True, bool(str(error)))
            return

        _expect(1, len(heard.exits))
        _expect(True, heard.exits[0] != ProcessExit(exit_code=0))

    async def test_output_ends_once(self) -> None:
        async with _started(self.executor, self.succeeds) as (_, heard):
            await heard.has_exited.wait()
            while not heard.ends:  # noqa: ASYNC110 - a poll with a deadline
                await asyncio.sleep(0.01)

        _expect(1, heard.ends)

    async def test_it_says_when_it_was_started_and_whether_it_has_ended(self) -> None:
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        async with _started(self.executor, self.runs_long) as (process, _):
            _expect(True, asked_s <= process.started_s <= loop.time())
            _expect(False, process.has_ended)
            await process.sweep()
            _expect(True, process.has_ended)

    async def test_term_or_kill_stops_it(self) -> None:
        async with _started(self.executor, self.runs_long) as (process, heard):
            await asyncio.sleep(0.2)
            process.signal_tree(signal.SIGTERM)
            await process.sweep()
            await heard.has_exited.wait()

        _expect(1, len(heard.exits))

    async def test_nothing_is_told_after_close(self) -> None:
        async with _started(self.executor, self.runs_long) as (process, heard):
            await process.sweep()
            await process.close()
            told = (len(heard.exits), heard.ends, dict(heard.output))
            await asyncio.sleep(0.2)

        _expect(told, (len(heard.exits), heard.ends, dict(heard.output)))

    async def test_signals_after_the_end_are_harmless(self) -> None:
        async with _started(self.executor, self.succeeds) as (process, heard):
            await heard.has_exited.wait()
            process.signal_tree(signal.SIGTERM)
            await process.poll()

        _expect(1, len(heard.exits))


@asynccontextmanager
async def _started(executor: Executor, fields: dict[str, Any]) -> AsyncIterator[tuple[Process, Heard]]:
    spec = JobSpec(
        name="contract",
        # Of its own: what bears the same execution id is killed with it, also that of a run beside this one.
        uid=f"contract{secrets.token_hex(8)}",
        created_at=_EPOCH,
        changed_at=_EPOCH,
        executor=executor.name,
        **fields,
    )
    assignment = Assignment(
        execution=ExecutionId.of_tick(spec.uid, 1),
        spec=spec,
        cause=Cause.SCHEDULE,
        scheduled_at=_EPOCH,
        claimed_at=_EPOCH,
        start_not_before=_EPOCH,
        fence=1,
        worker_id="contract",
        session="1",
        expires_at=_EPOCH + timedelta(days=1),
    )
    heard = Heard()
    run_as = RunAs(frozenset())
    with tempfile.TemporaryDirectory() as state_dir:
        subreaper = Subreaper()
        spawner = PosixSpawner(
            run_as=run_as,
            containments=Containments(subreaper, None),
            subreaper=subreaper,
            readiness=Readiness(),
            state=StateFile(Path(state_dir)),
        )
        try:
            async with asyncio.timeout(_LIMIT_S):
                env = environment_of(assignment, run_as.account(None))
                request = StartRequest(assignment=assignment, env=env, spawner=spawner, listener=heard)
                process = await executor.start(request)
                try:
                    yield process, heard
                finally:
                    await process.sweep()
                    await process.close()
        finally:
            spawner.close()


def _expect(expected: object, actual: object) -> None:
    # Not `assert`: pytest rewrites those in test modules only, and python -O drops them.
    if expected != actual:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")
