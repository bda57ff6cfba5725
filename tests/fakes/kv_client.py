"""The connection of one simulated process to the `FakeStore`, and the network it runs over.

Requests and answers travel as timers of the loop, so a request whose sender has given up still arrives, as it
does in the world. What can go wrong is an attribute; nothing goes wrong unless a test says so.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from common.domain.errors import CronError, OutcomeUnknown, StoreUnavailable
from common.kv.values import Changes, Compare, Lease, Listing, Put, StoreStatus, TxnResult

if TYPE_CHECKING:
    from tests.fakes.kv import FakeStore

# As in the real adapter: deadline of a call and of a renewal, when a dead link is noticed, and progress.
CALL_LIMIT_S: Final = 5.0
RENEWAL_LIMIT_S: Final = 2.0
DEAD_LINK_AFTER_S: Final = 15.0
PROGRESS_AFTER_S: Final = 30.0


class FakeClient:
    """
    A `KeyValueStore`.

    Attributes:
        delay_s: Asked for every message, each way.
        answer_delay_s: Asked for answers instead, if it is set.
        lose_request: Asked with the kind of call ("txn", "list", "grant", "renew", "revoke", "status"); True:
            the connection breaks before the store hears of it.
        lose_answer: The same, but the store did what was asked.
        watches: The open ones.
    """

    def __init__(self, store: "FakeStore", name: str) -> None:
        self.name = name
        self.delay_s: Callable[[], float] = lambda: 0.0
        self.answer_delay_s: Callable[[], float] | None = None
        self.lose_request: Callable[[str], bool] = lambda _kind: False
        self.lose_answer: Callable[[str], bool] = lambda _kind: False
        self.watches: list[FakeWatch] = []
        self._store = store
        self._is_partitioned = False
        self._dead_link: asyncio.TimerHandle | None = None

    @property
    def partitioned(self) -> bool:
        """Messages vanish both ways, without an error: calls run into their deadline, watches fall silent."""
        return self._is_partitioned

    @partitioned.setter
    def partitioned(self, value: bool) -> None:
        self._is_partitioned = value
        if self._dead_link is not None:
            self._dead_link.cancel()
            self._dead_link = None
        if value:
            self._dead_link = asyncio.get_running_loop().call_later(
                DEAD_LINK_AFTER_S, self.drop_watches, context=Context()
            )
            return
        for watch in self.watches:
            watch.deliver()

    def drop_watches(self) -> None:
        """All watches of this client break."""
        for watch in list(self.watches):
            watch.fail(StoreUnavailable("the connection was lost"))

    async def list(self, prefix: str) -> Listing:
        listing: Listing = await self._exchange("list", lambda: self._store.list(prefix), writes=False)
        return listing

    async def txn(
        self,
        *,
        compares: Sequence[Compare] = (),
        puts: Sequence[Put] = (),
        deletes: Sequence[str] = (),
        reads: Sequence[str] = (),
    ) -> TxnResult:
        parts = (tuple(compares), tuple(puts), tuple(deletes), tuple(reads))
        result: TxnResult = await self._exchange(
            "txn", lambda: self._store.txn(self.name, *parts), writes=bool(puts or deletes)
        )
        return result

    async def grant(self, ttl_s: int) -> Lease:
        lease: Lease = await self._exchange("grant", lambda: self._store.grant(ttl_s), writes=True)
        return lease

    async def renew(self, lease_id: int) -> int:
        ttl_s: int = await self._exchange(
            "renew", lambda: self._store.renew(lease_id), writes=True, limit_s=RENEWAL_LIMIT_S
        )
        return ttl_s

    async def revoke(self, lease_id: int) -> None:
        await self._exchange("revoke", lambda: self._store.revoke(lease_id), writes=True)

    async def status(self) -> StoreStatus:
        status: StoreStatus = await self._exchange("status", self._store.status, writes=False)
        return status

    async def watch(self, prefix: str, *, from_revision: int) -> AsyncGenerator[Changes, None]:
        watch = FakeWatch(self, self._store, prefix, from_revision)
        try:
            await self._exchange("watch", watch.open, writes=False)
            yield Changes(from_revision - 1)
            while True:
                yield await watch.next()
        finally:
            watch.close()

    async def _exchange(
        self, kind: str, operation: Callable[[], Any], *, writes: bool, limit_s: float = CALL_LIMIT_S
    ) -> Any:
        """Send a request and wait for the answer, both over the unreliable network."""
        if self._store.away:
            raise StoreUnavailable("connection refused")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        lost = OutcomeUnknown if writes else StoreUnavailable
        if self.lose_request(kind):
            _later(self.delay_s(), lambda: _fail(answer, lost("connection reset")))
        else:
            _later(self.delay_s(), lambda: self._arrive(kind, operation, answer, lost))
        try:
            async with asyncio.timeout(limit_s):
                return await answer
        except TimeoutError as error:
            raise lost("deadline exceeded") from error

    def _arrive(
        self, kind: str, operation: Callable[[], Any], answer: asyncio.Future[Any], lost: type[CronError]
    ) -> None:
        """A request reaches the server, unless the network swallows it."""
        if self._is_partitioned:
            return
        if self._store.away:
            _fail(answer, lost("connection reset"))
            return
        self._store.arrive(lambda: self._perform(kind, operation, answer, lost))

    def _perform(
        self, kind: str, operation: Callable[[], Any], answer: asyncio.Future[Any], lost: type[CronError]
    ) -> None:
        self._store.calls[self.name, kind] += 1
        send: Callable[[], None]
        try:
            outcome = operation()
        except CronError as error:
            refusal = error
            send = lambda: _fail(answer, refusal)  # noqa: E731
        else:
            send = lambda: _answer(answer, outcome)  # noqa: E731
        if self.lose_answer(kind):
            send = lambda: _fail(answer, lost("connection reset"))  # noqa: E731
        delay_s = self.answer_delay_s or self.delay_s
        _later(delay_s(), lambda: None if self._is_partitioned else send())


class FakeWatch:
    """One watch: what was sent travels in order, waits while the client is partitioned, and arrives."""

    def __init__(self, client: FakeClient, store: "FakeStore", prefix: str, from_revision: int) -> None:
        self.prefix = prefix
        self.from_revision = from_revision
        self._client = client
        self._store = store
        self._travelling: deque[Changes] = deque()
        self._arrived: asyncio.Queue[Changes | CronError] = asyncio.Queue()
        self._last_arrival_s = 0.0
        self._is_closed = False

    def open(self) -> None:
        """At the server: begin, with the past first."""
        if self._is_closed:
            return  # the request was slow, and its sender has given up
        past = list(self._store.changes_since(self.prefix, self.from_revision))
        self._client.watches.append(self)
        for changes in past:
            self.send(changes)

    def close(self) -> None:
        self._is_closed = True
        if self in self._client.watches:
            self._client.watches.remove(self)

    def fail(self, error: CronError) -> None:
        """The stream breaks; what was under way is lost."""
        self.close()
        self._travelling.clear()
        self._arrived.put_nowait(error)

    def send(self, changes: Changes) -> None:
        self._travelling.append(changes)
        now_s = asyncio.get_running_loop().time()
        # One stream keeps its order however the delays differ.
        self._last_arrival_s = max(self._last_arrival_s, now_s + self._client.delay_s())
        _later(self._last_arrival_s - now_s, self._arrive_next)

    def deliver(self) -> None:
        """After a partition: what was held back arrives."""
        while self._travelling:
            self._arrived.put_nowait(self._travelling.popleft())

    def _arrive_next(self) -> None:
        if self._travelling and not self._client.partitioned:
            self._arrived.put_nowait(self._travelling.popleft())

    async def next(self) -> Changes:
        """The next changes, or a report of progress after a long silence."""
        while True:
            try:
                async with asyncio.timeout(PROGRESS_AFTER_S):
                    arrived = await self._arrived.get()
            except TimeoutError:
                # The server reports how far a stream that is whole has come. A client that stood still meets
                # the end of its patience together with what arrived, or broke, in the meantime.
                is_silent = not (self._travelling or self._arrived.qsize() or self._client.partitioned)
                if is_silent:
                    return Changes(self._store.revision)
                continue
            if isinstance(arrived, CronError):
                raise arrived
            return arrived


def _later(delay_s: float, action: Callable[[], None]) -> None:
    # In a context of its own: what travels belongs to nobody, and arrives when its sender is frozen or dead.
    loop = asyncio.get_running_loop()
    if delay_s > 0:
        loop.call_later(delay_s, action, context=Context())
    else:
        loop.call_soon(action, context=Context())


def _answer(answer: asyncio.Future[Any], outcome: Any) -> None:
    if not answer.done():
        answer.set_result(outcome)


def _fail(answer: asyncio.Future[Any], error: CronError) -> None:
    if not answer.done():
        answer.set_exception(error)
