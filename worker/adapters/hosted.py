"""The worker's side of its command host: commands run in another process, and it all looks as if here.

The host is started once and ends with the worker. Should it end by itself, `run` raises: the worker ends, is
started again, and kills what was left behind, as after any crash (ADR 0011).
"""

import asyncio
import itertools
import socket
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import structlog

from common.domain.errors import SpawnFailed
from common.domain.stream import Stream
from worker.adapters.channel import Channel, Message
from worker.processes import Command, ProcessExit, ProcessListener, ProcessUsage, StartWithheld, Swept

log: Final = structlog.get_logger(__name__)

_CLOSE_S: Final = 10.0
_ENDED: Final = "the process that runs this worker's commands has ended"


class HostedSpawner:
    """
    Spawns commands through a host process of its own (implements `processes.Spawner`).

    Use it as `async with`; `run` belongs beside the worker's other loops.
    """

    def __init__(self, worker_id: str, state_dir: Path, run_as_users: Sequence[str]) -> None:
        self._arguments = (worker_id, str(state_dir), *run_as_users)
        self._channel: Channel | None = None
        self._host: asyncio.subprocess.Process | None = None
        self._is_lost = asyncio.Event()
        self._numbers = itertools.count(1)
        self._processes: dict[int, HostedProcess] = {}
        self._questions: dict[int, asyncio.Future[Any]] = {}

    async def __aenter__(self) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._host = await self._started_host(theirs)
            except BaseException:
                ours.close()
                raise
        channel = Channel(self._receive, on_lost=self._lost)
        await asyncio.get_running_loop().create_connection(lambda: channel, sock=ours)
        self._channel = channel
        return self

    async def _started_host(self, connection: socket.socket) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "worker.command_host",
            str(connection.fileno()),
            *self._arguments,
            pass_fds=(connection.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            # A Ctrl-C is for the worker, which stops its commands in order.
            start_new_session=True,
        )

    async def __aexit__(self, *_: object) -> None:
        assert self._channel is not None  # noqa: S101 - entered
        assert self._host is not None  # noqa: S101
        self._channel.send("goodbye", 0)
        self._channel.close()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._host.wait()
        except TimeoutError:
            log.warning("command_host.killed", pid=self._host.pid)
            self._host.kill()
            await self._host.wait()

    @property
    def pid(self) -> int:
        """The host's."""
        assert self._host is not None  # noqa: S101 - entered
        return self._host.pid

    async def run(self) -> None:
        """
        Wait for ever.

        Raises:
            RuntimeError: The host has ended.
        """
        await self._is_lost.wait()
        assert self._host is not None  # noqa: S101 - entered
        code = await self._host.wait()
        raise RuntimeError(
            f"the process that runs this worker's commands (pid {self._host.pid}) has ended with {code}: "
            "killed by somebody, or by the kernel for lack of memory"
        )

    async def spawn(self, command: Command, listener: ProcessListener) -> "HostedProcess":
        start_by_s = command.start_by()
        if not start_by_s:
            raise StartWithheld
        if self._is_lost.is_set():
            raise SpawnFailed(_ENDED)
        process = HostedProcess(next(self._numbers), listener, self)
        self._processes[process.number] = process
        self.send("start", process.number, _fields(command), start_by_s)
        is_cancelled = await process.wait_for_start()
        if is_cancelled:
            # It was under way when the caller was told to stop: nobody else knows of it.
            await process.sweep()
            await process.close()
            raise asyncio.CancelledError
        return process

    def send(self, *message: Any) -> None:
        """Say something to the host; nothing happens when it is gone, as the worker ends then, too."""
        if self._channel is not None and not self._is_lost.is_set():
            self._channel.send(*message)

    async def ask(self, kind: str, number: int) -> Any:
        """
        The host's answer; None if it does not know the execution any more, or is gone.

        Raises:
            RuntimeError: Something went wrong there.
        """
        if self._is_lost.is_set():
            return None
        question = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._questions[question] = answer
        try:
            self.send(kind, number, question)
            return await answer
        finally:
            self._questions.pop(question, None)

    def forget(self, number: int) -> None:
        self._processes.pop(number, None)

    def _receive(self, message: Message) -> None:
        kind, number, *rest = message
        if kind in ("answer", "error"):
            question = self._questions.get(number)
            if question is not None and not question.done():
                if kind == "answer":
                    question.set_result(rest[0])
                else:
                    question.set_exception(RuntimeError(rest[0]))
        elif kind == "log":
            fields = rest[0]
            log.log(number, fields.pop("event"), **fields)
        elif (process := self._processes.get(number)) is not None:
            process.hear(kind, rest)

    def _lost(self) -> None:
        self._is_lost.set()
        for process in self._processes.values():
            process.never_started(SpawnFailed(_ENDED))
        for question in self._questions.values():
            if not question.done():
                question.set_result(None)


