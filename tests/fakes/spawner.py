"""A spawner whose processes follow a script; on whatever time the event loop has."""

import asyncio
import signal
from dataclasses import dataclass, field

from common.domain.errors import SpawnFailed
from common.domain.records import Stream
from worker.processes import Command, ProcessExit, ProcessListener, ProcessUsage, StartWithheld, Swept


@dataclass(frozen=True, kw_only=True)
class Script:
    """
    What every process does.

    Attributes:
        is_exit_found_by_poll: The exit is not told; only `poll` finds it.
        ends_at_once: It has ended when `spawn` returns.
        survivors: What a sweep cannot kill.
    """

    duration_s: float = 0.0
    exit_code: int = 0
    output: bytes = b""
    ignores_term: bool = False
    fails: SpawnFailed | None = None
    spawn_s: float = 0.0
    is_exit_found_by_poll: bool = False
    ends_at_once: bool = False
    survivors: tuple[str, ...] = ()


class FakeProcess:
    """As `worker.processes.Process`."""

    pid = 4711

    def __init__(self, command: Command, listener: ProcessListener, script: Script) -> None:
        self.command = command
        self.signals: list[int] = []
        self.is_closed = False
        self._listener = listener
        self._script = script
        self._exit: ProcessExit | None = None
        self._is_told = False
        loop = asyncio.get_running_loop()
        self.started_s = loop.time()
        if script.output:
            loop.call_soon(listener.on_output, Stream.STDOUT, script.output)
        if script.ends_at_once:
            self._exit = ProcessExit(exit_code=script.exit_code)
            loop.call_soon(self._tell)
        else:
            loop.call_later(script.duration_s, self._end, ProcessExit(exit_code=script.exit_code))

    @property
    def has_ended(self) -> bool:
        return self._exit is not None

    def signal_tree(self, signum: int) -> None:
        self.signals.append(signum)
        if signum == signal.SIGKILL or (signum == signal.SIGTERM and not self._script.ignores_term):
            self._end(ProcessExit(signal=signum))

    async def poll(self) -> None:
        if self._exit is not None and not self._is_told:
            self._tell()

    async def leftovers(self) -> tuple[str, ...]:
        return self._script.survivors

    async def sweep(self) -> Swept:
        found_any = self._exit is None
        if not self._script.survivors:
            self.signal_tree(signal.SIGKILL)
        return Swept(found_any=found_any, survivors=self._script.survivors)

    async def close(self) -> ProcessUsage:
        self.is_closed = True
        return ProcessUsage(cpu_ms=1)

    def _end(self, how: ProcessExit) -> None:
        if self._exit is None and not self.is_closed:
            self._exit = how
            if not self._script.is_exit_found_by_poll:
                self._tell()

    def _tell(self) -> None:
        assert self._exit is not None
        if self._is_told:
            return
        self._is_told = True
        self._listener.on_output_end()
        self._listener.on_exit(self._exit)


@dataclass
class FakeSpawner:
    """As `worker.processes.Spawner`."""

    script: Script
    spawned: list[FakeProcess] = field(default_factory=list)

    async def spawn(self, command: Command, listener: ProcessListener) -> FakeProcess:
        await asyncio.sleep(self.script.spawn_s)
        if self.script.fails:
            raise self.script.fails
        if asyncio.get_running_loop().time() > command.start_by():
            raise StartWithheld
        process = FakeProcess(command, listener, self.script)
        self.spawned.append(process)
        return process
