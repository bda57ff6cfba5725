"""What the running half of a worker knows of processes: how they are started, stopped and listened to.

Imports next to nothing: the command host is made of this and of adapters, and a worker pays for its memory.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from common.domain.stream import Stream


def at_any_time() -> float:
    """A `Command.start_by` without a limit."""
    return math.inf


# Not frozen, though nobody changes one: that would set every field through `object.__setattr__`.
@dataclass(slots=True, kw_only=True)
class Command:
    """
    A process to spawn: everything is explicit, nothing is inherited from the worker.

    Attributes:
        limits: Those of the job that are set, by the names of `common.domain.job.Limits`.
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
    limits: Mapping[str, int] = field(default_factory=dict)
    kill_leftovers: bool = True
    start_by: Callable[[], float] = at_any_time


class StartWithheld(Exception):
    """It was later than `Command.start_by`: nothing was started."""


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """
    How the main process ended: exit code or signal.

    Attributes:
        at_s: When that was seen, on the event loop's clock; None: when it is told.
    """

    exit_code: int | None = None
    signal: int | None = None
    at_s: float | None = field(default=None, compare=False)


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
    """
    A started command, its descendants included. `close` must be called in the end.

    Attributes:
        started_s: When it was started, on the event loop's clock.
    """

    pid: int
    started_s: float

    @property
    def has_ended(self) -> bool:
        """Whether its main process is known to have ended, although the listener may not have heard of it."""
        ...

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
