"""Stopping: signals become events, and loops end even when a library swallows their cancellation.

The first signal asks for an orderly stop, the second for a quick one. What is stopped in which order is
the business of each program's service; nothing here knows about workers or masters.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

import structlog

log = structlog.get_logger()

#: A closed terminal (HUP) stops the program like Ctrl-C does.
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INSIST_S: Final = 2.0
_ROUNDS_UNTIL_SAID: Final = 3


class Stop:
    """
    One program's wish to end. Create it inside the running event loop or before; it is not thread-safe.

    Attributes:
        requested: Set by the first request. Take nothing new, finish what runs.
        hurried: Set by the second signal. Do not wait for what runs, stop it.
        reason: Why the first request was made; empty until then.
    """

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hurried = asyncio.Event()
        self.reason = ""
        self._signals_seen = 0

    def request(self, reason: str) -> None:
        """Ask for an orderly stop. Further requests change nothing."""
        if self.requested.is_set():
            return
        self.reason = reason
        log.info("stop.requested", reason=reason)
        self.requested.set()

    def hurry(self, reason: str) -> None:
        """Ask for a quick stop; includes the orderly one."""
        self.request(reason)
        if not self.hurried.is_set():
            log.warning("stop.hurried", reason=reason)
            self.hurried.set()

    def receive(self, signum: int) -> None:
        """Take note of a signal: the first requests the stop, every later one hurries it."""
        # Signals are counted, not requests: a Ctrl-C that meets a stop already under way (a drain, a lost
        # lease) is somebody's first word and must not cost the running commands their grace.
        self._signals_seen += 1
        name = signal.Signals(signum).name
        if self._signals_seen == 1:
            self.request(name)
        else:
            self.hurry(name)

    async def wait(self) -> None:
        """Return once a stop has been requested."""
        await self.requested.wait()


def install_signal_handlers(stop: Stop) -> None:
    """
    Turn SIGINT, SIGTERM and SIGHUP into `stop`; call it in the main thread, inside the running loop.

    A signal that is ignored at this moment stays ignored: that is how `nohup` asks to survive HUP.
    """
    loop = asyncio.get_running_loop()
    for signum in _STOP_SIGNALS:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            loop.add_signal_handler(signum, stop.receive, signum)


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """
    Cancel *tasks* and return when all have ended, however they did.

    Each is asked again every two seconds. On Python 3.11 a wait inside a library can end with its result in
    place of the cancellation (gh-86296; PyMongo waits like that), and a loop that never hears of it would
    keep its program from ending for ever. What cleans up for longer must shield that.

    Whoever is cancelled in here passes it on at once, and is cancelled when all have ended.
    """
    own_end: asyncio.CancelledError | None = None
    pending = {task for task in tasks if not task.done()}
    rounds = 0
    while pending:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=_INSIST_S)
        except asyncio.CancelledError as error:
            own_end = error
        pending = {task for task in pending if not task.done()}
        rounds += 1
        if rounds == _ROUNDS_UNTIL_SAID and pending:
            log.warning("stop.waiting", tasks=sorted(task.get_name() for task in pending))
    if own_end is not None:
        raise own_end


async def run_together(*loops: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """
    Run every loop in a task of its own, for ever; when one fails, or this is cancelled, end them all.

    For loops inside a loop. A task group cancels its tasks only once, however often it is cancelled itself:
    one that does not hear of it (see `end_all`) would then keep the group, and the program, for ever.
    """
    tasks = [asyncio.create_task(loop(), name=loop.__qualname__) for loop in loops]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await end_all(tasks)
        failures = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    if failures:
        raise failures[0]
