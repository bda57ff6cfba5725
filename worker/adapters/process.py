"""A command as a process of this host: watched through a pidfd and own pipes, swept, reaped at the very end.

No thread and no task per process. The main process stays a zombie until its tree has been killed: as long as
it is not reaped, its number and its group's number belong to nobody else.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from common.domain.stream import Stream
from worker.adapters.containment import Containment
from worker.adapters.readiness import Readiness
from worker.processes import ProcessExit, ProcessListener, ProcessUsage, Swept

_READ_BYTES: Final = 64 * 1024
#: At the exit, what the pipes still hold is taken without another round of the loop.
_READS_AT_EXIT: Final = 2
_SWEEP_ROUNDS: Final = 5
_ROUND_WAIT_S: Final = 0.4


class Started(NamedTuple):
    """A main process, the read ends of its output and its errors, and when it was started (loop's clock)."""

    pid: int
    out: int
    err: int
    at_s: float


class ChildProcess:
    """
    A started command with its descendants (implements `processes.Process`).

    Whoever started it calls `watch`, then `begin`. Most commands of a busy worker are over within
    milliseconds; one that has ended by then is never watched, which saves a third of the work.
    """

    def __init__(
        self,
        execution_id: str,
        started: Started,
        *,
        containment: Containment,
        readiness: Readiness,
        on_closed: Callable[[str], None],
        on_reaped: Callable[[int, int], int | None],
    ) -> None:
        """
        Args:
            on_reaped: Told the pid and the kernel's peak memory; answers what is known of it, in KiB.
        """
        self.pid, out, err, self.started_s = started
        self._execution_id = execution_id
        self._pipes = {Stream.STDOUT: out, Stream.STDERR: err}
        self._containment = containment
        self._readiness = readiness
        self._on_closed = on_closed
        self._on_reaped = on_reaped
        self._listener: ProcessListener | None = None
        self._pidfd = -1
        self._ended: Any = None
        self._ended_s = 0.0
        #: The listener hears of the exit, or has heard.
        self.is_exit_seen = False
        self._is_closed = False
        self._usage: ProcessUsage | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the main process has ended, told or not."""
        if self._ended is None:
            self._ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if self._ended is not None:
                self._ended_s = asyncio.get_running_loop().time()
                self._containment.ended()
        return self._ended is not None

    def watch(self) -> None:
        """
        Watch it, unless it has ended.

        Raises:
            OSError: It cannot be watched.
        """
        if self.has_ended:
            return
        self._pidfd = os.pidfd_open(self.pid)
        self._readiness.watch(self._pidfd, self._look)
        self._watch_pipes()

    def _watch_pipes(self) -> None:
        for stream, fd in self._pipes.items():
            self._readiness.watch(fd, partial(self._read, stream))

    def begin(self, listener: ProcessListener) -> None:
        """Tell *listener* what it does from now on; at once, if it has ended."""
        if not self._is_closed:
            self._listener = listener
            if self.has_ended:
                self._look()

    def signal_tree(self, signum: int) -> None:
        if self._usage is None:
            self._containment.signal(signum)

    async def poll(self) -> None:
        self._look()

    def _look(self) -> None:
        if self.is_exit_seen or self._is_closed or self._listener is None or not self.has_ended:
            return
        self.is_exit_seen = True
        if self._pidfd >= 0:
            self._readiness.forget(self._pidfd)
        for stream in tuple(self._pipes):
            for _ in range(_READS_AT_EXIT):
                if stream in self._pipes:
                    self._read(stream)
        if self._pidfd < 0:
            # Somebody else keeps them open.
            self._watch_pipes()
        if self._ended.si_code == os.CLD_EXITED:
            how = ProcessExit(exit_code=self._ended.si_status, at_s=self._ended_s)
        else:
            how = ProcessExit(signal=self._ended.si_status, at_s=self._ended_s)
        self._listener.on_exit(how)

    async def leftovers(self) -> tuple[str, ...]:
        self._reap()
        if self._containment.is_surely_empty():
            return ()
        return tuple(str(entry) for entry in self._containment.members())

    async def sweep(self) -> Swept:
        if self.has_ended and self._is_alone():
            return Swept()
        for _ in range(_SWEEP_ROUNDS):
            self._containment.kill()
            if await self._is_empty_within(_ROUND_WAIT_S):
                return Swept(found_any=True)
        return Swept(found_any=True, survivors=tuple(str(entry) for entry in self._containment.members()))

    async def close(self) -> ProcessUsage:
        return self._close()

    def close_if_alone(self) -> ProcessUsage | None:
        """Sweep and close it at once, after its exit; None if something is left: then it stays open."""
        return self._close() if self._is_alone() else None

    def _is_alone(self) -> bool:
        """Kill the rest of its group, reap it, and tell whether nothing is left; call it after the exit."""
        if self._usage is None:
            # While it is a zombie its group's number is safe to use; most groups are empty.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._reap()
        return self._containment.is_surely_empty()

    def _close(self) -> ProcessUsage:
        for stream in tuple(self._pipes):
            self._close_pipe(stream)
        self._reap()
        if self._pidfd >= 0:
            self._readiness.forget(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if not self._is_closed:
            self._is_closed = True
            self._containment.release()
            self._on_closed(self._execution_id)
        return self._usage or ProcessUsage()

    async def _is_empty_within(self, wait_s: float) -> bool:
        """Whether everything is gone soon; dying takes the kernel a moment, and longer under load."""
        pause_s = 0.001
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            self._look()
            if self.has_ended:
                self._reap()
                if self._containment.is_surely_empty() or not self._containment.members():
                    return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.05)

    def _read(self, stream: Stream) -> None:
        if self._listener is None:
            return
        try:
            data = os.read(self._pipes[stream], _READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._listener.on_output(stream, data)
            return
        self._close_pipe(stream)
        if not self._pipes:
            self._listener.on_output_end()

    def _close_pipe(self, stream: Stream) -> None:
        fd = self._pipes.pop(stream)
        self._readiness.forget(fd)
        os.close(fd)

    def _reap(self) -> None:
        if self._usage is not None or not self.has_ended:
            return
        _, _, usage = os.wait4(self.pid, 0)
        self._containment.reaped()
        cpu_ms = round((usage.ru_utime + usage.ru_stime) * 1000)
        self._usage = ProcessUsage(cpu_ms=cpu_ms, max_rss_kb=self._on_reaped(self.pid, usage.ru_maxrss))
