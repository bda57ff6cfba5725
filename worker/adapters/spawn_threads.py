"""Threads that wait for the kernel in the place of the event loop.

Starting a program is a system call that returns when the child has executed it. Orders are begun in the
sequence in which they were given. Cheaper than an executor: one queue, and one wake-up of the loop for all
that is done by then.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

#: Two keep both the loop and the kernel busy; more only compete for Python's lock.
_THREADS: Final = 2


class SpawnThreads:
    """Runs functions off the event loop it is first used from. The threads start with the first order."""

    def __init__(self, count: int = _THREADS) -> None:
        self._count = count
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._done: deque[_Order] = deque()
        self._is_woken = False
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def order(self, work: Callable[[], int]) -> "asyncio.Future[int]":
        """What *work* returns or raises. An order is carried out even if the future is cancelled."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            for number in range(self._count):
                thread = threading.Thread(target=self._serve, name=f"spawn.{number}")
                self._threads.append(thread)
                thread.start()
        order = _Order(work, self._loop.create_future())
        self._orders.put(order)
        return order.answer

    def close(self) -> None:
        """Let what was ordered be done, and end the threads."""
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

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
            if order.answer.done():
                continue
            if order.error is not None:
                order.answer.set_exception(order.error)
            else:
                order.answer.set_result(order.result)


class _Order:
    __slots__ = ("answer", "error", "result", "work")

    def __init__(self, work: Callable[[], int], answer: "asyncio.Future[int]") -> None:
        self.work = work
        self.answer = answer
        self.result = 0
        self.error: Exception | None = None
