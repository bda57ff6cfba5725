"""Group commit for transactions: those that arrive while others are under way share one request.

Every transaction keeps its own comparisons and branches, as a nested transaction of one outer transaction
without conditions; they are made or refused one by one, at one revision. A burst of a thousand claims costs
some dozens of requests (and syncs of etcd's log) instead of a thousand. One alone is sent as it is, at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pyetcd.etcdrpc import rpc_pb2

from common.domain.errors import CronError, InvalidInput, LeaseLost

#: Transactions in one request; etcd takes 128 operations on each level.
_MAX_TXNS: Final = 64
#: Larger ones (a job of many KiB) go alone: etcd refuses requests of more than 1.5 MiB.
_MAX_TXN_BYTES: Final = 8 * 1024
#: Requests under way at once. More would make the batches smaller, not the throughput larger.
_AT_ONCE: Final = 2
#: With so many on their way, requests keep a distance: a request costs as much as three transactions.
_BUSY_TXNS: Final = 12
_DISTANCE_S: Final = 0.005


@dataclass(slots=True, eq=False)
class _Waiting:
    request: Any
    keys: Collection[str]
    is_small: bool
    answer: "asyncio.Future[tuple[Any, int]]" = field(repr=False)


class TxnBatcher:
    """Sends writing transactions, several in one request where they allow it."""

    def __init__(self, send: Callable[[Any], Awaitable[Any]]) -> None:
        """*send* sends one TxnRequest and returns its TxnResponse or raises an error of ours."""
        self._send = send
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_woken = False
        self._sent_txns = 0
        self._sent_at_s = 0.0

    def submit(self, request: Any, keys: Collection[str]) -> "asyncio.Future[tuple[Any, int]]":
        """
        Make the transaction *request*: at once, or with the others of this round of the loop.

        Args:
            keys: What it writes: two that write the same key are never in one request, etcd refuses that.

        Returns:
            What will be its TxnResponse, and the store's revision after it.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, keys, request.ByteSize() <= _MAX_TXN_BYTES, loop.create_future())
        self._waiting.append(waiting)
        if not self._is_woken:
            # At the end of this round of the loop: whoever else is ready now comes along.
            self._is_woken = True
            loop.call_soon(self._wake)
        return waiting.answer

    def _wake(self) -> None:
        self._is_woken = False
        loop = asyncio.get_running_loop()
        while self._waiting and len(self._under_way) < _AT_ONCE:
            now_s = loop.time()
            waits_s = self._sent_at_s + _DISTANCE_S - now_s
            waiting = len(self._waiting)
            if waits_s > 0 and waiting < _MAX_TXNS and waiting + self._sent_txns >= _BUSY_TXNS:
                self._is_woken = True
                loop.call_later(waits_s, self._wake)
                return
            batch = self._next_batch()
            task = loop.create_task(self._make(batch), name="etcd.txns")
            self._sent_at_s = now_s
            self._sent_txns += len(batch)
            self._under_way.add(task)
            task.add_done_callback(partial(self._ended, len(batch)))

    def _ended(self, txns: int, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._sent_txns -= txns
        if not self._is_woken:
            self._wake()

    def _next_batch(self) -> list[_Waiting]:
        """The oldest transactions that may go together, in their order."""
        batch = [self._waiting.popleft()]
        if not batch[0].is_small:
            return batch
        written = set(batch[0].keys)
        while self._waiting and len(batch) < _MAX_TXNS:
            following = self._waiting[0]
            if not following.is_small or not written.isdisjoint(following.keys):
                break
            written.update(following.keys)
            batch.append(self._waiting.popleft())
        return batch

    async def _make(self, batch: list[_Waiting]) -> None:
        """Send *batch* and hand out the answers; whoever stopped waiting is left out of the handing out."""
        if len(batch) == 1:
            await self._make_alone(batch[0])
            return
        outer = rpc_pb2.TxnRequest()
        add = outer.success.add
        for waiting in batch:
            add().request_txn.CopyFrom(waiting.request)
        try:
            response = await self._send(outer)
        except (LeaseLost, InvalidInput):
            # One of them names a lease that has ended (or cannot be read), and etcd made none of them.
            for waiting in batch:
                await self._make_alone(waiting)
        except CronError as error:
            for waiting in batch:
                _fail(waiting, type(error)(str(error), **error.details))
        except BaseException as error:
            for waiting in batch:
                _fail(waiting, error)
            raise
        else:
            revision = response.header.revision
            for waiting, answer in zip(batch, response.responses, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result((answer.response_txn, revision))

    async def _make_alone(self, waiting: _Waiting) -> None:
        try:
            response = await self._send(waiting.request)
        except CronError as error:
            _fail(waiting, error)
        except BaseException as error:
            _fail(waiting, error)
            raise
        else:
            if not waiting.answer.done():
                waiting.answer.set_result((response, response.header.revision))


def _fail(waiting: _Waiting, error: BaseException) -> None:
    if waiting.answer.done():
        return
    if isinstance(error, asyncio.CancelledError):
        waiting.answer.cancel()
    else:
        waiting.answer.set_exception(error)
