"""The database of a simulation: keeps records as MongoDB would, fenced and idempotent, away or slow."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, Final

from common.domain.errors import StoreUnavailable
from common.domain.records import ExecutionRecord, LedgerRow, OutputChunk, OutputLoss, Record, WriteReport

_CALL_LIMIT_S: Final = 5.0
#: Fields a later state may lack that an earlier one had.
_TAKEN_BACK: Final = ("reason", "error")


class History:
    """
    A `RecordSink` for everybody.

    Attributes:
        is_away: Writes fail; nothing is stored.
        loses_answers: Writes are stored and fail all the same.
        delay_s: How long a write takes.
        executions: Documents by id, as the collection would hold them; `ledger` and `output` likewise.
    """

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.ledger: dict[str, dict[str, Any]] = {}
        self.output: dict[str, dict[str, Any]] = {}
        self.is_away = False
        self.loses_answers = False
        self.delay_s: Callable[[], float] = lambda: 0.002

    async def write(self, records: Sequence[Record]) -> WriteReport:
        """
        Raises:
            StoreUnavailable: Away, or the answer was lost.
        """
        # The request travels by itself: a sender that is frozen or killed has sent it all the same.
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[WriteReport] = loop.create_future()
        loop.call_later(self.delay_s(), self._arrive, tuple(records), answer, context=Context())
        try:
            async with asyncio.timeout(_CALL_LIMIT_S):
                return await answer
        except TimeoutError as error:
            raise StoreUnavailable("MongoDB did not answer") from error

    def _arrive(self, records: tuple[Record, ...], answer: "asyncio.Future[WriteReport]") -> None:
        report = None if self.is_away else self.store(records)
        if answer.done():
            return
        if report is None or self.loses_answers:
            answer.set_exception(StoreUnavailable("MongoDB is away"))
        else:
            answer.set_result(report)

    def store(self, records: Sequence[Record]) -> WriteReport:
        """What the server does with a bulk write."""
        stored, fenced = 0, []
        for record in records:
            if self._upsert(record):
                stored += 1
            else:
                fenced.append(record.key)
        return WriteReport(stored=stored, fenced=tuple(fenced))

    def _upsert(self, record: Record) -> bool:
        match record:
            case ExecutionRecord():
                return self._upsert_execution(record)
            case LedgerRow():
                return self._upsert_ledger(record)
            case OutputLoss():
                document = self.executions.get(record.key)
                if document is not None and document["fence"] == record.fence:
                    document["truncated"] = True
                return True
            case OutputChunk():
                self.output.setdefault(record.key, {"_id": record.key, **record.document()})
                return True

    def _upsert_ledger(self, record: LedgerRow) -> bool:
        if record.superseded_by in self.executions:
            self.ledger.pop(record.key, None)
            return True
        new = record.document()
        row = self.ledger.setdefault(record.key, {"_id": record.key, **new})
        row["last_tick"] = max(row["last_tick"], new["last_tick"])
        row["count"] = max(row["count"], new["count"])
        return True

    def _upsert_execution(self, record: ExecutionRecord) -> bool:
        self.ledger.pop(record.superseded_row or "", None)
        document = self.executions.get(record.key)
        if document is None:
            document = self.executions[record.key] = {"_id": record.key, "history": []}
        elif (document["fence"], document["seq"]) >= (record.fence, int(record.seq)):
            return False
        for name in _TAKEN_BACK:
            document.pop(name, None)
        document.update(record.document())
        document["history"].extend(record.history_entries())
        return True
