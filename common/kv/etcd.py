"""`KeyValueStore` on etcd 3.4 or newer, over its own gRPC API.

Uses `grpc.aio` with the generated stubs of etcd-sdk-python and nothing else of that package. Endpoints are
tried in turn, one at a time. A request is sent again only if it surely did not happen, or only read.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, Self

import grpc
import grpc.aio
from pyetcd.etcdrpc import rpc_pb2

from common.domain.errors import Compacted, LeaseLost, NotAllowed, OutcomeUnknown, StoreUnavailable
from common.kv import etcd_wire as wire
from common.kv.etcd_auth import CallMetadata
from common.kv.etcd_batch import TxnBatcher
from common.kv.etcd_connection import Connection
from common.kv.etcd_errors import is_stale_token, translate
from common.kv.etcd_settings import EtcdSettings
from common.kv.etcd_watch import WatchStream
from common.kv.values import Changes, Compare, KeyValue, Lease, Listing, Put, StoreStatus, TxnResult

#: Keys of a listing's first page, before it is known how large the values are.
_FIRST_PAGE_KEYS: Final = 1_000
#: The other pages are as large as these allow: for each, etcd counts all keys that follow, so many small ones
#: cost the square of the keys (100,000 keys in pages of 1,000: 2.6 s, of 5,000: 1.1 s).
_PAGE_KEYS: Final = 10_000
_PAGE_BYTES: Final = 8 * 1024 * 1024
_LISTING_TRIES: Final = 3


class EtcdStore:
    """
    The adapter. Connects on the first call: an etcd that is away makes calls raise, not the constructor.

    Use it as `async with EtcdStore(settings) as store`, from one event loop.
    """

    def __init__(self, settings: EtcdSettings) -> None:
        self._settings = settings
        self._addresses = settings.addresses()
        self._metadata = CallMetadata(settings)
        self._connections: dict[int, Connection] = {}
        self._in_use = 0
        self._closed = False
        self._batcher = TxnBatcher(self._send_txn)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """
        Read the TLS files and prepare the first connection, without waiting for etcd.

        Raises:
            ConfigError: A TLS file cannot be read.
        """
        self._closed = False
        self._connection()

    async def close(self) -> None:
        """Close all connections; calls under way end with an error."""
        self._closed = True
        connections, self._connections = self._connections, {}
        for connection in connections.values():
            await connection.close()

    async def list(self, prefix: str) -> Listing:
        for _ in range(_LISTING_TRIES - 1):
            # Compaction overtook the pages of a long listing: what is stored now can still be listed.
            with contextlib.suppress(Compacted):
                return await self._list_pages(prefix)
        return await self._list_pages(prefix)

    async def _list_pages(self, prefix: str) -> Listing:
        start = wire.encode_key(prefix)
        request = rpc_pb2.RangeRequest(
            key=start or b"\0", range_end=wire.prefix_end(start), limit=_FIRST_PAGE_KEYS
        )
        items: list[KeyValue] = []
        while True:
            page = await self._call("range", request, writes=False)
            items.extend(map(wire.key_value, page.kvs))
            if not request.revision:
                request.revision = page.header.revision
            if not page.more:
                return Listing(request.revision, tuple(items), page.header.cluster_id)
            request.key = page.kvs[-1].key + b"\0"
            fitting = _PAGE_BYTES * len(page.kvs) // page.ByteSize()
            request.limit = min(max(fitting, 1), _PAGE_KEYS)

    async def txn(
        self,
        *,
        compares: Sequence[Compare] = (),
        puts: Sequence[Put] = (),
        deletes: Sequence[str] = (),
        reads: Sequence[str] = (),
    ) -> TxnResult:
        request = wire.txn_request(compares, puts, deletes, reads)
        if not puts and not deletes:
            response = await self._call("txn", request, writes=False)
            return wire.txn_result(response, response.header.revision, reads, has_writes=False)
        written = [*[put.key for put in puts], *deletes]
        response, revision = await self._batcher.submit(request, written)
        return wire.txn_result(response, revision, reads, has_writes=True)

    async def _send_txn(self, request: Any) -> Any:
        return await self._call("txn", request, writes=True)

    async def watch(self, prefix: str, *, from_revision: int) -> AsyncGenerator[Changes, None]:
        connection = self._connection()
        stream: WatchStream | None = None
        try:
            stream = await self._open_watch(connection, prefix, from_revision)
            async with aclosing(stream.changes()) as batches:
                async for batch in batches:
                    yield batch
        except StoreUnavailable:
            self._leave(connection)
            raise
        finally:
            if stream is not None:
                await stream.close()

    async def _open_watch(self, connection: Connection, prefix: str, from_revision: int) -> WatchStream:
        for is_last in (False, True):
            metadata = self._metadata.current or await self._metadata.fetch(connection)
            stream = WatchStream(connection, self._settings, metadata)
            try:
                await stream.open(prefix, from_revision)
            except NotAllowed:
                await stream.close()
                # A watch with an expired token is refused like one without the right: a new token tells.
                if is_last or not self._metadata.refused(metadata):
                    raise
            except BaseException:
                await stream.close()
                raise
            else:
                return stream
        raise AssertionError("unreachable: the last try returns or raises")

    async def grant(self, ttl_s: int) -> Lease:
        response = await self._call("grant", rpc_pb2.LeaseGrantRequest(TTL=ttl_s), writes=True)
        return Lease(response.ID, response.TTL)

    async def renew(self, lease_id: int) -> int:
        request = rpc_pb2.LeaseKeepAliveRequest(ID=lease_id)
        timeout_s = min(self._settings.renewal_timeout_s, self._settings.call_timeout_s)
        response = await self._call("renew", request, writes=True, timeout_s=timeout_s)
        if response.TTL <= 0:
            raise LeaseLost(lease_id=lease_id)
        return int(response.TTL)

    async def revoke(self, lease_id: int) -> None:
        with contextlib.suppress(LeaseLost):
            await self._call("revoke", rpc_pb2.LeaseRevokeRequest(ID=lease_id), writes=True)

    async def status(self) -> StoreStatus:
        response = await self._call("status", rpc_pb2.StatusRequest(), writes=False)
        return StoreStatus(
            version=response.version,
            cluster_id=response.header.cluster_id,
            revision=response.header.revision,
            db_size_bytes=response.dbSize,
            endpoint=self._connection().endpoint,
        )

    async def _call(self, name: str, request: Any, *, writes: bool, timeout_s: float = 0.0) -> Any:
        """Send *request*; while it surely did not happen try each endpoint once, within one deadline."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + (timeout_s or self._settings.call_timeout_s)
        endpoints_left = len(self._addresses)
        while True:
            connection = self._connection()
            endpoints_left -= 1
            rest_s = deadline_s - loop.time()
            try:
                return await self._send(connection, name, request, writes=writes, timeout_s=rest_s)
            except (StoreUnavailable, OutcomeUnknown) as error:
                self._leave(connection)
                if isinstance(error, OutcomeUnknown) or not endpoints_left or loop.time() >= deadline_s:
                    raise

    async def _send(
        self, connection: Connection, name: str, request: Any, *, writes: bool, timeout_s: float
    ) -> Any:
        metadata = self._metadata.current
        if metadata is None:
            metadata = await self._metadata.fetch(connection)
        call = getattr(connection, name)
        try:
            try:
                return await call(request, timeout=timeout_s, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if not (is_stale_token(error) and self._metadata.refused(metadata)):
                    raise
            metadata = await self._metadata.fetch(connection)
            return await call(request, timeout=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise translate(error, writes=writes, endpoint=connection.endpoint) from error
        except asyncio.CancelledError as error:
            # grpc.aio cancels whoever waits for a call when the channel is closed under it. Nobody cancelled
            # this task, so its owner must not see a cancellation.
            if not self._closed or _is_cancelled():
                raise
            kind = OutcomeUnknown if writes else StoreUnavailable
            raise kind("the connection to etcd was closed while a request was under way") from error

    def _connection(self) -> Connection:
        connection = self._connections.get(self._in_use)
        if connection is None:
            if self._closed:
                raise StoreUnavailable("the connection to etcd is closed")
            connection = Connection(self._addresses[self._in_use], self._settings)
            self._connections[self._in_use] = connection
        return connection

    def _leave(self, connection: Connection) -> None:
        """Go on with the next endpoint, unless another call has moved on from *connection* already."""
        if self._connections.get(self._in_use) is connection:
            self._in_use = (self._in_use + 1) % len(self._addresses)


def _is_cancelled() -> bool:
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0
