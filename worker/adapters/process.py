"""Processes of this host: spawned, watched through a pidfd and own pipes, contained, reaped at the very end.

No thread and no task per process; a few threads wait for the kernel to start them. The main process stays a
zombie until its tree has been killed: as long as it is not reaped, its number and its group's number belong
to nobody else.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from common.domain.errors import SpawnFailed
from common.domain.stream import Stream
from worker.adapters import spawning
from worker.adapters.cgroup import Containments
from worker.adapters.containment import Containment
from worker.adapters.peak_memory import PeakMemory
from worker.adapters.readiness import Readiness
from worker.adapters.run_as import RunAs
from worker.adapters.state_files import StateFile
from worker.adapters.subreaper import Subreaper
from worker.adapters.waiting_threads import WaitingThreads
from worker.processes import Command, ProcessExit, ProcessListener, ProcessUsage, StartWithheld, Swept

_READ_BYTES: Final = 64 * 1024
#: At the exit, what the pipes still hold is taken without another round of the loop.
_READS_AT_EXIT: Final = 2
_SWEEP_ROUNDS: Final = 5
_ROUND_WAIT_S: Final = 0.4
_CWD_CHECK_S: Final = 5.0
#: Each waits for a processor as its command does. Of 1,000 due at once the last starts after 1.0 s with six
#: of them, 1.2 to 1.4 s with three; more do not help.
_STARTING_THREADS: Final = 6
#: With more commands than this waiting to be started, nobody listens to those that run, for a moment.
_STARTS_FIRST: Final = 64


class PosixSpawner:
    """Spawns commands on this host (implements `processes.Spawner`)."""

    def __init__(
        self,
        *,
        run_as: RunAs,
        containments: Containments,
        subreaper: Subreaper,
        readiness: Readiness,
        state: StateFile,
    ) -> None:
        self._run_as = run_as
        self._containments = containments
        self._subreaper = subreaper
        self._readiness = readiness
        self._state = state
        self._threads = WaitingThreads("spawn", _STARTING_THREADS)
        readiness.must_hold = lambda: self._threads.waiting > _STARTS_FIRST
        self._peaks = PeakMemory()
        self._null_fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    async def spawn(self, command: Command, listener: ProcessListener) -> "ChildProcess":
        identity = self._run_as.identity(command.user)
        if command.cwd is not None:
            await _check_cwd(command.cwd)
        stdin = self._null_fd if command.stdin is None else _memory_file(command.stdin)
        containment: Containment | None = None
        try:
            start = spawning.prepare(command, identity)
            containment = self._containments.make(command.execution_id)
            self._state.intend(command.execution_id)
            self._subreaper.starting += 1
            try:
                started, is_cancelled = await self._threads.carry_out(
                    partial(self._start_contained, command.start_by, start, stdin, containment)
                )
            finally:
                self._subreaper.starting -= 1
        except BaseException:
            if containment is not None:
                containment.release()
            self._state.done(command.execution_id)
            raise
        finally:
            if stdin != self._null_fd:
                os.close(stdin)
        pid, out_read, err_read = started
        self._subreaper.add(pid, command.execution_id)
        self._peaks.watch(pid)
        self._state.started(command.execution_id, pid)
        process = ChildProcess(
            execution_id=command.execution_id,
            pid=pid,
            pipes={Stream.STDOUT: out_read, Stream.STDERR: err_read},
            listener=listener,
            containment=containment,
            readiness=self._readiness,
            on_closed=self._forget,
            on_reaped=self._reaped,
        )
        if is_cancelled:
            # It was under way when the caller was told to stop: nobody else knows of it.
            await process.sweep()
            await process.close()
            raise asyncio.CancelledError
        return process

    def close(self) -> None:
        """Nothing runs any more."""
        self._threads.close()
        self._subreaper.close()
        self._peaks.close()
        self._readiness.close()
        self._containments.close()
        self._state.close()
        os.close(self._null_fd)

    def _start_contained(
        self, start_by: Callable[[], float], start: spawning.Start, stdin: int, containment: Containment
    ) -> tuple[int, int, int]:
        """
        In a thread, in one go: nobody may see the process before it is contained.

        The pipes are made here, not when the order is given: the kernel copies every open descriptor for each
        process it starts, and a thousand orders may wait.

        Returns:
            The pid and the read ends of its output and its errors.
        """
        self._state.flush()
        if time.clock_gettime(time.CLOCK_BOOTTIME) >= start_by():
            raise StartWithheld
        reads, writes = [], []
        try:
            for _ in (Stream.STDOUT, Stream.STDERR):
                read, write = _pipe()
                reads.append(read)
                writes.append(write)
            pid = start(stdin, *writes)
        except BaseException as error:
            _close_all(reads)
            if isinstance(error, OSError):
                raise SpawnFailed(f"the worker could not make a pipe: {error.strerror}") from error
            raise
        finally:
            _close_all(writes)
        containment.enclose(pid)
        return pid, reads[0], reads[1]

    def _reaped(self, pid: int, max_rss_kb: int) -> int | None:
        self._subreaper.reaped(pid)
        return self._peaks.take(pid, max_rss_kb)

    def _forget(self, execution_id: str) -> None:
        self._subreaper.remove(execution_id)
        self._state.done(execution_id)


class ChildProcess:
    """A spawned command with its descendants (implements `processes.Process`)."""

    def __init__(
        self,
        *,
        execution_id: str,
        pid: int,
        pipes: dict[Stream, int],
        listener: ProcessListener,
        containment: Containment,
        readiness: Readiness,
        on_closed: Callable[[str], None],
        on_reaped: Callable[[int, int], int | None],
    ) -> None:
        """
        Args:
            on_reaped: Told the pid and the kernel's peak memory; answers what is known of it, in KiB.
        """
        self.pid = pid
        self._execution_id = execution_id
        self._pipes = pipes
        self._listener = listener
        self._containment = containment
        self._readiness = readiness
        self._on_closed = on_closed
        self._on_reaped = on_reaped
        self._has_exited = False
        self._usage: ProcessUsage | None = None
        self._pidfd = os.pidfd_open(pid)
        readiness.watch(self._pidfd, self._look)
        for stream, fd in pipes.items():
            readiness.watch(fd, partial(self._read, stream))

    def signal_tree(self, signum: int) -> None:
        if self._usage is None:
            self._containment.signal(signum)

    async def poll(self) -> None:
        self._look()

    def _look(self) -> None:
        if self._has_exited:
            return
        ended = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        self._has_exited = True
        self._containment.ended()
        self._readiness.forget(self._pidfd)
        for stream in tuple(self._pipes):
            for _ in range(_READS_AT_EXIT):
                if stream in self._pipes:
                    self._read(stream)
        if ended.si_code == os.CLD_EXITED:
            self._listener.on_exit(ProcessExit(exit_code=ended.si_status))
        else:
            self._listener.on_exit(ProcessExit(signal=ended.si_status))

    async def leftovers(self) -> tuple[str, ...]:
        self._reap()
        if self._containment.is_surely_empty():
            return ()
        return tuple(str(entry) for entry in self._containment.members())

    async def sweep(self) -> Swept:
        if self._has_exited and self._is_alone():
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
            if self._has_exited:
                self._reap()
                if self._containment.is_surely_empty() or not self._containment.members():
                    return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.05)

    def _read(self, stream: Stream) -> None:
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
        if self._usage is not None or not self._has_exited:
            return
        _, _, usage = os.wait4(self.pid, 0)
        self._containment.reaped()
        cpu_ms = round((usage.ru_utime + usage.ru_stime) * 1000)
        self._usage = ProcessUsage(cpu_ms=cpu_ms, max_rss_kb=self._on_reaped(self.pid, usage.ru_maxrss))


async def _check_cwd(cwd: str) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_CWD_CHECK_S):
            await loop.run_in_executor(None, spawning.checked_cwd, cwd)
    except TimeoutError:
        raise SpawnFailed(
            f"the working directory {cwd!r} does not answer; check the file system it is on (NFS?)"
        ) from None


def _pipe() -> tuple[int, int]:
    read, write = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(read, False)
    return read, write


def _memory_file(content: bytes) -> int:
    # Not a pipe: one whose reader never reads would block the writer or need a task of its own.
    fd = os.memfd_create("stdin", os.MFD_CLOEXEC)
    with open(fd, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
