"""Saved versions of jobs in MongoDB: one document each, with the stored value as a whole.

Secret values are in it as they are in etcd, because going back to a version must bring them back; nothing
outside the services of versions reads this collection.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo import DESCENDING, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.codec import decode_job, encode_job
from common.domain.errors import CorruptValue
from common.domain.job import JobSpec
from common.domain.records import JOB_VERSIONS, Document
from master.adapters.mongo_history import QUERY_LIMIT_MS, MongoHistory

#: Versions kept of one job; switching a job on and off makes one, too.
KEPT: Final = 200


class MongoVersions:
    """Shares the connection, and what is known of it, with *history*."""

    def __init__(self, database: AsyncDatabase[Document], history: MongoHistory) -> None:
        self._collection = database[JOB_VERSIONS]
        self._history = history

    async def put(self, specs: Sequence[JobSpec]) -> None:
        writes = [
            UpdateOne({"_id": _id(spec)}, {"$setOnInsert": _document(spec)}, upsert=True) for spec in specs
        ]
        async with self._history.query():
            await self._collection.bulk_write(writes, ordered=False)
            for spec in specs:
                if spec.generation > KEPT:
                    await self._collection.delete_many(
                        {"uid": spec.uid, "generation": {"$lte": spec.generation - KEPT}}
                    )

    async def missing(self, specs: Sequence[JobSpec]) -> list[JobSpec]:
        ids = [_id(spec) for spec in specs]
        async with self._history.query():
            cursor = self._collection.find({"_id": {"$in": ids}}, {"_id": 1}, max_time_ms=QUERY_LIMIT_MS)
            known = {document["_id"] async for document in cursor}
        return [spec for spec in specs if _id(spec) not in known]

    async def page(self, uid: str, before: int | None, limit: int) -> list[JobSpec]:
        condition: Document = {"uid": uid}
        if before is not None:
            condition["generation"] = {"$lt": before}
        async with self._history.query():
            cursor = self._collection.find(condition, max_time_ms=QUERY_LIMIT_MS)
            documents = await cursor.sort("generation", DESCENDING).limit(limit).to_list()
        return [spec for document in documents if (spec := _read(document)) is not None]

    async def count(self, uid: str) -> int:
        async with self._history.query():
            return await self._collection.count_documents({"uid": uid}, maxTimeMS=QUERY_LIMIT_MS)

    async def find(self, uid: str, generation: int) -> JobSpec | None:
        async with self._history.query():
            document: Document | None = await self._collection.find_one(
                {"_id": f"{uid}.{generation}"}, max_time_ms=QUERY_LIMIT_MS
            )
        return _read(document) if document is not None else None

    async def uids(self) -> set[str]:
        async with self._history.query():
            cursor = await self._collection.aggregate(
                [{"$match": {"expires_at": None}}, {"$group": {"_id": "$uid"}}], maxTimeMS=6 * QUERY_LIMIT_MS
            )
            return {group["_id"] async for group in cursor}

    async def let_expire(self, uids: Sequence[str], at: datetime) -> None:
        async with self._history.query():
            await self._collection.update_many(
                {"uid": {"$in": list(uids)}, "expires_at": None}, {"$set": {"expires_at": at}}
            )


def _id(spec: JobSpec) -> str:
    return f"{spec.uid}.{spec.generation}"


def _document(spec: JobSpec) -> Document:
    return {
        "uid": spec.uid,
        "generation": spec.generation,
        "namespace": spec.namespace,
        "job": spec.name,
        "changed_at": spec.changed_at,
        "changed_by": spec.changed_by,
        "value": encode_job(spec).decode(),
    }


def _read(document: Document) -> JobSpec | None:
    """The version inside; one that this release cannot read is passed over."""
    try:
        return decode_job(str(document["_id"]), str(document.get("value", "")).encode())
    except CorruptValue:
        return None
