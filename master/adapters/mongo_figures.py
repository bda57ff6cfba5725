"""`FiguresReader` on MongoDB: aggregations that walk an index and stop at a limit."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from common.domain.execution import LedgerKind, Status
from common.domain.ids import epoch_s
from common.domain.job import JobSpec
from common.domain.records import EXECUTIONS, LEDGER, Document
from common.mongo.schema import RARE_STATUSES
from master.adapters.execution_queries import condition_of, rare_ones
from master.adapters.mongo_history import QUERY_LIMIT_MS, MongoHistory
from master.domain.minute_counts import MinuteCount
from master.figures_port import Histogram
from master.ports import ExecutionFilter

_TROUBLES: Final = [Status.FAILED.value, Status.TIMED_OUT.value, Status.LOST.value]
_NEWEST_TROUBLES: Final = 5_000
_MISSES: Final = 5_000
_GROUPS: Final = 500
#: The server refuses pipelines of more than 1000 stages.
_PER_QUERY: Final = 100
_BAR: Final = {
    "uid": 1, "namespace": 1, "job": 1, "worker": 1, "status": 1, "scheduled_at": 1, "started_at": 1,
    "finished_at": 1,
}  # fmt: skip
_UNRUN: Final = {
    "uid": 1, "tick": 1, "last_tick": 1, "kind": 1, "reason": 1, "count": 1,
}  # fmt: skip


class MongoFigures:
    """Shares the connection, and what is known of it, with *history*."""

    def __init__(self, database: AsyncDatabase[Document], history: MongoHistory) -> None:
        self._database = database
        self._history = history

    async def minute_counts(self, since: datetime, until: datetime) -> list[MinuteCount]:
        minute = {"$floor": {"$divide": [{"$toLong": "$scheduled_at"}, 60_000]}}
        groups = await self._aggregate(
            EXECUTIONS,
            [
                {"$match": {"scheduled_at": {"$gte": since, "$lt": until}}},
                {
                    "$group": {
                        "_id": {"minute": minute, "namespace": "$namespace", "status": "$status"},
                        "count": {"$sum": 1},
                    }
                },
            ],
        )
        return [
            MinuteCount(
                int(group["_id"]["minute"]), group["_id"]["namespace"], group["_id"]["status"], group["count"]
            )
            for group in groups
        ]

    async def troubles(self, since: datetime) -> list[Document]:
        troubles = rare_ones("status", _TROUBLES, RARE_STATUSES)
        groups = await self._aggregate(
            EXECUTIONS,
            [
                {"$match": {**troubles, "scheduled_at": {"$gte": since}}},
                {"$sort": {"scheduled_at": -1, "_id": -1}},
                {"$limit": _NEWEST_TROUBLES},
                {
                    "$group": {
                        "_id": {"namespace": "$namespace", "job": "$job", "status": "$status"},
                        "count": {"$sum": 1},
                        "at": {"$first": "$scheduled_at"},
                        "execution_id": {"$first": "$_id"},
                        "reason": {"$first": "$reason"},
                    }
                },
                {"$sort": {"at": -1}},
                {"$limit": _GROUPS},
            ],
        )
        return [{**group.pop("_id"), **group} for group in groups]

    async def misses(self, since: datetime) -> list[Document]:
        hour = {"$floor": {"$divide": ["$tick", 3600]}}
        groups = await self._aggregate(
            LEDGER,
            [
                {"$match": {"kind": LedgerKind.MISSED.value, "tick": {"$gte": epoch_s(since)}}},
                {"$sort": {"tick": -1}},
                {"$limit": _MISSES},
                {
                    "$group": {
                        "_id": {"namespace": "$namespace", "job": "$job", "reason": "$reason", "hour": hour},
                        "count": {"$sum": "$count"},
                        "at": {"$max": "$last_tick"},
                    }
                },
                {"$sort": {"at": -1}},
            ],
        )
        return [{**group.pop("_id"), **group} for group in groups]

    async def bars_of_jobs(
        self, jobs: Sequence[JobSpec], since: datetime, until: datetime, limit: int
    ) -> list[Document]:
        due = {"$gte": since, "$lt": until}
        return await self._each(
            EXECUTIONS,
            [
                # The name leads into the index; the uid leaves out an older job of that name.
                _newest(
                    {"namespace": job.namespace, "job": job.name, "uid": job.uid, "scheduled_at": due},
                    {"scheduled_at": -1, "_id": -1},
                    limit,
                    _BAR,
                )
                for job in jobs
            ],
        )

    async def bars_of_workers(
        self,
        workers: Sequence[str],
        since: datetime,
        until: datetime,
        limit: int,
        namespaces: Collection[str] | None,
    ) -> list[Document]:
        seen = {} if namespaces is None else {"namespace": {"$in": sorted(namespaces)}}
        started = {"$gte": since, "$lt": until}
        return await self._each(
            EXECUTIONS,
            [
                _newest({"worker": worker, "started_at": started, **seen}, {"started_at": -1}, limit, _BAR)
                for worker in workers
            ],
        )

    async def unrun_of_jobs(
        self, jobs: Sequence[JobSpec], since: datetime, until: datetime, limit: int
    ) -> list[Document]:
        ticks = {"$gte": epoch_s(since), "$lt": epoch_s(until)}
        return await self._each(
            LEDGER, [_newest({"uid": job.uid, "tick": ticks}, {"tick": -1}, limit, _UNRUN) for job in jobs]
        )

    async def histogram(
        self, where: ExecutionFilter, since: datetime, bucket_s: int, limit: int
    ) -> Histogram:
        start_ms = round(since.timestamp() * 1000)
        age_ms = {"$subtract": [{"$toLong": "$scheduled_at"}, start_ms]}
        groups = await self._aggregate(
            EXECUTIONS,
            [
                {"$match": condition_of(where)},
                {"$sort": {"scheduled_at": -1}},
                {"$limit": limit},
                {
                    "$group": {
                        "_id": {
                            "bucket": {"$floor": {"$divide": [age_ms, bucket_s * 1000]}},
                            "status": "$status",
                        },
                        "count": {"$sum": 1},
                        "oldest": {"$min": "$scheduled_at"},
                    }
                },
            ],
        )
        buckets: dict[int, dict[str, int]] = {}
        for group in groups:
            buckets.setdefault(int(group["_id"]["bucket"]), {})[group["_id"]["status"]] = group["count"]
        is_cut = sum(group["count"] for group in groups) >= limit
        oldest = min((group["oldest"] for group in groups), default=since)
        return Histogram(buckets, oldest + timedelta(milliseconds=1) if is_cut else None)

    async def _each(self, collection: str, pipelines: Sequence[list[Document]]) -> list[Document]:
        """The results of many small queries, a hundred in one round trip."""
        found: list[Document] = []
        for start in range(0, len(pipelines), _PER_QUERY):
            first, *others = pipelines[start : start + _PER_QUERY]
            joined = [{"$unionWith": {"coll": collection, "pipeline": pipeline}} for pipeline in others]
            found += await self._aggregate(collection, [*first, *joined])
        return found

    async def _aggregate(self, collection: str, pipeline: list[Document]) -> list[Document]:
        async with self._history.query():
            cursor = await self._database[collection].aggregate(pipeline, maxTimeMS=QUERY_LIMIT_MS)
            return await cursor.to_list()


def _newest(condition: Document, order: dict[str, int], limit: int, fields: dict[str, Any]) -> list[Document]:
    return [{"$match": condition}, {"$sort": order}, {"$limit": limit}, {"$project": fields}]
