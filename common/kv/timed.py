"""A store that says how long each of its calls took, also those that failed. Watches are not calls."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager

from common.kv.port import KeyValueStore
from common.kv.values import Changes, Compare, Lease, Listing, Put, StoreStatus, TxnResult
from common.runtime.clock import Clock
from common.runtime.timings import Timings


class TimedStore:
    """The port of *store*, call for call."""

    def __init__(self, store: KeyValueStore, clock: Clock, timings: Timings) -> None:
        self._store = store
        self._clock = clock
        self._timings = timings

    async def list(self, prefix: str) -> Listing:
        with self._timed("list"):
            return await self._store.list(prefix)

    async def txn(
        self,
        *,
        compares: Sequence[Compare] = (),
        puts: Sequence[Put] = (),
        deletes: Sequence[str] = (),
        reads: Sequence[str] = (),
    ) -> TxnResult:
        # As `_timed` does, without its generator: two transactions per execution come through here.
        started_s = self._clock.uptime_s()
        try:
            return await self._store.txn(compares=compares, puts=puts, deletes=deletes, reads=reads)
        finally:
            self._timings.observe("etcd", "txn", self._clock.uptime_s() - started_s)

    def watch(self, prefix: str, *, from_revision: int) -> AsyncGenerator[Changes, None]:
        return self._store.watch(prefix, from_revision=from_revision)

    async def grant(self, ttl_s: int) -> Lease:
        with self._timed("grant"):
            return await self._store.grant(ttl_s)

    async def renew(self, lease_id: int) -> int:
        with self._timed("renew"):
            return await self._store.renew(lease_id)

    async def revoke(self, lease_id: int) -> None:
        with self._timed("revoke"):
            await self._store.revoke(lease_id)

    async def status(self) -> StoreStatus:
        with self._timed("status"):
            return await self._store.status()

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        started_s = self._clock.uptime_s()
        try:
            yield
        finally:
            self._timings.observe("etcd", operation, self._clock.uptime_s() - started_s)
