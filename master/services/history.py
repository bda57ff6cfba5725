"""Executions for the API: what MongoDB has recorded, joined with what etcd says runs now.

An execution is visible from its claim on: until the worker's first record arrives it is shown from its run
record, with status `claimed`.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from common.domain.errors import ExecutionNotFound, StoreUnavailable
from common.domain.ids import ExecutionId
from common.domain.records import Document
from master.domain import execution_views as views
from master.domain.statistics import Statistics, summarise
from master.ports import ExecutionFilter, ExecutionKey, ExecutionOrder, HistoryReader, Total
from master.services.live_runs import LiveRun, LiveRuns

#: Percentiles are over this many of the newest executions of the time asked for.
_TIMINGS = 10_000


@dataclass(frozen=True, slots=True)
class ExecutionPage:
    items: list[Document]
    last_key: ExecutionKey | None
    """Key of the last item when there may be more behind it."""
    total: Total


class History:
    """Questions about executions. All raise StoreUnavailable when MongoDB cannot be reached."""

    def __init__(self, reader: HistoryReader, runs: LiveRuns) -> None:
        self._reader = reader
        self._runs = runs

    async def page(
        self, where: ExecutionFilter, order: ExecutionOrder, *, after: ExecutionKey | None, size: int
    ) -> ExecutionPage:
        """One page of executions in the given order."""
        # Side by side; a task group would wrap what MongoDB refuses into a group of errors.
        counting = asyncio.create_task(self._reader.count(where), name="history.count")
        try:
            documents = await self._reader.executions(where, order, after=after, limit=size + 1)
            total = await counting
        finally:
            counting.cancel()
        unrecorded = await self._unrecorded(where, order, after)
        if unrecorded:
            known = {document["_id"] for document in documents}
            documents += [document for document in unrecorded if document["_id"] not in known]
            documents.sort(key=lambda found: _key(found, order), reverse=order.is_descending)
        has_more = len(documents) > size
        page = documents[:size]
        last = _key(page[-1], order) if page and has_more else None
        return ExecutionPage(
            [views.listed(document, is_live=self.is_live(document["_id"])) for document in page],
            ExecutionKey(*last) if last else None,
            Total(max(total.count, len(page)), total.is_exact),
        )

    async def document(self, execution_id: str) -> Document:
        """
        The stored document of an execution, or the one its run record makes.

        Raises:
            ExecutionNotFound: It is not recorded and does not run, or its record has expired.
        """
        ExecutionId.parse(execution_id)
        run = self._runs.find(execution_id)
        try:
            stored = await self._reader.execution(execution_id)
        except StoreUnavailable:
            # What runs now is known from etcd alone.
            if run is None:
                raise
            stored = None
        if stored is not None:
            return stored
        if run is None:
            raise not_found(execution_id)
        return views.from_run_record(run.execution, run.record, run.fence)

    async def latest(self, namespace: str, job: str) -> Document:
        """
        The newest execution of a job, running or ended.

        Raises:
            ExecutionNotFound: None is known.
        """
        where = ExecutionFilter(namespaces=(namespace,), job=job)
        newest = await self._reader.executions(where, ExecutionOrder.SCHEDULED_AT_DESC, after=None, limit=1)
        newest += await self._unrecorded(where, ExecutionOrder.SCHEDULED_AT_DESC, None)
        if not newest:
            raise ExecutionNotFound(f"no execution of {namespace}/{job} is known yet", job=job)
        best = max(newest, key=lambda found: _key(found, ExecutionOrder.SCHEDULED_AT_DESC))
        return await self.document(best["_id"])

    async def statistics(self, where: ExecutionFilter) -> Statistics:
        """Counts and percentiles over the executions of *where*."""
        counts = await self._reader.counts_per_day(where)
        timings = await self._reader.timings(where, _TIMINGS)
        return summarise(counts, timings)

    def shown(self, document: Document) -> Document:
        return views.full(document, is_live=self.is_live(document["_id"]))

    def is_live(self, execution_id: str) -> bool:
        """Whether the execution still holds its run record."""
        return self._runs.find(execution_id) is not None

    async def _unrecorded(
        self, where: ExecutionFilter, order: ExecutionOrder, after: ExecutionKey | None
    ) -> list[Document]:
        """Executions that fit, lie behind *after*, and have no document yet."""
        if order.field == "finished_at":
            return []
        candidates = [
            views.from_run_record(run.execution, run.record, run.fence)
            for run in self._candidates(where)
            if _fits(run, where)
        ]
        if after is not None:
            candidates = [found for found in candidates if _is_behind(_key(found, order), after, order)]
        if not candidates:
            return []
        stored = await self._reader.executions_by_id([found["_id"] for found in candidates])
        recorded = {document["_id"] for document in stored}
        return [found for found in candidates if found["_id"] not in recorded]

    def _candidates(self, where: ExecutionFilter) -> Iterable[LiveRun]:
        return self._runs.of_job(where.uid) if where.uid else self._runs.all()


def not_found(execution_id: str) -> ExecutionNotFound:
    """What is answered for an execution that is not known, or that the asking one must not know of."""
    return ExecutionNotFound(
        f"there is no execution {execution_id!r}, or its record has expired", execution_id=execution_id
    )


def _fits(run: LiveRun, where: ExecutionFilter) -> bool:
    record = run.record
    return (
        (where.namespaces is None or record.namespace in where.namespaces)
        and where.job in (None, record.name)
        and where.uid in (None, run.execution.uid)
        and where.worker in (None, record.worker)
        and (not where.statuses or "claimed" in where.statuses)
        and (not where.causes or record.cause in where.causes)
        and (where.since is None or record.scheduled_at >= where.since)
        and (where.until is None or record.scheduled_at < where.until)
    )


def _key(document: Document, order: ExecutionOrder) -> tuple[datetime, str]:
    return document[order.field], document["_id"]


def _is_behind(key: tuple[datetime, str], after: ExecutionKey, order: ExecutionOrder) -> bool:
    return key < (after.at, after.id) if order.is_descending else key > (after.at, after.id)
