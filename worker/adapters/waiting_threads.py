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
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


class WaitingThreads:
    """Runs functions off the event loop it is first used from. The threads start with the first order."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._orders: SimpleQueue[_Order[Any] | None] = SimpleQueue()
        self._done: deque[_Order[Any]] = deque()
        self._is_woken = False
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def carry_out(self, work: Callable[[], _T]) -> tuple[_T, bool]:
        """
        The result of *work*, or what it raises, and whether the caller was cancelled meanwhile.

        An order cannot be taken back, so a cancelled caller waits for its end all the same, and then has to
        deal with what came of it.
        """
        if self._loop is None:
            self._begin()
        assert self._loop is not None  # noqa: S101 - set above
        order = _Order(work)
        self._orders.put(order)
        is_cancelled = False
        while not order.is_over:
            order.waiter = self._loop.create_future()
            try:
                await order.waiter
            except asyncio.CancelledError:
                is_cancelled = True
        if order.error is not None:
            raise order.error
        return order.result, is_cancelled

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
            if not self._is_woken and self._loop is not None and not self._loop.is_closed():
                self._is_woken = True
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_woken = False
        while self._done:
            order = self._done.popleft()
            order.is_over = True
            if order.waiter is not None and not order.waiter.done():
                order.waiter.set_result(None)


class _Order(Generic[_T]):
    __slots__ = ("error", "is_over", "result", "waiter", "work")

    result: _T

    def __init__(self, work: Callable[[], _T]) -> None:
        self.work = work
        self.waiter: asyncio.Future[None] | None = None
        self.error: Exception | None = None
        self.is_over = False
