"""`WorkerRecords` on MongoDB."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pymongo import DESCENDING, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.records import WORKER_EVENTS, WORKER_METRICS, WORKERS, Document
from master.adapters.mongo_history import QUERY_LIMIT_MS, MongoHistory
from master.domain.worker_events import WorkerEvent
from master.workers_port import EventKey

_MEANS: Final = ("cpu_percent", "load_1", "running")


class MongoWorkers:
    """Shares the connection, and what is known of it, with *history*."""

    def __init__(self, database: AsyncDatabase[Document], history: MongoHistory) -> None:
        self._database = database
        self._history = history

    async def curve(self, worker: str, since: datetime, until: datetime, bucket_s: int) -> list[Document]:
        size_ms = bucket_s * 1000
        start_ms = round(since.timestamp() * 1000)
        age_ms = {"$subtract": [{"$toLong": "$at"}, start_ms]}
        bucket = {"$floor": {"$divide": [age_ms, size_ms]}}
        group: Document = {
            "_id": bucket,
            **{name: {"$avg": f"${name}"} for name in _MEANS},
            "memory": {"$avg": _share("memory")},
            "disk": {"$avg": _share("disk")},
        }
        async with self._history.query():
            cursor = await self._database[WORKER_METRICS].aggregate(
                [
                    {"$match": {"worker": worker, "at": {"$gte": since, "$lt": until}}},
                    {"$group": group},
                    {"$sort": {"_id": 1}},
                ],
                maxTimeMS=QUERY_LIMIT_MS,
            )
            found = await cursor.to_list()
        return [{**point, "at": since + timedelta(seconds=int(point["_id"]) * bucket_s)} for point in found]

    async def put_events(self, events: Sequence[WorkerEvent], expires_at: datetime) -> None:
        writes = [
            UpdateOne(
                {"_id": event.id},
                {
                    "$setOnInsert": {
                        "worker": event.worker,
                        "at": event.at,
                        "event": event.event.value,
                        "detail": event.detail,
                        "expires_at": expires_at,
                    }
                },
                upsert=True,
            )
            for event in events
        ]
        async with self._history.query():
            await self._database[WORKER_EVENTS].bulk_write(writes, ordered=False)

    async def events(self, worker: str, after: EventKey | None, limit: int) -> list[Document]:
        condition: Document = {"worker": worker}
        if after is not None:
            behind = [{"at": {"$lt": after.at}}, {"at": after.at, "_id": {"$lt": after.id}}]
            condition["$or"] = behind
        async with self._history.query():
            cursor = self._database[WORKER_EVENTS].find(condition, max_time_ms=QUERY_LIMIT_MS)
            return await cursor.sort([("at", DESCENDING), ("_id", DESCENDING)]).limit(limit).to_list()

    async def count_events(self, worker: str) -> int:
        async with self._history.query():
            return await self._database[WORKER_EVENTS].count_documents(
                {"worker": worker}, maxTimeMS=QUERY_LIMIT_MS
            )

    async def forget(self, worker: str) -> None:
        async with self._history.query():
            # A time series deletes by its meta field, which is the worker.
            await self._database[WORKER_METRICS].delete_many({"worker": worker})
            await self._database[WORKER_EVENTS].delete_many({"worker": worker})
            await self._database[WORKERS].delete_one({"_id": worker})


def _share(what: str) -> Document:
    """Used of total in percent; null, which a mean leaves out, where there is no total."""
    total = f"${what}_total_bytes"
    return {
        "$cond": [
            {"$gt": [total, 0]},
            {"$multiply": [100, {"$divide": [f"${what}_used_bytes", total]}]},
            None,
        ]
    }
