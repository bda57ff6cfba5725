"""What the worker's halves need from the outside and from each other, as protocols.

The coordinating half (`dispatcher`, `claims`, `runner`) sees `Supervisor` and `Journal`; the running half
sees `Spawner` and `Process`; the journal sees `RecordSink` and `Spool`. Simulations replace the outermost
ones: clock, store, spawner, sink, spool.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from common.domain.job import Limits
from common.domain.records import Record, Stream, WriteReport
from worker.domain.assignment import Assignment, RunReport
from worker.stopping import StopSwitch


def at_any_time() -> float:
    """A `Command.start_by` without a limit."""
    return math.inf


class Supervisor(Protocol):
    """Runs the command of one assignment from spawn to the last byte of output."""

    async def run(
        self,
        assignment: Assignment,
        switch: StopSwitch,
        on_started: Callable[[datetime], Awaitable[None]],
        start_by: Callable[[], float] = at_any_time,
    ) -> RunReport:
        """
        Run it and return how it ended. Never raises for anything the command or its definition did.

        *on_started* is awaited once, after the command was spawned. A switch that is pressed before the spawn
        ends the execution without one (`before_start`), and so does *start_by*; see `Command`.
        """
        ...


class Journal(Protocol):
    """Takes records and gets them to MongoDB: at once if it is there, from the spool if it was not."""

    def record(self, record: Record) -> None:
        """Keep *record*; it is written to the spool soon and shipped within `logCommitTimeout`."""
        ...

    async def record_durably(self, record: Record) -> None:
        """Return when *record* has reached the disk (one fsync is shared by all who wait at that time)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """
    A process to spawn: everything is explicit, nothing is inherited from the worker.

    Attributes:
        kill_leftovers: Whatever it leaves running is to be killed, so a spawner may do that at its end.
        start_by: Answers until when it may start, in seconds on the clock that never jumps (see
            `Clock.uptime_s`); 0: not any more. Asked and compared at the very moment of the start, in
            whatever thread makes it: the worker may have stood still since it decided to start (a suspended
            machine), for longer than its lease.
    """

    execution_id: str
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str | None = None
    user: str | None = None
    umask: int | None = None
    stdin: bytes | None = None
    limits: Limits = field(default_factory=Limits)
    kill_leftovers: bool = True
    start_by: Callable[[], float] = at_any_time


class StartWithheld(Exception):
    """It was later than `Command.start_by`: nothing was started."""


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """How the main process ended: one of the two is given."""

    exit_code: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """What an execution cost, children that were waited for included; None: not known."""

    cpu_ms: int | None = None
    max_rss_kb: int | None = None


class ProcessListener(Protocol):
    """
    Is told what a process does, inside the event loop. Calls, not streams: a task per pipe and one per
    process would cost more than the rest of a short execution.
    """

    def on_output(self, stream: Stream, data: bytes) -> None:
        """Bytes arrived; per stream in the order they were written."""
        ...

    def on_output_end(self) -> None:
        """Both streams have ended. Comes once, before or after the exit; never if a descendant keeps one."""
        ...

    def on_exit(self, ended: ProcessExit) -> None:
        """The main process has ended, whatever its pipes and descendants do; comes once."""
        ...


@dataclass(frozen=True, slots=True)
class Swept:
    """
    What a sweep met.

    Attributes:
        found_any: Something was alive besides the main process.
        survivors: What still is, as `pid name`.
    """

    found_any: bool = False
    survivors: tuple[str, ...] = ()


class Process(Protocol):
    """A started command, its descendants included. `close` must be called in the end."""

    pid: int

    def signal_tree(self, signum: int) -> None:
        """Send *signum* to every process of the execution; nothing happens if there is none left."""
        ...

    async def poll(self) -> None:
        """Look now whether the main process has ended, and say so through the listener if it has."""
        ...

    async def leftovers(self) -> tuple[str, ...]:
        """Descendants that are alive after the main process has ended, as `pid name`."""
        ...

    async def sweep(self) -> Swept:
        """Kill whatever is left of the execution, the main process included, and look whether it is gone."""
        ...

    async def close(self) -> ProcessUsage:
        """Close the pipes, reap the main process, end the containment; the listener hears nothing more."""
        ...


class Spawner(Protocol):
    async def spawn(self, command: Command, listener: ProcessListener) -> Process:
        """
        Start *command*; *listener* may be called from the moment this returns, not before.

        Raises:
            SpawnFailed: It could not be started; the message says why and what to check.
            StartWithheld: It may not be started any more.
        """
        ...


class RecordSink(Protocol):
    async def write(self, records: Sequence[Record]) -> WriteReport:
        """
        Store *records* durably; may be repeated.

        Raises:
            StoreUnavailable: Nothing is known to be stored; write the same records again later.
        """
        ...


class Spool(Protocol):
    """
    Records on the worker's own disk, in two lanes: statuses (executions, ledger) are never dropped, output
    is dropped oldest first when the lane is full. What is dropped leaves an `OutputLoss` among the statuses.
    """

    def __len__(self) -> int:
        """Records that are not acknowledged."""
        ...

    def append(self, record: Record) -> None: ...

    async def sync(self) -> None:
        """
        Return when everything appended before the call has reached the disk.

        Raises:
            OSError: The disk refuses; what was appended is kept in memory and written later.
        """
        ...

    def peek(self, limit: int, limit_bytes: int) -> tuple[Record, ...]:
        """The oldest records that are not acknowledged, statuses first."""
        ...

    def acknowledge(self, records: Sequence[Record]) -> None:
        """Forget *records*: they are stored."""
        ...

    def set_aside(self, record: Record, reason: str) -> None:
        """Move a record the database refuses to the side, where an operator finds it."""
        ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def dropped_output(self) -> int: ...
