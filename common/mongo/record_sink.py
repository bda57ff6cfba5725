"""Records into MongoDB: durable, idempotent, fenced; the worker and the reconciler write through it.

Plain commands, made here: the driver's bulk interface costs 40 us of Python per record, a command 5. What is
probably new is inserted, which costs the server a third of an upsert; what is there already is then updated,
if its fence allows. Retrying is the caller's, with the same records. Output goes first, statuses after it, so
that an execution does not look finished before its last lines are there. A ledger row gives way to the record
of an execution of its tick, whichever comes first.
"""

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, Final, TypeAlias, TypeVar

from bson.errors import BSONError
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DocumentTooLarge, PyMongoError

from common.domain.errors import StoreUnavailable
from common.domain.records import (
    EXECUTIONS,
    LEDGER,
    OUTPUT,
    Document,
    ExecutionRecord,
    LedgerRow,
    OutputChunk,
    OutputLoss,
    Record,
    WriteReport,
)
from common.mongo.client import DURABLE, is_temporary, is_temporary_code, unavailable

#: The states of one execution that are in a batch, in their order.
_States: TypeAlias = list[ExecutionRecord]
_T = TypeVar("_T")
_ORDER: Final = attrgetter("fence", "seq")
_DUPLICATE_KEY: Final = 11000
#: Fields a later state may lack that an earlier one of the same execution had.
_TAKEN_BACK: Final = ("reason", "error")


