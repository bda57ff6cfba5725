"""Threads that wait for the kernel in the place of the event loop.

Starting a program is a system call that returns when the child has executed it, a sync one that returns when
the disk has all of it. Orders are begun in the sequence in which they were given. Cheaper than an executor:
one queue, and one wake-up of the loop for all that is done by then.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

import structlog

log: Final = structlog.get_logger(__name__)

_T = TypeVar("_T")


class WaitingThreads:
    """Runs functions off the event loop it is first used from. The threads start with the first order."""

    def __init__(self, name: str, count: int, *, wakes: bool = True) -> None:
        """
        Args:
            wakes: The loop is woken when something is done; otherwise somebody has to call `deliver`.
        """
        self._wakes = wakes
        self._name = name
        self._count = count
        self._orders: SimpleQueue[Order[Any] | None] = SimpleQueue()
        self._done: deque[Order[Any]] = deque()
        self._is_woken = False
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def carry_out(self, work: Callable[[], _T]) -> tuple[_T, bool]:
        """
        The result of *work*, or what it raises, and whether the caller was cancelled meanwhile.

        An order cannot be taken back, so a cancelled caller waits for its end all the same, and then has to
        deal with what came of it.
        """
        over: asyncio.Future[Order[_T]] = asyncio.get_running_loop().create_future()
        self.order(work, over.set_result)
        is_cancelled = await finished(over)
        order = over.result()
        if order.error is not None:
            raise order.error
        return order.result, is_cancelled

    def order(self, work: Callable[[], _T], then: "Callable[[Order[_T]], None]") -> None:
        """Have *work* done; *then* is called from the loop with what came of it."""
        if self._loop is None:
            self._begin()
        self._orders.put(Order(work, then))

    @property
    def waiting(self) -> int:
        """Orders nobody has begun yet."""
        return self._orders.qsize()

    def close(self) -> None:
        """Let what was ordered be done, and end the threads."""
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        for number in range(self._count):
            thread = threading.Thread(target=self._serve, name=f"{self._name}.{number}")
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                order.result = order.work()
            except Exception as error:
                # Whatever it was, it belongs to who gave the order, not to this thread.
                order.error = error
            self._done.append(order)
            # The loop lowers the flag before it looks: so it finds this one, or is woken again.
            if self._wakes and not self._is_woken and self._loop is not None and not self._loop.is_closed():
                self._is_woken = True
                self._loop.call_soon_threadsafe(self.deliver)

    def deliver(self) -> None:
        """Tell, for all that is done by now, what came of it."""
        self._is_woken = False
        while self._done:
            order = self._done.popleft()
            try:
                order.then(order)
            except Exception:
                # It belongs to who gave the order; the others have theirs.
                log.exception("order.failed", thread=self._name)


class Order(Generic[_T]):
    """What was ordered: `result`, unless there is an `error`."""

    __slots__ = ("error", "result", "then", "work")

    result: _T

    def __init__(self, work: Callable[[], _T], then: "Callable[[Order[_T]], None]") -> None:
        self.work = work
        self.then = then
        self.error: Exception | None = None


async def finished(future: "asyncio.Future[Any]") -> bool:
    """Wait for *future* whoever cancels the caller meanwhile; whether somebody did."""
    is_cancelled = False
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            is_cancelled = True
    return is_cancelled
