"""Starts commands on this host: prepared in the event loop, spawned by a few threads, looked at in the loop.

The threads wait for the kernel, which returns only when the child has executed its program.
"""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeAlias

import structlog

from common.domain.errors import SpawnFailed
from worker.adapters import spawning
from worker.adapters.cgroup import Containments
from worker.adapters.containment import Containment
from worker.adapters.peak_memory import PeakMemory
from worker.adapters.process import ChildProcess, Started
from worker.adapters.readiness import Readiness
from worker.adapters.run_as import RunAs
from worker.adapters.state_files import StateFile
from worker.adapters.subreaper import Subreaper
from worker.adapters.waiting_threads import Order, WaitingThreads, finished
from worker.processes import Command, ProcessListener, StartWithheld

log: Final = structlog.get_logger(__name__)

#: Is told what became of a start: its process, or what `spawn` would raise.
Then: TypeAlias = Callable[[ChildProcess | Exception], None]
_Newcomer: TypeAlias = tuple[ChildProcess, Then]

_CWD_CHECK_S: Final = 5.0
#: Each waits for a processor as its command does. Of 1,000 due at once the last starts after 1.0 s with six
#: of them, 1.2 to 1.4 s with three; more do not help.
_STARTING_THREADS: Final = 6
#: With more commands than this waiting to be started, nobody listens to those that run, for a moment.
_STARTS_FIRST: Final = 128
#: How often what the threads have started is seen to, and how long after its start a command is watched that
#: has not ended before. Nine in ten of a busy worker have.
_MOMENT_S: Final = 0.008


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
        self._threads = WaitingThreads("spawn", _STARTING_THREADS, wakes=False)
        self._newcomers: list[_Newcomer] = []
        self._timer: asyncio.TimerHandle | None = None
        readiness.must_hold = lambda: self._threads.waiting > _STARTS_FIRST
        self._peaks = PeakMemory()
        self._tasks: set[asyncio.Task[None]] = set()
        self._null_fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    async def spawn(self, command: Command, listener: ProcessListener) -> ChildProcess:
        told: asyncio.Future[ChildProcess | Exception] = asyncio.get_running_loop().create_future()
        self.begin(command, told.set_result)
        is_cancelled = await finished(told)
        process = told.result()
        if isinstance(process, Exception):
            raise process
        if is_cancelled:
            # It was under way when the caller was told to stop: nobody else knows of it.
            await process.sweep()
            await process.close()
            raise asyncio.CancelledError
        asyncio.get_running_loop().call_soon(process.begin, listener)
        return process

    def begin(self, command: Command, then: Then) -> None:
        """Start *command*, and tell *then* a moment later; it has to see to it that the process is begun."""
        if command.cwd is None:
            self._order(command, then)
        else:
            self._do(self._order_checked(command, command.cwd, then))

    async def _order_checked(self, command: Command, cwd: str, then: Then) -> None:
        try:
            await _check_cwd(cwd)
        except Exception as error:
            then(error)
        else:
            self._order(command, then)

    def _order(self, command: Command, then: Then) -> None:
        start = _Start(command, then, self._null_fd)
        try:
            start.spawn = spawning.prepare(command, self._run_as.identity(command.user))
            if command.stdin is not None:
                start.stdin = _memory_file(command.stdin)
            start.containment = self._containments.make(command.execution_id)
        except Exception as error:
            self._fail(start, error)
            return
        self._state.intend(command.execution_id)
        self._subreaper.starting += 1
        if self._timer is None:
            self._see_to_them_soon()
        self._threads.order(partial(self._start, start), partial(self._started, start))

    def _start(self, start: "_Start") -> Started:
        """
        In a thread, in one go: nobody may see the process before it is contained.

        The pipes are made here, not when the order is given: the kernel copies every open descriptor for each
        process it starts, and a thousand orders may wait.
        """
        self._state.flush()
        if time.clock_gettime(time.CLOCK_BOOTTIME) >= start.command.start_by():
            raise StartWithheld
        reads, writes = [], []
        try:
            for _ in range(2):
                read, write = _pipe()
                reads.append(read)
                writes.append(write)
            pid = start.spawn(start.stdin, *writes)
        except BaseException as error:
            _close_all(reads)
            if isinstance(error, OSError):
                raise SpawnFailed(f"the worker could not make a pipe: {error.strerror}") from error
            raise
        finally:
            _close_all(writes)
        at_s = time.monotonic()
        assert start.containment is not None  # noqa: S101 - ordered with one
        start.containment.enclose(pid)
        return Started(pid, reads[0], reads[1], at_s)

    def _started(self, start: "_Start", order: Order[Started]) -> None:
        self._subreaper.starting -= 1
        if order.error is not None:
            self._state.done(start.command.execution_id)
            self._fail(start, order.error)
            return
        self._close_stdin(start)
        execution_id = start.command.execution_id
        pid = order.result.pid
        self._subreaper.add(pid, execution_id)
        self._peaks.watch(pid)
        self._state.started(execution_id, pid)
        assert start.containment is not None  # noqa: S101 - started with one
        process = ChildProcess(
            execution_id,
            order.result,
            containment=start.containment,
            readiness=self._readiness,
            on_closed=self._forget,
            on_reaped=self._reaped,
        )
        self._newcomers.append((process, start.then))

    def _see_to_them_soon(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_MOMENT_S, self._see_to_them)

    def _see_to_them(self) -> None:
        """Take over what was started, and see which commands have ended and which are to be watched."""
        self._timer = None
        self._threads.deliver()
        if not self._readiness.must_wait:
            watched_from_s = asyncio.get_running_loop().time() - _MOMENT_S
            # All are looked at before any is told of: those that have ended share a look for orphans.
            known: list[_Newcomer] = []
            waiting: list[_Newcomer] = []
            for newcomer in self._newcomers:
                process, _ = newcomer
                is_known = process.has_ended or process.started_s <= watched_from_s
                (known if is_known else waiting).append(newcomer)
            self._newcomers = waiting
            for process, then in known:
                self._introduce(process, then)
        if self._newcomers or self._subreaper.starting:
            self._see_to_them_soon()

    def _introduce(self, process: ChildProcess, then: Then) -> None:
        try:
            process.watch()
        except OSError as error:
            self._do(self._give_up(process, error, then))
            return
        try:
            then(process)
        except Exception:
            log.exception("spawn.failed", pid=process.pid)

    async def _give_up(self, process: ChildProcess, error: OSError, then: Then) -> None:
        """It runs, but nobody would learn of its end."""
        log.error("spawn.not_watched", pid=process.pid, error=str(error))
        while True:
            try:
                await process.sweep()
                break
            except OSError:
                # Its group has been killed. Looking for the rest takes a descriptor; somebody will end.
                await asyncio.sleep(_MOMENT_S)
        await process.close()
        then(
            SpawnFailed(f"the command was started, but could not be watched: {error.strerror}; it was killed")
        )

    def _fail(self, start: "_Start", error: Exception) -> None:
        self._close_stdin(start)
        if start.containment is not None:
            start.containment.release()
        start.then(error)

    def _close_stdin(self, start: "_Start") -> None:
        if start.stdin != self._null_fd:
            os.close(start.stdin)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Nothing runs any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._threads.close()
        self._subreaper.close()
        self._peaks.close()
        self._readiness.close()
        self._containments.close()
        self._state.close()
        os.close(self._null_fd)

    def _reaped(self, pid: int, max_rss_kb: int) -> int | None:
        self._subreaper.reaped(pid)
        return self._peaks.take(pid, max_rss_kb)

    def _forget(self, execution_id: str) -> None:
        self._subreaper.remove(execution_id)
        self._state.done(execution_id)


class _Start:
    """One that is under way."""

    __slots__ = ("command", "containment", "spawn", "stdin", "then")

    spawn: spawning.Start

    def __init__(self, command: Command, then: Then, stdin: int) -> None:
        self.command = command
        self.then = then
        self.stdin = stdin
        self.containment: Containment | None = None


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
