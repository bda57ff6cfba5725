"""Starting and stopping: signals become events, loops live in one task group.

The first signal asks for an orderly stop, the second for a quick one. What is stopped in which order is
the business of each program's service; nothing here knows about workers or masters.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

log = structlog.get_logger()

#: A closed terminal (HUP) stops the program like Ctrl-C does.
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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


async def run_until(stop: Stop, *loops: Callable[[], Awaitable[None]]) -> None:
    """
    Run every loop until `stop`, then cancel them; a loop that fails stops them all.

    A loop that returns is done and is not missed. Returns when every loop has cleaned up.

    Raises:
        The error of the loop that failed, itself and not a group; errors of others are added as notes.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_owned(loop), name=_name_of(loop)) for loop in loops]
            await stop.wait()
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as failures:
        raise _first_of(failures) from None


async def _owned(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()


def _name_of(loop: Callable[[], Awaitable[None]]) -> str:
    return getattr(loop, "__qualname__", None) or repr(loop)


def _first_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first, *others = _leaves(failures)
    for other in others:
        first.add_note(f"also failed: {type(other).__name__}: {other}")
    return first


def _leaves(failure: BaseException) -> list[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        return [leaf for member in failure.exceptions for leaf in _leaves(member)]
    return [failure]
