"""`python -m worker.command_host`: the process in which a worker's commands are started and looked after.

Started by the worker (`adapters/hosted.py`), one for its whole life. Spawning, pipes and reaping need Python
a thousand times a second while the worker needs it for its claims and records, and two threads share one
lock; two processes do not. It decides nothing: it does what it is told and tells what happens. When the
worker is gone, so are the commands, within seconds.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from common.domain.errors import SpawnFailed
from common.domain.stream import Stream
from worker.adapters.cgroup import Containments, open_leaf_pool
from worker.adapters.channel import Channel, Message
from worker.adapters.process import ChildProcess
from worker.adapters.readiness import Readiness
from worker.adapters.run_as import RunAs
from worker.adapters.spawner import PosixSpawner
from worker.adapters.state_files import StateFile
from worker.adapters.subreaper import Subreaper
from worker.processes import Command, ProcessExit, ProcessUsage, StartWithheld

log: Final = structlog.get_logger(__name__)

#: How long killing everything may take after the worker is gone; its successor does the rest.
_LAST_SWEEP_S: Final = 5.0
_POLL_S: Final = 0.01


class CommandHost:
    """Carries out a worker's orders."""

    def __init__(self, spawner: PosixSpawner, readiness: Readiness) -> None:
        self._spawner = spawner
        self._starting: set[int] = set()
        self._running: dict[int, _Hosted] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_over = asyncio.Event()
        self._was_told_to_end = False
        self.channel = Channel(self._receive, on_lost=self._is_over.set, on_pause=readiness.pause)

    async def run(self) -> bool:
        """Serve until the worker is gone; whether it said goodbye. What still runs then is killed."""
        await self._is_over.wait()
        try:
            async with asyncio.timeout(_LAST_SWEEP_S):
                while self._starting:  # noqa: ASYNC110 - seconds before the end of this process
                    await asyncio.sleep(_POLL_S)
                sweeps = [hosted.process.sweep() for hosted in self._running.values()]
                await asyncio.gather(*sweeps, return_exceptions=True)
        except TimeoutError:
            log.warning("command_host.left_running", executions=len(self._running))
        return self._was_told_to_end

    def _receive(self, message: Message) -> None:
        kind, number, *rest = message
        if kind == "start":
            self._start(number, *rest)
            return
        hosted = self._running.get(number)
        if kind == "signal":
            if hosted is not None:
                hosted.process.signal_tree(rest[0])
        elif kind == "goodbye":
            self._was_told_to_end = True
        elif hosted is None:
            # It was closed at its end; the message about that is on its way.
            self.channel.send("answer", rest[0], None)
        else:
            self._do(self._answer(kind, number, hosted.process, rest[0]))

    def _start(self, number: int, fields: dict[str, Any], start_by_s: float) -> None:
        command = Command(**fields, start_by=lambda: start_by_s)
        self._starting.add(number)
        self._spawner.begin(command, partial(self._begin, number, command.kill_leftovers))

    def _begin(self, number: int, kill_leftovers: bool, process: ChildProcess | Exception) -> None:
        self._starting.remove(number)
        if isinstance(process, ChildProcess):
            hosted = _Hosted(self, number, process, kill_leftovers=kill_leftovers)
            self._running[number] = hosted
            self.channel.send("started", number, process.pid, process.started_s)
            process.begin(hosted)
        elif isinstance(process, SpawnFailed):
            self.channel.send("failed", number, str(process))
        elif isinstance(process, StartWithheld):
            self.channel.send("withheld", number)
        else:
            log.error("spawn.failed", number=number, exc_info=process)
            self.channel.send("failed", number, f"{type(process).__name__}: {process}")

    async def _answer(self, kind: str, number: int, process: ChildProcess, question: int) -> None:
        try:
            answer = await self._answer_to(kind, number, process)
        except Exception as error:
            log.exception("command_host.failed", question=kind)
            self.channel.send("error", question, f"{type(error).__name__}: {error}")
        else:
            self.channel.send("answer", question, answer)

    async def _answer_to(self, kind: str, number: int, process: ChildProcess) -> object:
        match kind:
            case "poll":
                await process.poll()
                return None
            case "sweep":
                swept = await process.sweep()
                return swept.found_any, swept.survivors
            case "leftovers":
                return await process.leftovers()
            case "close":
                self._running.pop(number, None)
                usage = await process.close()
                return usage.cpu_ms, usage.max_rss_kb
        raise ValueError(f"the worker asked {kind!r}, which means nothing here")

    def ended(self, number: int) -> None:
        """An execution was closed with the exit of its command."""
        del self._running[number]

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Hosted:
    """One execution; passes on what its process tells (implements `processes.ProcessListener`)."""

    __slots__ = ("_has_output_ended", "_host", "_is_exit_told", "_kill_leftovers", "_number", "process")

    def __init__(
        self, host: CommandHost, number: int, process: ChildProcess, *, kill_leftovers: bool
    ) -> None:
        self.process = process
        self._host = host
        self._number = number
        self._kill_leftovers = kill_leftovers
        self._has_output_ended = False
        self._is_exit_told = False

    def on_output(self, stream: Stream, data: bytes) -> None:
        self._host.channel.send("output", self._number, stream.value, data, size=len(data))

    def on_output_end(self) -> None:
        self._has_output_ended = True
        # The news of an exit that follows at once says it, too.
        if self._is_exit_told or not self.process.is_exit_seen:
            self._host.channel.send("output_end", self._number)

    def on_exit(self, ended: ProcessExit) -> None:
        self._is_exit_told = True
        if self._has_output_ended and self._kill_leftovers:
            # Nothing is to be waited for: the rest in one go, instead of two questions and answers.
            usage = self._closed_if_alone()
            if usage is not None:
                self._host.ended(self._number)
                what = ended.exit_code, ended.signal, ended.at_s, usage.cpu_ms, usage.max_rss_kb
                self._host.channel.send("ended", self._number, *what)
                return
        if self._has_output_ended:
            self._host.channel.send("output_end", self._number)
        self._host.channel.send("exit", self._number, ended.exit_code, ended.signal, ended.at_s)

    def _closed_if_alone(self) -> ProcessUsage | None:
        try:
            return self.process.close_if_alone()
        except OSError:
            # Whatever it is, the exit has to be told; who is told asks for the rest, and is told that, too.
            log.exception("command_host.failed", question="exit")
            return None


