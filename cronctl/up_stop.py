"""The wish to stop: the first Ctrl-C or TERM asks for an orderly end, the second one for a fast one."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """What was awaited is not wanted any more: the user asked to stop."""


class StopRequest:
    """Pressed by signals; waited on by everything that must end then."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.requested = asyncio.Event()
        self.hurried = asyncio.Event()
        self._say = say

    def listen(self) -> None:
        """Take Ctrl-C, TERM and a closed terminal as requests from now on."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, self.press)

    def press(self) -> None:
        """Ask to stop; the second time, to hurry."""
        if not self.requested.is_set():
            self._say("\nstopping; once more hurries")
            self.requested.set()
        elif not self.hurried.is_set():
            self._say("hurrying: running commands are told to end now")
            self.hurried.set()

    async def unless_requested(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Await *work* and return its result.

        Raises:
            Stopped: The user asked to stop first; *work* was cancelled.
        """
        working = asyncio.ensure_future(work)
        asking = asyncio.ensure_future(self.requested.wait())
        try:
            await asyncio.wait({working, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise Stopped
            return working.result()
        finally:
            for task in (working, asking):
                task.cancel()
            # Also on the way out of an error: nobody else owns these two.
            await asyncio.wait({working, asking})
