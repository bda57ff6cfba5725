"""One watch: a bidirectional gRPC stream turned into whole revisions.

Ends with an error, never by itself; whoever watches resumes from the last revision + 1. A stream that has
nothing to say is asked for a sign of life, and given up when there is none.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

import grpc
import grpc.aio

from common.domain.errors import StoreUnavailable
from common.kv import etcd_wire as wire
from common.kv.etcd_connection import END_OF_STREAM, Connection
from common.kv.etcd_errors import cancelled_watch, translate
from common.kv.etcd_settings import EtcdSettings
from common.kv.values import Changes

# The watch id of answers to our own progress requests; the server's periodic reports carry the watch's id.
_ASKED_PROGRESS: Final = -1


class WatchStream:
    """Reads one watch; `close()` ends it at the server."""

    def __init__(self, connection: Connection, settings: EtcdSettings, metadata: grpc.aio.Metadata) -> None:
        self._settings = settings
        self._endpoint = connection.endpoint
        self._call = connection.watch(metadata=metadata)
        self._reading: asyncio.Task[Any] | None = None
        self._complete_up_to = 0
        self._reported = 0

    async def open(self, prefix: str, from_revision: int) -> None:
        """
        Create the watch at the server.

        Raises:
            Compacted: *from_revision* is gone.
            NotAllowed: The user may not read *prefix*.
            StoreUnavailable: The watch could not be created in time.
        """
        try:
            # A cancelled read or write ends the whole stream in grpc.aio, which is right here: we give up.
            async with asyncio.timeout(self._settings.call_timeout_s):
                await self._call.write(wire.watch_request(prefix, from_revision))
                created = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise translate(error, writes=False, endpoint=self._endpoint) from error
        except (TimeoutError, asyncio.InvalidStateError) as error:
            raise StoreUnavailable(f"etcd at {self._endpoint} did not start the watch in time") from error
        self._check(created)
        self._complete_up_to = from_revision - 1

    async def changes(self) -> AsyncGenerator[Changes, None]:
        """What `KeyValueStore.watch` promises; begins with a report that the watch stands."""
        yield Changes(self._complete_up_to)
        while True:
            response = await self._next_response()
            self._check(response)
            if response.events:
                batch = wire.changes(response)
                self._complete_up_to = batch.revision
                yield batch
            else:
                self._note_progress(response)
                yield Changes(self._complete_up_to)

    async def close(self) -> None:
        self._call.cancel()
        if self._reading is not None:
            await asyncio.wait({self._reading})
            if not self._reading.cancelled():
                self._reading.exception()  # how the stream ended no longer matters to anybody

    def _note_progress(self, response: Any) -> None:
        # etcd before 3.4.25 and 3.5.8 answers a progress request ahead of events that still wait in another
        # of its queues (etcd-io/etcd#15220). Such an answer is believed one report later.
        revision = response.header.revision
        if response.watch_id != _ASKED_PROGRESS:
            self._complete_up_to = max(self._complete_up_to, revision)
            return
        self._complete_up_to = max(self._complete_up_to, self._reported)
        self._reported = revision

    async def _next_response(self) -> Any:
        """The next message; asks for progress after one silence and gives up after a longer one."""
        # Waited for from outside: cancelling a read would end the stream.
        self._reading = asyncio.create_task(self._call.read(), name="etcd-watch-read")
        done, _ = await asyncio.wait({self._reading}, timeout=self._settings.progress_after_s)
        if not done:
            done = await self._ask_for_progress(self._reading)
        if not done:
            raise StoreUnavailable(
                f"etcd at {self._endpoint} was silent on a watch for {self._settings.silence_limit_s:.0f} s"
            )
        try:
            return self._reading.result()
        except grpc.aio.AioRpcError as error:
            raise translate(error, writes=False, endpoint=self._endpoint) from error
        except asyncio.CancelledError as error:
            raise StoreUnavailable(f"the connection to etcd at {self._endpoint} was closed") from error

    async def _ask_for_progress(self, reading: asyncio.Task[Any]) -> set[asyncio.Task[Any]]:
        rest_s = self._settings.silence_limit_s - self._settings.progress_after_s
        try:
            async with asyncio.timeout(rest_s):
                await self._call.write(wire.progress_request())
                done, _ = await asyncio.wait({reading})
                return done
        except (TimeoutError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The reading task knows better than the writer why a stream has broken.
            return {reading} if reading.done() else set()

    def _check(self, response: Any) -> None:
        if response is END_OF_STREAM:
            raise StoreUnavailable(f"etcd at {self._endpoint} closed the watch")
        if response.canceled:
            raise cancelled_watch(response.cancel_reason, response.compact_revision, self._endpoint)
