"""One watch: a bidirectional gRPC stream turned into whole revisions.

Ends with an error, never by itself; whoever watches resumes from the last revision + 1. A stream that has
nothing to say is asked for a sign of life, and given up when there is none.

Messages are taken off the stream as they come, and handed on together. Read one at a time, with some rounds
of the loop between two, the news of 200 requests a second reached a busy worker seconds late.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any, Final

import grpc
import grpc.aio

from common.domain.errors import StoreUnavailable
from common.kv import etcd_wire as wire
from common.kv.etcd_connection import END_OF_STREAM, Connection
from common.kv.etcd_errors import cancelled_watch, translate
from common.kv.etcd_settings import EtcdSettings
from common.kv.values import Change, Changes
from common.runtime.wakeup import Wakeup

# The watch id of answers to our own progress requests; the server's periodic reports carry the watch's id.
_ASKED_PROGRESS: Final = -1
#: Messages that wait for whoever watches; then etcd has to wait.
_MOST_UNREAD: Final = 256


class WatchStream:
    """Reads one watch; `close()` ends it at the server."""

    def __init__(self, connection: Connection, settings: EtcdSettings, metadata: grpc.aio.Metadata) -> None:
        self._settings = settings
        self._endpoint = connection.endpoint
        self._call = connection.watch(metadata=metadata)
        self._reading: asyncio.Task[None] | None = None
        self._unread: deque[Any] = deque()
        self._has_arrived = Wakeup()
        self._has_room = asyncio.Event()
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
        self._reading = asyncio.create_task(self._read_ahead(), name="etcd-watch-read")
        while True:
            items: list[Change] = []
            for response in await self._next_responses(self._reading):
                self._check(response)
                if response.events:
                    batch = wire.changes(response)
                    self._complete_up_to = batch.revision
                    items += batch.items
                else:
                    self._note_progress(response)
            yield Changes(self._complete_up_to, tuple(items))

    async def close(self) -> None:
        self._call.cancel()
        if self._reading is not None:
            self._reading.cancel()
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

    async def _read_ahead(self) -> None:
        """Take messages off the stream until it ends; how it ends is the outcome of this task."""
        try:
            while True:
                self._unread.append(await self._call.read())
                self._has_arrived.set()
                if self._unread[-1] is END_OF_STREAM:
                    return
                while len(self._unread) >= _MOST_UNREAD:
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            self._has_arrived.set()

    async def _next_responses(self, reading: asyncio.Task[None]) -> Sequence[Any]:
        """What has come, one message at least; asks for progress after a silence, gives up after a longer."""
        loop = asyncio.get_running_loop()
        give_up_at_s = loop.time() + self._settings.silence_limit_s
        if not await self._arrives_within(self._settings.progress_after_s, reading):
            await self._ask_for_progress(give_up_at_s - loop.time())
            if not await self._arrives_within(max(0.0, give_up_at_s - loop.time()), reading):
                silence_s = self._settings.silence_limit_s
                raise StoreUnavailable(
                    f"etcd at {self._endpoint} was silent on a watch for {silence_s:.0f} s"
                )
        if not self._unread:
            await self._raise_end(reading)
        taken = tuple(self._unread)
        self._unread.clear()
        self._has_room.set()
        return taken

    async def _arrives_within(self, limit_s: float, reading: asyncio.Task[None]) -> bool:
        """Whether there is a message, or the end of the stream, after *limit_s* at most."""
        if self._unread:
            return True
        self._has_arrived.clear()
        if reading.done():
            return True
        return await self._has_arrived.wait(limit_s)

    async def _raise_end(self, reading: asyncio.Task[None]) -> None:
        """Say as an error of ours how the stream ended."""
        # Waited for outside of the try: a cancellation of whoever watches must stay one.
        await asyncio.wait({reading})
        try:
            reading.result()
        except grpc.aio.AioRpcError as error:
            raise translate(error, writes=False, endpoint=self._endpoint) from error
        except asyncio.CancelledError as error:
            raise StoreUnavailable(f"the connection to etcd at {self._endpoint} was closed") from error

    async def _ask_for_progress(self, limit_s: float) -> None:
        """Best effort: the reading task knows better than the writer why a stream has broken."""
        with suppress(TimeoutError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
            async with asyncio.timeout(limit_s):
                await self._call.write(wire.progress_request())

    def _check(self, response: Any) -> None:
        if response is END_OF_STREAM:
            raise StoreUnavailable(f"etcd at {self._endpoint} closed the watch")
        if response.canceled:
            raise cancelled_watch(response.cancel_reason, response.compact_revision, self._endpoint)
