"""A piece of asyncio code that runs and is stopped like a process: for executors that need no program."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from common.domain.records import Stream
from worker.processes import ProcessExit, ProcessListener, ProcessUsage, Swept

Emit = Callable[[Stream, bytes], None]


class CoroutineProcess:
    """
    Runs *body*, which writes output through the function it is given and returns an exit code.

    TERM and KILL cancel it, and it counts as ended by that signal. An exception is written to stderr, exit
    code 1.
    """

    pid = 0

    def __init__(self, name: str, body: Callable[[Emit], Awaitable[int]], listener: ProcessListener) -> None:
        self._listener = listener
        self._body = body
        self._is_closed = False
        self._signum: int | None = None
        self.started_s = asyncio.get_running_loop().time()
        # Owned by this object: `close`, which every supervisor calls, waits for it.
        self._task = asyncio.get_running_loop().create_task(self._run(), name=name)

    @property
    def has_ended(self) -> bool:
        return self._task.done()

    def signal_tree(self, signum: int) -> None:
        if signum in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL) and not self._task.done():
            self._signum = signum
            self._task.cancel()

    async def poll(self) -> None:
        """Nothing to look for: the exit is told when it happens."""

    async def leftovers(self) -> tuple[str, ...]:
        return ()

    async def sweep(self) -> Swept:
        self.signal_tree(signal.SIGKILL)
        await asyncio.wait([self._task])
        return Swept()

    async def close(self) -> ProcessUsage:
        self._is_closed = True
        if not self._task.done():
            self._task.cancel()
        await asyncio.wait([self._task])
        return ProcessUsage()

    async def _run(self) -> None:
        ended = ProcessExit(exit_code=1)
        try:
            ended = ProcessExit(exit_code=await self._body(self._emit))
        except asyncio.CancelledError:
            # The end of a stopped execution, told below. Whoever cancelled waits for the task, not for an
            # error.
            ended = ProcessExit(signal=self._signum or signal.SIGKILL)
        except Exception as error:
            # The body is an executor's own code: its failure is the execution's, not the worker's.
            self._emit(Stream.STDERR, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        finally:
            if not self._is_closed:
                self._listener.on_output_end()
                self._listener.on_exit(ended)

    def _emit(self, stream: Stream, data: bytes) -> None:
        if not self._is_closed:
            self._listener.on_output(stream, data)