class MongoRecordSink:
    """Writes records into the collections of one database."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database

    async def write(self, records: Sequence[Record]) -> WriteReport:
        batch = _Batch()
        await self._write_output(batch, [r for r in records if isinstance(r, OutputChunk)])
        executions = _by_execution([r for r in records if isinstance(r, ExecutionRecord)])
        rows = [r for r in records if isinstance(r, LedgerRow)]
        await self._write_executions(batch, executions)
        await self._update(batch, LEDGER, [_ledger(row) for row in rows])
        # After the executions they belong to, which may be in the same batch.
        await self._update(batch, EXECUTIONS, [_loss(r) for r in records if isinstance(r, OutputLoss)])
        await self._remove_superseded(batch, executions, rows)
        return WriteReport(
            stored=len(records) - len(batch.fenced) - len(batch.refused),
            fenced=tuple(batch.fenced),
            refused=tuple(batch.refused),
        )

    async def _write_output(self, batch: "_Batch", chunks: list[OutputChunk]) -> None:
        left = await self._insert(OUTPUT, [({"_id": r.key, **r.document()}, r) for r in chunks])
        await self._update(batch, OUTPUT, [_chunk(chunk) for chunk in left])

    async def _write_executions(self, batch: "_Batch", states: list[_States]) -> None:
        # With its first state in the batch it is new, unless an earlier try got through or it was given up.
        new = [(_document(of_one), of_one) for of_one in states if of_one[0].is_first]
        left = await self._insert(EXECUTIONS, new)
        left += [of_one for of_one in states if not of_one[0].is_first]
        await self._update(batch, EXECUTIONS, [_upsert(of_one) for of_one in left])

    async def _remove_superseded(
        self, batch: "_Batch", executions: list[_States], rows: list[LedgerRow]
    ) -> None:
        """
        Delete the rows of ticks that were executed: those found for *executions*, and those of *rows*.

        Whoever writes looks for the other side afterwards, so of two writers at least one sees both. Looking
        is a read, because a delete waits for the journal also when it finds nothing.

        Raises:
            StoreUnavailable: All of it must be written again.
        """
        refused = {record.key for record, _ in batch.refused}
        suspects = {of_one[-1].superseded_row for of_one in executions if of_one[-1].key not in refused}
        suspects.discard(None)
        found = await self._existing(LEDGER, suspects)
        others = {row.superseded_by: row.key for row in rows if row.superseded_by and row.key not in suspects}
        found += [others[key] for key in await self._existing(EXECUTIONS, others)]
        if not found:
            return
        command: Document = {
            "delete": LEDGER,
            "deletes": [{"q": {"_id": {"$in": found}}, "limit": 0}],
            "writeConcern": DURABLE.document,
        }
        try:
            answer = await self._database.command(command)
        except PyMongoError as error:
            raise unavailable(error) from error
        _raise_if_not_durable(answer)

    async def _existing(self, collection: str, keys: Collection[str | None]) -> list[str]:
        """
        Which documents of *keys* there are.

        Raises:
            StoreUnavailable: The database did not say.
        """
        if not keys:
            return []
        command: Document = {
            "find": collection,
            "filter": {"_id": {"$in": list(keys)}},
            "projection": {"_id": True},
            "batchSize": len(keys),
            "singleBatch": True,
            "readConcern": {"level": "local"},
        }
        try:
            answer = await self._database.command(command)
        except PyMongoError as error:
            raise unavailable(error) from error
        return [document["_id"] for document in answer["cursor"]["firstBatch"]]

    async def _insert(self, collection: str, new: list[tuple[Document, _T]]) -> list[_T]:
        """
        Insert what is not there; return what is left to be updated.

        Raises:
            StoreUnavailable: Nothing is known to be stored.
        """
        if not new:
            return []
        command: Document = {
            "insert": collection,
            "documents": [document for document, _ in new],
            "ordered": False,
            "writeConcern": DURABLE.document,
        }
        try:
            answer = await self._database.command(command)
        except (BSONError, OverflowError, UnicodeEncodeError):
            return [of_one for _, of_one in new]
        except PyMongoError as error:
            if is_temporary(error):
                raise unavailable(error) from error
            return [of_one for _, of_one in new]
        _raise_if_not_durable(answer)
        # Whatever one of them was refused for, the update says so, or finds it there.
        return [new[error["index"]][1] for error in answer.get("writeErrors", ())]

    async def _update(self, batch: "_Batch", collection: str, updates: list["_Update"]) -> None:
        if not updates:
            return
        command: Document = {
            "update": collection,
            "updates": [update.operation for update in updates],
            "ordered": False,
            "writeConcern": DURABLE.document,
        }
        try:
            answer = await self._database.command(command)
        except (DocumentTooLarge, BSONError, OverflowError, UnicodeEncodeError) as error:
            await self._one_by_one(batch, collection, updates, str(error))
            return
        except PyMongoError as error:
            if is_temporary(error):
                raise unavailable(error) from error
            await self._one_by_one(batch, collection, updates, str(error))
            return
        _read_answer(batch, updates, answer)

    async def _one_by_one(
        self, batch: "_Batch", collection: str, updates: list["_Update"], reason: str
    ) -> None:
        """The command was refused as a whole: find the record it was refused for."""
        if len(updates) == 1:
            batch.refused += [(record, reason) for record in updates[0].records]
            return
        middle = len(updates) // 2
        await self._update(batch, collection, updates[:middle])
        await self._update(batch, collection, updates[middle:])


class _Update:
    """One operation, and the records it stores."""

    __slots__ = ("operation", "records")

    def __init__(self, operation: Document, *records: Record) -> None:
        self.operation = operation
        self.records = records


class _Batch:
    def __init__(self) -> None:
        self.fenced: list[str] = []
        self.refused: list[tuple[Record, str]] = []


def _read_answer(batch: _Batch, updates: list[_Update], answer: dict[str, Any]) -> None:
    """
    Raises:
        StoreUnavailable: Some of it must be written again; all of it may be.
    """
    temporary = None
    for error in answer.get("writeErrors", ()):
        update = updates[error["index"]]
        if error["code"] == _DUPLICATE_KEY:
            # Refused by its fence, or stored by an earlier try: either way it is done.
            batch.fenced += [record.key for record in update.records]
        elif is_temporary_code(error["code"]):
            temporary = error["errmsg"]
        else:
            reason = f"MongoDB error {error['code']}: {error['errmsg']}"
            batch.refused += [(record, reason) for record in update.records]
    if temporary is not None:
        raise StoreUnavailable(f"MongoDB: {temporary}")
    _raise_if_not_durable(answer)


def _raise_if_not_durable(answer: dict[str, Any]) -> None:
    concern = answer.get("writeConcernError")
    if concern is not None:
        raise StoreUnavailable(f"MongoDB: {concern.get('errmsg', 'the write is not durable yet')}")


def _by_execution(records: list[ExecutionRecord]) -> list[_States]:
    """States of one execution in one batch become one operation; the history keeps them all, in order."""
    states: dict[str, _States] = {}
    for record in records:
        states.setdefault(record.execution_id, []).append(record)
    for of_one in states.values():
        if len(of_one) > 1:
            of_one.sort(key=_ORDER)
    return list(states.values())


def _document(states: _States) -> Document:
    """What the upsert of *states* makes where nothing is stored."""
    last = states[-1]
    document = last.document()
    document["_id"] = last.execution_id
    document["history"] = _history(states)
    return document


def _history(states: _States) -> list[Document]:
    return [entry for record in states for entry in record.history_entries()]


def _upsert(states: _States) -> _Update:
    last = states[-1]
    document = last.document()
    # Not $push: the batch may be a second try, and may by now hold one state more than the first.
    change: Document = {"$set": document, "$addToSet": {"history": {"$each": _history(states)}}}
    missing = {field: "" for field in _TAKEN_BACK if field not in document}
    if missing:
        change["$unset"] = missing
    older = {"$or": [{"fence": {"$lt": last.fence}}, {"fence": last.fence, "seq": {"$lt": int(last.seq)}}]}
    return _Update({"q": {"_id": last.execution_id, **older}, "u": change, "upsert": True}, *states)


def _chunk(record: OutputChunk) -> _Update:
    return _Update(
        {"q": {"_id": record.key}, "u": {"$setOnInsert": record.document()}, "upsert": True}, record
    )


def _ledger(record: LedgerRow) -> _Update:
    """
    The first word about a tick stays; a later one may only make the span longer.

    A row whose cursor move failed is followed by one that begins at the same tick and ends at a later one:
    without the extension the ticks in between would be nobody's (simulation seed 5).
    """
    document = record.document()
    longer = {"last_tick": document.pop("last_tick"), "count": document.pop("count")}
    exact = {"count_is_exact": document.pop("count_is_exact")}
    change: Document = {"$setOnInsert": document, "$max": longer, "$min": exact}
    return _Update({"q": {"_id": record.key}, "u": change, "upsert": True}, record)


def _loss(record: OutputLoss) -> _Update:
    return _Update(
        {
            "q": {"_id": record.execution_id, "fence": record.fence},
            "u": {"$set": {"truncated": True}},
            "upsert": False,
        },
        record,
    )
