"""`HistoryReader` on MongoDB: typed queries in, documents out.

Lists page by key, never by skip, and leave output out. Every query has a time limit. While MongoDB is known
to be away calls fail at once, so that an outage costs a page its history and not its answer.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError

from common.domain.errors import StoreUnavailable
from common.domain.execution import LedgerKind
from common.domain.job import JobSpec
from common.domain.records import EXECUTIONS, LEDGER, OUTPUT, WORKERS, Document
from common.mongo.client import unavailable
from master.adapters.execution_queries import condition_of, list_query, within
from master.ports import COUNT_CAP, ExecutionFilter, ExecutionKey, ExecutionOrder, Total

QUERY_LIMIT_MS: Final = 5_000
#: Left out of lists: as large as output can get, or only of interest on the execution's own page.
_NOT_IN_LISTS: Final = {"out.head": 0, "out.tail": 0, "history": 0, "parameters": 0}
_SUMMARY: Final = {
    "uid": 1,
    "tick": 1,
    "attempt": 1,
    "cause": 1,
    "status": 1,
    "reason": 1,
    "worker": 1,
    "scheduled_at": 1,
    "started_at": 1,
    "finished_at": 1,
    "duration_ms": 1,
    "lateness_ms": 1,
    "exit_code": 1,
}
#: Of all but the newest: a page of jobs has some thousand of these, and reading them is what it costs.
_STRIP: Final = {"uid": 1, "status": 1, "started_at": 1, "duration_ms": 1}
_HOW_IT_ENDED: Final = {"uid": 1, "status": 1, "scheduled_at": 1, "finished_at": 1, "duration_ms": 1}
#: Sub-queries per aggregation of `recent`; the server refuses pipelines of more than 1000 stages.
_JOBS_PER_QUERY: Final = 100
_JOBS_WORTH_A_QUERY: Final = 25
_QUERIES_AT_ONCE: Final = 4


class MongoHistory:
    """Reads the collections of the database it is given. `version()` decides whether it counts as
    connected."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database
        self._is_connected = False

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    async def version(self) -> str:
        try:
            answer = await self._database.client.admin.command("buildInfo", maxTimeMS=QUERY_LIMIT_MS)
        except PyMongoError as error:
            self._is_connected = False
            raise unavailable(error) from error
        self._is_connected = True
        return str(answer["version"])

    async def now(self) -> datetime:
        """The server's clock."""
        async with self.query():
            hello = await self._database.client.admin.command(
                "hello", codec_options=self._database.codec_options
            )
        instant: datetime = hello["localTime"]
        return instant

    async def executions(
        self, where: ExecutionFilter, order: ExecutionOrder, *, after: ExecutionKey | None, limit: int
    ) -> list[Document]:
        query = list_query(where, order, after)
        async with self.query():
            cursor = self._database[EXECUTIONS].find(
                query.condition, _NOT_IN_LISTS, hint=query.index, max_time_ms=QUERY_LIMIT_MS
            )
            return await cursor.sort(query.order).limit(limit).to_list()

    async def count(self, where: ExecutionFilter) -> Total:
        condition = condition_of(where)
        async with self.query():
            if not condition:
                # Known without counting; what is below the cap is worth an exact answer.
                count = await self._database[EXECUTIONS].estimated_document_count(maxTimeMS=QUERY_LIMIT_MS)
                if count > COUNT_CAP:
                    return Total(COUNT_CAP, is_exact=False)
            count = await self._database[EXECUTIONS].count_documents(
                condition, limit=COUNT_CAP + 1, maxTimeMS=QUERY_LIMIT_MS
            )
        return Total(min(count, COUNT_CAP), is_exact=count <= COUNT_CAP)

    async def execution(self, execution_id: str) -> Document | None:
        async with self.query():
            return await self._database[EXECUTIONS].find_one(
                {"_id": execution_id}, max_time_ms=QUERY_LIMIT_MS
            )

    async def executions_by_id(self, execution_ids: Sequence[str]) -> list[Document]:
        if not execution_ids:
            return []
        async with self.query():
            return (
                await self._database[EXECUTIONS]
                .find({"_id": {"$in": list(execution_ids)}}, _NOT_IN_LISTS, max_time_ms=QUERY_LIMIT_MS)
                .to_list()
            )

    async def recent(self, jobs: Sequence[JobSpec], count: int) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {}
        if not jobs:
            return found
        size = min(_JOBS_PER_QUERY, max(_JOBS_WORTH_A_QUERY, -(-len(jobs) // _QUERIES_AT_ONCE)))
        try:
            # Side by side: the server needs most of the time, and has more than one core.
            async with asyncio.TaskGroup() as group:
                parts = [
                    group.create_task(self._strips(jobs[start : start + size], count), name="history.strips")
                    for start in range(0, len(jobs), size)
                ]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        for document in (document for part in parts for document in part.result()):
            found.setdefault(document["uid"], []).append(document)
        newest = await self._summaries([documents[0]["_id"] for documents in found.values()])
        for documents in found.values():
            documents[0] = newest.get(documents[0]["_id"], documents[0])
        return found

    async def _strips(self, jobs: Sequence[JobSpec], count: int) -> list[Document]:
        async with self.query():
            cursor = await self._database[EXECUTIONS].aggregate(
                _recent_of_each(jobs, count), maxTimeMS=QUERY_LIMIT_MS
            )
            return await cursor.to_list()

    async def _summaries(self, execution_ids: Sequence[str]) -> dict[str, Document]:
        async with self.query():
            cursor = self._database[EXECUTIONS].find(
                {"_id": {"$in": list(execution_ids)}}, _SUMMARY, max_time_ms=QUERY_LIMIT_MS
            )
            return {document["_id"]: document async for document in cursor}

    async def last_of_jobs(self) -> list[Document]:
        # The server walks the index (uid, tick desc) from one uid to the next: its cost is the number of
        # jobs.
        pipeline: list[Document] = [
            {"$sort": {"uid": 1, "tick": -1}},
            {
                "$group": {
                    "_id": "$uid",
                    "execution": {"$first": "$_id"},
                    "status": {"$first": "$status"},
                    "scheduled_at": {"$first": "$scheduled_at"},
                    "duration_ms": {"$first": "$duration_ms"},
                }
            },
        ]
        async with self.query():
            cursor = await self._database[EXECUTIONS].aggregate(pipeline, maxTimeMS=6 * QUERY_LIMIT_MS)
            return [
                {**document, "_id": document["execution"], "uid": document["_id"]}
                async for document in cursor
            ]

    async def finished_since(self, instant: datetime, limit: int) -> list[Document]:
        async with self.query():
            cursor = self._database[EXECUTIONS].find(
                {"finished_at": {"$gte": instant}}, _HOW_IT_ENDED, max_time_ms=QUERY_LIMIT_MS
            )
            return await cursor.sort([("finished_at", ASCENDING), ("_id", ASCENDING)]).limit(limit).to_list()

    async def executions_of_ticks(
        self, uid: str, first: int | None, before: int | None, limit: int
    ) -> list[Document]:
        condition = {"uid": uid, "tick": {"$type": "number", **within(first, before)}}
        async with self.query():
            cursor = self._database[EXECUTIONS].find(condition, _SUMMARY, max_time_ms=QUERY_LIMIT_MS)
            return await cursor.sort([("tick", DESCENDING), ("attempt", DESCENDING)]).limit(limit).to_list()

    async def started_ticks(self, uid: str, ticks: Sequence[int]) -> set[int]:
        if not ticks:
            return set()
        condition = {"uid": uid, "tick": {"$in": list(ticks)}}
        async with self.query():
            cursor = self._database[EXECUTIONS].find(
                condition, {"_id": 0, "tick": 1}, max_time_ms=QUERY_LIMIT_MS
            )
            return {document["tick"] async for document in cursor}

    async def ledger_rows(
        self,
        uid: str,
        first: int | None,
        before: int | None,
        limit: int,
        *,
        kind: LedgerKind | None = None,
    ) -> list[Document]:
        condition: Document = {"uid": uid, "tick": {"$type": "number", **within(first, before)}}
        if kind is not None:
            condition["kind"] = kind.value
        async with self.query():
            cursor = self._database[LEDGER].find(condition, max_time_ms=QUERY_LIMIT_MS)
            return await cursor.sort("tick", DESCENDING).limit(limit).to_list()

    async def ledger_row_covering(self, uid: str, tick: int) -> Document | None:
        async with self.query():
            row: Document | None = await self._database[LEDGER].find_one(
                {"uid": uid, "tick": {"$lte": tick}}, sort=[("tick", DESCENDING)], max_time_ms=QUERY_LIMIT_MS
            )
        if row is None:
            return None
        last: int = row.get("last_tick") or row["tick"]
        return row if last >= tick else None

    async def counts_per_day(self, where: ExecutionFilter) -> list[Document]:
        day = {"$dateToString": {"date": "$scheduled_at", "format": "%Y-%m-%d"}}
        pipeline: list[Document] = [
            {"$match": condition_of(where)},
            {"$group": {"_id": {"day": day, "status": "$status"}, "count": {"$sum": 1}}},
            {"$sort": {"_id.day": 1}},
        ]
        async with self.query():
            cursor = await self._database[EXECUTIONS].aggregate(pipeline, maxTimeMS=QUERY_LIMIT_MS)
            return [{**group["_id"], "count": group["count"]} async for group in cursor]

    async def timings(self, where: ExecutionFilter, limit: int) -> list[Document]:
        condition = {**condition_of(where), "finished_at": {"$type": "date"}}
        async with self.query():
            cursor = self._database[EXECUTIONS].find(
                condition, {"_id": 0, "duration_ms": 1, "lateness_ms": 1}, max_time_ms=QUERY_LIMIT_MS
            )
            return await cursor.sort("scheduled_at", DESCENDING).limit(limit).to_list()

    async def chunk_numbers(self, execution_id: str) -> list[int]:
        # The key range of `<id>/<number>`; "0" is the character behind "/".
        condition = {"_id": {"$gte": f"{execution_id}/", "$lt": f"{execution_id}0"}}
        async with self.query():
            cursor = self._database[OUTPUT].find(condition, {"_id": 1}, max_time_ms=QUERY_LIMIT_MS)
            numbers = [str(document["_id"]).rpartition("/")[2] async for document in cursor]
        return sorted(int(number) for number in numbers if number.isdecimal())

    async def chunks(self, execution_id: str, numbers: Sequence[int]) -> list[Document]:
        if not numbers:
            return []
        keys = [f"{execution_id}/{number}" for number in numbers]
        async with self.query():
            found = (
                await self._database[OUTPUT]
                .find({"_id": {"$in": keys}}, max_time_ms=QUERY_LIMIT_MS)
                .to_list()
            )
        return sorted(found, key=lambda chunk: int(chunk["seq"]))

    async def workers(self) -> list[Document]:
        async with self.query():
            return await self._database[WORKERS].find({}, max_time_ms=QUERY_LIMIT_MS).limit(10_000).to_list()

    @asynccontextmanager
    async def query(self) -> AsyncIterator[None]:
        """Around every query: refuses at once while MongoDB is away, and translates what it raises."""
        if not self._is_connected:
            raise StoreUnavailable(
                "history cannot be read at present: MongoDB does not answer", store="mongodb"
            )
        try:
            yield
        except ExecutionTimeout as error:
            raise StoreUnavailable(
                f"MongoDB needed more than {QUERY_LIMIT_MS // 1000} s for this query: narrow the time range "
                "or the filters",
                store="mongodb",
            ) from error
        except PyMongoError as error:
            # A refused query says nothing about the connection; the next probe decides anyway.
            self._is_connected = not isinstance(error, ConnectionFailure)
            raise unavailable(error) from error


def _recent_of_each(jobs: Sequence[JobSpec], count: int) -> list[Document]:
    """One round trip for many jobs: the same small, index-bound query for each, joined by $unionWith."""

    def of(job: JobSpec) -> list[Document]:
        return [
            # The name leads into the index; the uid leaves out an older job of that name.
            {"$match": {"namespace": job.namespace, "job": job.name, "uid": job.uid}},
            {"$sort": {"scheduled_at": -1, "_id": -1}},
            {"$limit": count},
            {"$project": _STRIP},
        ]

    first, *others = jobs
    return of(first) + [{"$unionWith": {"coll": EXECUTIONS, "pipeline": of(job)}} for job in others]