async def _serve(connection: socket.socket, worker_id: str, state_dir: Path, users: Sequence[str]) -> bool:
    subreaper = Subreaper()
    subreaper.enable()
    pool = open_leaf_pool(worker_id, state_dir)
    readiness = Readiness()
    spawner = PosixSpawner(
        run_as=RunAs(frozenset(users)),
        containments=Containments(subreaper, pool),
        subreaper=subreaper,
        readiness=readiness,
        state=StateFile(state_dir, asyncio.get_running_loop().call_soon),
    )
    host = CommandHost(spawner, readiness)
    _log_through(host.channel)
    log.info("containment.chosen", cgroups=pool is not None)
    await asyncio.get_running_loop().create_connection(lambda: host.channel, sock=connection)
    was_told_to_end = await host.run()
    if was_told_to_end:
        spawner.close()
    return was_told_to_end


def _log_through(channel: Channel) -> None:
    """Everything is logged by the worker, which knows where to and how."""

    def forward(_logger: object, level: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        fields = {
            name: value if isinstance(value, bool | int) else str(value) for name, value in event.items()
        }
        channel.send("log", logging.getLevelNamesMapping()[level.upper()], fields)
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.processors.format_exc_info, forward])


def main(argv: Sequence[str]) -> None:
    """Arguments: the descriptor of the channel, the worker's id, its state directory, users it may run as."""
    descriptor, worker_id, state_dir, *users = argv
    # Its end is that of the worker. Handlers, because commands would inherit signals that are ignored.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda _signum, _frame: None)
    # Where whoever started the worker ignores it, the kernel reaps, and no exit code is ever known.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    connection = socket.socket(fileno=int(descriptor))
    # Commands must not have it: it would live on with them when the host is gone.
    connection.set_inheritable(False)
    if not asyncio.run(_serve(connection, worker_id, Path(state_dir), users)):
        # A successor may be using the cgroups and the state file by now: leave both as they are.
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