class HostedProcess:
    """A command in the host (implements `processes.Process`)."""

    __slots__ = (
        "_early",
        "_error",
        "_has_begun",
        "_is_end_told",
        "_listener",
        "_spawner",
        "_usage",
        "_waiter",
        "has_ended",
        "number",
        "pid",
        "started_s",
    )

    def __init__(self, number: int, listener: ProcessListener, spawner: HostedSpawner) -> None:
        self.number = number
        self.pid = 0
        self.started_s = 0.0
        self.has_ended = False
        self._listener: ProcessListener | None = listener
        self._spawner = spawner
        self._has_begun = False
        self._is_end_told = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        #: What was told before `spawn` has returned.
        self._early: deque[tuple[str, list[Any]]] = deque()
        #: Known once it is closed.
        self._usage: ProcessUsage | None = None

    async def wait_for_start(self) -> bool:
        """
        Whether the caller was cancelled meanwhile: an order cannot be taken back.

        Raises:
            SpawnFailed, StartWithheld: As the host says.
        """
        loop = asyncio.get_running_loop()
        is_cancelled = False
        while not self._has_begun and self._error is None:
            self._waiter = loop.create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                is_cancelled = True
        self._waiter = None
        if self._error is not None:
            self._spawner.forget(self.number)
            raise self._error
        if self._early:
            loop.call_soon(self._tell_early)
        return is_cancelled

    def never_started(self, error: Exception) -> None:
        if not self._has_begun:
            self._error = error
            self._wake()

    def signal_tree(self, signum: int) -> None:
        if self._usage is None:
            self._spawner.send("signal", self.number, int(signum))

    async def poll(self) -> None:
        if self._usage is None:
            await self._spawner.ask("poll", self.number)
        self._tell_early()

    async def leftovers(self) -> tuple[str, ...]:
        return (await self._ask("leftovers")) or ()

    async def sweep(self) -> Swept:
        answer = await self._ask("sweep")
        return Swept(*answer) if answer else Swept()

    async def close(self) -> ProcessUsage:
        answer = await self._ask("close")
        if answer:
            self._usage = ProcessUsage(*answer)
        self._listener = None
        self._spawner.forget(self.number)
        return self._usage or ProcessUsage()

    async def _ask(self, kind: str) -> Any:
        return await self._spawner.ask(kind, self.number) if self._usage is None else None

    def hear(self, kind: str, rest: list[Any]) -> None:
        """The host tells something about it."""
        if kind == "started":
            self.pid, self.started_s = rest
            self._has_begun = True
            self._wake()
        elif kind == "failed":
            self.never_started(SpawnFailed(rest[0]))
        elif kind == "withheld":
            self.never_started(StartWithheld())
        else:
            if kind == "ended":
                self._usage = ProcessUsage(rest[3], rest[4])
            self.has_ended |= kind in ("ended", "exit")
            self._tell_in_order(kind, rest)

    def _tell_in_order(self, kind: str, rest: list[Any]) -> None:
        if self._waiter is not None or self._early:
            self._early.append((kind, rest))
        else:
            self._tell(kind, rest)

    def _tell_early(self) -> None:
        while self._early:
            self._tell(*self._early.popleft())

    def _tell(self, kind: str, rest: list[Any]) -> None:
        if self._listener is None:
            return
        if kind == "output":
            self._listener.on_output(Stream(rest[0]), rest[1])
            return
        if kind != "exit" and not self._is_end_told:
            self._is_end_told = True
            self._listener.on_output_end()
        if kind != "output_end":
            self._listener.on_exit(ProcessExit(*rest[:3]))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _fields(command: Command) -> dict[str, Any]:
    return {
        "execution_id": command.execution_id,
        "argv": command.argv,
        "env": command.env,
        "cwd": command.cwd,
        "user": command.user,
        "umask": command.umask,
        "stdin": command.stdin,
        "limits": dict(command.limits),
        "kill_leftovers": command.kill_leftovers,
    }
