"""The machines of a simulation: a clock, a process table, and commands that mark what they do.

A command is words: `work 5` runs for five seconds and exits 0. Further words: `exit=3`, `deaf` (ignores
TERM), `lines=100` (prints that many), `broken` (cannot be spawned). Processes live on the machine, not in the
worker that spawned them: they go on when it is frozen, and die with it only when somebody kills them.
"""

import asyncio
import contextvars
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from common.domain.errors import SpawnFailed
from common.domain.records import Stream
from tests.faults.evidence import Mark, Phase
from tests.sim.clocks import EPOCH, SkewedClock
from tests.sim.loop import JumpingLoop, outside
from tests.sim.trace import Trace
from worker.processes import Command, ProcessExit, ProcessListener, ProcessUsage, Swept

_TERM_LAG_S: Final = 0.05
_LINES_PER_CHUNK: Final = 50


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a simulated command does."""

    duration_s: float = 0.05
    exit_code: int = 0
    is_deaf: bool = False
    is_broken: bool = False
    lines: int = 1

    def words(self) -> str:
        text = f"work {self.duration_s:g} exit={self.exit_code} lines={self.lines}"
        return text + (" deaf" if self.is_deaf else "") + (" broken" if self.is_broken else "")

    @classmethod
    def read(cls, text: str) -> "Behaviour":
        words = text.split()
        values = dict(word.split("=") for word in words if "=" in word)
        return cls(
            duration_s=float(words[1]),
            exit_code=int(values.get("exit", 0)),
            is_deaf="deaf" in words,
            is_broken="broken" in words,
            lines=int(values.get("lines", 1)),
        )


class SimProcess:
    """A command on a machine, as `worker.processes.Process`."""

    def __init__(
        self, machine: "Machine", pid: int, execution: str, behaviour: Behaviour, listener: ProcessListener
    ) -> None:
        self.pid = pid
        self.execution = execution
        self.behaviour = behaviour
        self.exit: ProcessExit | None = None
        self.started_s = machine.loop.time()
        #: When it ends by itself.
        self.ends_s = machine.loop.time() + behaviour.duration_s
        self._machine = machine
        self._listener: ProcessListener | None = listener
        # What the process tells arrives in the worker: later if that is frozen, never if it is dead.
        self._worker = contextvars.copy_context()
        self._is_exit_told = False

    @property
    def has_ended(self) -> bool:
        return self.exit is not None

    @property
    def is_alive(self) -> bool:
        return self.exit is None

    def begin(self) -> None:
        """The command runs from now on."""
        self._machine.mark(self, Phase.START)
        loop, lines = self._machine.loop, self.behaviour.lines
        for first in range(0, lines, _LINES_PER_CHUNK):
            count = min(_LINES_PER_CHUNK, lines - first)
            text = "".join(f"line {first + number} of {self.execution}\n" for number in range(count))
            loop.call_later(self.behaviour.duration_s * first / lines, self._print, text.encode())
        loop.call_later(self.behaviour.duration_s, self._end)

    def die(self, how: ProcessExit) -> None:
        """The process is gone; the worker that listens learns how."""
        if not self.is_alive:
            return
        self.exit = how
        self._machine.gone(self)
        self._tell(self._tell_end_of_output)
        self._tell(self._tell_exit)

    def _print(self, data: bytes) -> None:
        if self.is_alive:
            self._tell(self._tell_output, data)

    def _end(self) -> None:
        if self.is_alive:
            self._machine.mark(self, Phase.END)
            self.die(ProcessExit(exit_code=self.behaviour.exit_code, at_s=self._machine.loop.time()))

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        self._machine.loop.call_soon(callback, *args, context=self._worker)

    def _tell_output(self, data: bytes) -> None:
        if self._listener is not None:
            self._listener.on_output(Stream.STDOUT, data)

    def _tell_end_of_output(self) -> None:
        if self._listener is not None:
            self._listener.on_output_end()

    def _tell_exit(self) -> None:
        if self.exit is not None and self._listener is not None and not self._is_exit_told:
            self._is_exit_told = True
            self._listener.on_exit(self.exit)

    # worker.processes.Process

    def signal_tree(self, signum: int) -> None:
        if not self.is_alive:
            return
        self._machine.trace.note("command.signalled", execution=self.execution, signal=signum, pid=self.pid)
        if signum == signal.SIGKILL:
            outside(self.die, ProcessExit(signal=signum))
        elif signum == signal.SIGTERM and not self.behaviour.is_deaf:
            outside(self._machine.loop.call_later, _TERM_LAG_S, self.die, ProcessExit(signal=signum))

    async def poll(self) -> None:
        self._tell_exit()

    async def leftovers(self) -> tuple[str, ...]:
        return ()

    async def sweep(self) -> Swept:
        self.signal_tree(signal.SIGKILL)
        await asyncio.sleep(0)
        self._tell_exit()
        return Swept()

    async def close(self) -> ProcessUsage:
        self._listener = None
        return ProcessUsage(cpu_ms=1, max_rss_kb=1000)


@dataclass(slots=True)
class Machine:
    """One host: survives the crash of the worker on it."""

    name: str
    loop: JumpingLoop
    clock: SkewedClock
    trace: Trace
    marks: list[Mark] = field(default_factory=list)
    processes: dict[int, SimProcess] = field(default_factory=dict)
    next_pid: int = 100
    fails_to_spawn: bool = False
    spawn_delay_s: float = 0.002
    #: How long after its start the worker hears of a command: a short one has ended by then.
    hearing_delay_s: float = 0.0

    async def spawn(self, command: Command, listener: ProcessListener) -> SimProcess:
        """As `worker.processes.Spawner`."""
        await asyncio.sleep(self.spawn_delay_s)
        behaviour = Behaviour.read(command.argv[-1])
        if behaviour.is_broken or self.fails_to_spawn:
            raise SpawnFailed(f"{command.argv[0]}: no such file; check the command", argv=command.argv)
        self.next_pid += 1
        process = SimProcess(self, self.next_pid, command.execution_id, behaviour, listener)
        self.processes[process.pid] = process
        outside(process.begin)
        if self.hearing_delay_s:
            await self._heard(process)
        return process

    async def _heard(self, process: SimProcess) -> None:
        try:
            await asyncio.sleep(self.hearing_delay_s)
        except asyncio.CancelledError:
            outside(process.die, ProcessExit(signal=signal.SIGKILL))
            raise

    def mark(self, process: SimProcess, phase: Phase) -> None:
        own_s = self.clock.now().timestamp()
        true_s = (EPOCH + timedelta(seconds=self.loop.time())).timestamp()
        self.marks.append(Mark(process.execution, self.name, process.pid, own_s, phase, true_s))
        self.trace.note(f"command.{phase}", host=self.name, execution=process.execution, pid=process.pid)

    def gone(self, process: SimProcess) -> None:
        self.processes.pop(process.pid, None)
        self.mark(process, Phase.GONE)

    def kill_all(self) -> None:
        """What a service manager, or a power cut, does to the commands of a worker that died."""
        for process in list(self.processes.values()):
            outside(process.die, ProcessExit(signal=signal.SIGKILL))
