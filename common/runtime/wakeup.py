"""Something a loop waits for, or some seconds at most, whichever comes first.

What every loop does that looks now and then and is told when it has to look at once. `asyncio.timeout` around
an event says the same, and raises, catches and cancels each time nothing has happened: that took a quarter of
the time of a simulation.
"""

import asyncio


class Wakeup:
    """A flag of one event loop that one task waits for; whoever raises it does not know who that is."""

    __slots__ = ("_is_set", "_waiter")

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Wake who waits, or keep the next wait from waiting, until `clear`."""
        self._is_set = True
        _release(self._waiter)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self, at_most_s: float) -> bool:
        """Return True as soon as the flag is set, False after *at_most_s*; the flag stays as it is."""
        if self._is_set:
            return True
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(at_most_s, _release, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None
        return self._is_set


def _release(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
