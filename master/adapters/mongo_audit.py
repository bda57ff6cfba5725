"""The audit chain in MongoDB: collection `audit`, `_id` is the number of the entry.

Masters append without a lock: each writes the number behind the end it knows, and the one that comes second
is refused by the unique `_id`, looks again and goes on from there. A unique index on the fact's id keeps an
entry from being stored twice when an answer got lost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from common.domain.errors import StoreUnavailable
from common.domain.records import AUDIT, AUDIT_ANCHOR, Document
from common.mongo.client import unavailable
from master.audit_port import AuditFilter
from master.domain.audit import Anchor, Entry, Fact, chained
from master.ports import COUNT_CAP, Total

_QUERY_LIMIT_MS: Final = 5_000
_DUPLICATE: Final = 11000
_ANCHOR: Final = "anchor"
_PRUNING: Final = "pruning"
#: Entries in a row of an expired beginning that are looked at in one go.
_CUT_STEP: Final = 10_000


class MongoAudit:
    """
    See `AuditStore`.

    Args:
        is_connected: Whether MongoDB gave a sign of life lately; without one calls fail at once.
    """

    def __init__(
        self, database: AsyncDatabase[Document], is_connected: Callable[[], bool] = lambda: True
    ) -> None:
        self._is_connected = is_connected
        self._entries = database[AUDIT]
        self._state = database[AUDIT_ANCHOR]
        self._end: Anchor | None = None

    async def append(self, facts: Sequence[Fact]) -> Anchor:
        left = list(facts)
        async with self._translated():
            while left:
                end = self._end or await self._read_end()
                entries = _chain(left, end)
                # Until the answer is there nobody knows where the chain ends.
                self._end = None
                try:
                    await self._entries.insert_many([_document(entry) for entry in entries], ordered=True)
                    stored = len(entries)
                    self._end = entries[-1].anchor
                except BulkWriteError as error:
                    stored = _stored_before(error)
                del left[:stored]
            return self._end or await self._read_end()

    async def anchor(self) -> Anchor:
        async with self._translated():
            found = await self._state.find_one({"_id": _ANCHOR}, max_time_ms=_QUERY_LIMIT_MS)
        return Anchor(int(found["seq"]), str(found["hash"])) if found else Anchor()

    async def entries_behind(self, seq: int) -> AsyncIterator[Entry]:
        async with self._translated():
            async for document in self._entries.find({"_id": {"$gt": seq}}).sort("_id", ASCENDING):
                yield _entry(document)

    async def page(self, where: AuditFilter, *, before: int | None, limit: int) -> list[Entry]:
        condition = _condition(where)
        if before is not None:
            condition["_id"] = {"$lt": before}
        async with self._translated():
            cursor = self._entries.find(condition, max_time_ms=_QUERY_LIMIT_MS)
            found = await cursor.sort("_id", DESCENDING).limit(limit).to_list()
        return [_entry(document) for document in found]

    async def count(self, where: AuditFilter) -> Total:
        async with self._translated():
            count = await self._entries.count_documents(
                _condition(where), limit=COUNT_CAP + 1, maxTimeMS=_QUERY_LIMIT_MS
            )
        return Total(min(count, COUNT_CAP), is_exact=count <= COUNT_CAP)

    async def expired(self, before: datetime) -> Anchor | None:
        # Not simply all that are older: an entry that waited for MongoDB has an earlier time than its place.
        last: Anchor | None = None
        async with self._translated():
            cursor = self._entries.find({}, {"at": 1, "hash": 1}, max_time_ms=_QUERY_LIMIT_MS)
            async for document in cursor.sort("_id", ASCENDING).limit(_CUT_STEP):
                if document["at"] >= before:
                    break
                last = Anchor(int(document["_id"]), str(document["hash"]))
        return last

    async def cut(self, anchor: Anchor) -> int:
        async with self._translated():
            # First where it begins, then the removal: should it stop in between, what is left is ignored.
            await self._state.update_one({"_id": _ANCHOR}, [_forward(anchor)], upsert=True)
            removed = await self._entries.delete_many({"_id": {"$lte": anchor.seq}})
        return removed.deleted_count

    async def claims_pruning(self, now: datetime, since: datetime) -> bool:
        async with self._translated():
            try:
                await self._state.update_one(
                    {"_id": _PRUNING, "at": {"$lt": since}}, {"$set": {"at": now}}, upsert=True
                )
            # There is one that is newer, which the filter does not find and the upsert meets.
            except DuplicateKeyError:
                return False
        return True

    async def _read_end(self) -> Anchor:
        last = await self._entries.find_one(
            {}, {"hash": 1}, sort=[("_id", DESCENDING)], max_time_ms=_QUERY_LIMIT_MS
        )
        return Anchor(int(last["_id"]), str(last["hash"])) if last else await self.anchor()

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        if not self._is_connected():
            raise StoreUnavailable(
                "the audit trail cannot be reached at present: MongoDB does not answer", store="mongodb"
            )
        asked_before = _times_cancelled()
        try:
            yield
        except PyMongoError as error:
            _check_cancelled(asked_before)
            raise StoreUnavailable(str(unavailable(error)), store="mongodb") from error
        _check_cancelled(asked_before)


def _times_cancelled() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _check_cancelled(asked_before: int) -> None:
    """
    Raise what the driver may have swallowed since *asked_before* was counted.

    On Python 3.11 a wait inside it can end with a result or its own time-out in place of the cancellation
    (gh-86296), and a loop that never hears of it never ends. Earlier ones do not count: a task that was
    asked before, and went on, meant to.
    """
    if _times_cancelled() > asked_before:
        raise asyncio.CancelledError


def _chain(facts: Sequence[Fact], end: Anchor) -> list[Entry]:
    entries: list[Entry] = []
    for fact in facts:
        entries.append(chained(fact, end))
        end = entries[-1].anchor
    return entries


def _stored_before(error: BulkWriteError) -> int:
    """How many of the facts need not be sent again; raises *error* when it is no collision."""
    details: Mapping[str, Any] = error.details
    failures = details.get("writeErrors") or []
    if not failures or failures[0].get("code") != _DUPLICATE:
        raise error
    is_there_already = "fact_id" in (failures[0].get("keyPattern") or {})
    return int(details["nInserted"]) + is_there_already


def _forward(anchor: Anchor) -> Document:
    """An update that never lets the chain begin earlier than it does."""
    is_later = {"$gt": [anchor.seq, {"$ifNull": ["$seq", 0]}]}
    return {
        "$set": {
            "seq": {"$cond": [is_later, anchor.seq, "$seq"]},
            "hash": {"$cond": [is_later, anchor.hash, "$hash"]},
        }
    }


def _document(entry: Entry) -> Document:
    fields: Document = {**entry.fact.plain(), "at": entry.fact.at}
    return {
        "_id": entry.seq,
        "fact_id": fields.pop("id"),
        **fields,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def _entry(document: Document) -> Entry:
    fact = Fact.of_plain({**document, "id": document["fact_id"], "at": document["at"].isoformat()})
    return Entry(int(document["_id"]), fact, str(document["previous_hash"]), str(document["hash"]))


def _condition(where: AuditFilter) -> Document:
    equal = {"actor": where.actor, "namespace": where.namespace, "object": where.object}
    condition: Document = {name: value for name, value in equal.items() if value is not None}
    if where.actions:
        condition["action"] = {"$in": [action.value for action in where.actions]}
    if where.outcome is not None:
        condition["outcome"] = where.outcome.value
    if where.job_uid is not None:
        # "/" is the character behind ".": all ids `<uid>.<tick>.<attempt>`.
        its_executions = {"object": {"$gt": f"{where.job_uid}.", "$lt": f"{where.job_uid}/"}}
        the_job = {name: condition.pop(name) for name in ("namespace", "object") if name in condition}
        condition["$or"] = [the_job, its_executions]
    bounds = {"$gte": where.since, "$lt": where.until}
    if found := {operator: bound for operator, bound in bounds.items() if bound is not None}:
        condition["at"] = found
    return condition
