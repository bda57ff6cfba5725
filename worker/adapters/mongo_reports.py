"""What the worker tells MongoDB of itself, and the clock it compares itself with there.

One document per worker in `workers`, stamped with MongoDB's own time: a worker whose clock is wrong must not
look alive or dead for it. The same round trip measures the clock.
"""

from collections.abc import Mapping
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from common.domain.records import WORKER_METRICS, WORKERS, Document
from common.mongo.client import unavailable
from common.runtime.clock import Clock
from worker.clock_watch import OffsetSample

#: Peers that reported within this count as live for the median of the clocks.
_LIVE_MS: Final = 30_000


class MongoReports:
    """Writes the worker's document and reads those of its peers."""

    def __init__(self, database: AsyncDatabase[Document], clock: Clock, worker_id: str) -> None:
        self._database = database
        self._clock = clock
        self._worker_id = worker_id
        self._offset_ms: int | None = None

    async def report(self, state: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """
        Store the worker's present state, and its metrics as one point of their history.

        Raises:
            StoreUnavailable: MongoDB could not be reached.
        """
        document = {**state, "metrics": dict(metrics), "offset_to_mongo_ms": self._offset_ms}
        try:
            await self._database[WORKERS].update_one(
                {"_id": self._worker_id},
                # $literal: labels are user text and must not be taken for field paths.
                [
                    {"$set": {**{key: {"$literal": value} for key, value in document.items()}}},
                    {"$set": {"last_seen_at": "$$NOW"}},
                ],
                upsert=True,
            )
            await self._database[WORKER_METRICS].insert_one(
                {"at": self._clock.now(), "worker": self._worker_id, **metrics}
            )
        except PyMongoError as error:
            raise unavailable(error) from error

    async def sample(self) -> OffsetSample:
        """Measure the clock against MongoDB's, and read what the live peers measured."""
        try:
            before = self._clock.uptime_s()
            # Commands answer naive instants unless told otherwise, whatever the client's own options are.
            hello = await self._database.client.admin.command(
                "hello", codec_options=self._database.codec_options
            )
            round_trip_s = self._clock.uptime_s() - before
            now = self._clock.now()
            peers = self._database[WORKERS].find(
                {
                    "_id": {"$ne": self._worker_id},
                    "offset_to_mongo_ms": {"$type": "number"},
                    "$expr": {"$gt": ["$last_seen_at", {"$subtract": ["$$NOW", _LIVE_MS]}]},
                },
                {"offset_to_mongo_ms": 1},
            )
            offsets = [int(peer["offset_to_mongo_ms"]) async for peer in peers]
        except PyMongoError as error:
            raise unavailable(error) from error
        server_now = hello["localTime"]
        # The server read its clock somewhere within the round trip; the middle is the best guess.
        own_s = now.timestamp() - round_trip_s / 2 - server_now.timestamp()
        self._offset_ms = round(own_s * 1000)
        return OffsetSample(self._offset_ms, offsets)
