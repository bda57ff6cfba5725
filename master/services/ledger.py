"""The ledger: one entry per tick, from executions, skips and misses.

Executions carry their own tick, so the view is the union of both collections, newest first. A page is bounded
by the tick of its last entry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.domain.errors import InvalidInput
from common.domain.execution import EntryKind, LedgerKind
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.preference import ranked
from common.domain.records import Document
from common.runtime.clock import Clock
from master.domain import execution_views as views
from master.domain.explain import Candidate, Explanation, explain_tick
from master.domain.job_rows import JobRow
from master.ports import HistoryReader
from master.services.live_runs import LiveRuns
from master.services.roster import Roster

#: Several attempts of one tick are one entry: read a few more than asked for.
_ATTEMPTS_ROOM: Final = 2


@dataclass(frozen=True, slots=True)
class LedgerPage:
    entries: list[Document]
    next_before: int | None
    """Ticks before this one are on the next page; None when this was the last."""


@dataclass(frozen=True, slots=True)
class TickReport:
    """Everything about one tick."""

    tick: datetime
    explanation: Explanation
    execution: Document | None
    entry: Document | None
    candidates: list[Candidate]


class Ledger:
    """Answers about ticks. Raises StoreUnavailable when MongoDB cannot be reached."""

    def __init__(self, history: HistoryReader, runs: LiveRuns, roster: Roster, clock: Clock) -> None:
        self._history = history
        self._runs = runs
        self._roster = roster
        self._clock = clock

    async def page(
        self,
        uid: str,
        *,
        kind: EntryKind | None = None,
        first: int | None,
        before: int | None,
        size: int,
    ) -> LedgerPage:
        """Entries of ticks in [first, before), newest first; those of *kind*, if one is given."""
        limit = size * _ATTEMPTS_ROOM + 1
        executions: list[Document] = []
        live: list[Document] = []
        rows: list[Document] = []
        if kind is None or kind is EntryKind.EXECUTION:
            executions = await self._history.executions_of_ticks(uid, first, before, limit)
            live = [document for document in self._live(uid) if _within(document["tick"], first, before)]
        if kind is not EntryKind.EXECUTION:
            wanted = LedgerKind(kind.value) if kind else None
            rows = await self._history.ledger_rows(uid, first, before, limit, kind=wanted)
        entries = _merged(rows, live, executions)
        ticks = sorted(entries, reverse=True)
        # What was cut off at the limit hides ticks behind it: the page ends before them.
        floors = [found[-1]["tick"] for found in (executions, rows) if len(found) == limit]
        # The newest tick is always whole: each collection was read from its newest.
        shown = [tick for tick in ticks if all(tick > floor for floor in floors)][:size] or ticks[:1]
        has_more = bool(floors) or len(shown) < len(ticks)
        # Where executions were not read along with the rows, those that gave way to one are not known yet.
        started = await self._started(uid, shown) if kind and kind is not EntryKind.EXECUTION else ()
        return LedgerPage(
            [entries[tick] for tick in shown if tick not in started],
            shown[-1] if shown and has_more else None,
        )

    async def explain(self, row: JobRow, tick: datetime) -> TickReport:
        """
        Why *tick* ran, did not run, or where it will run.

        Raises:
            InvalidInput: The job cannot be read.
        """
        if row.spec is None:
            raise InvalidInput(f"what is stored of this job cannot be read: {row.quarantined}")
        tick_s, uid = epoch_s(tick), row.spec.uid
        executions = await self._history.executions_of_ticks(uid, tick_s, tick_s + 1, 1)
        executions += [document for document in self._live(uid) if document["tick"] == tick_s]
        execution = executions[0] if executions else None
        ledger_row = None if execution else await self._history.ledger_row_covering(uid, tick_s)
        candidates = self._candidates(row)
        explanation = explain_tick(
            row.spec,
            row.schedule,
            tick,
            now=self._clock.now(),
            execution=execution,
            ledger=ledger_row,
            candidates=candidates,
            closed_by=self._runs.closed_by(uid, tick_s),
        )
        entry = entry_of_execution(execution) if execution else None
        if ledger_row:
            entry = entry_of_row(ledger_row)
        shown = views.summary(execution) if execution else None
        return TickReport(tick, explanation, shown, entry, candidates)

    async def _started(self, uid: str, ticks: Sequence[int]) -> set[int]:
        """Those of *ticks* of which there is an execution."""
        live = {document["tick"] for document in self._live(uid)}
        return live | await self._history.started_ticks(uid, ticks)

    def _live(self, uid: str) -> list[Document]:
        return [
            views.from_run_record(run.execution, run.record, run.fence)
            for run in self._runs.of_job(uid)
            if run.execution.tick_s is not None
        ]

    def _candidates(self, row: JobRow) -> list[Candidate]:
        if row.spec is None:
            return []
        reasons = {health.worker: reason for health, reason in self._roster.candidates(row.spec)}
        able = ranked(row.spec.uid, [worker for worker, reason in reasons.items() if reason is None])
        others = [worker for worker, reason in reasons.items() if reason is not None]
        return [Candidate(worker, reasons[worker] is None, reasons[worker]) for worker in (*able, *others)]


def _merged(
    rows: Sequence[Document], live: Iterable[Document], executions: Sequence[Document]
) -> dict[int, Document]:
    """One entry for each tick; *rows* and *executions* come newest first."""
    entries: dict[int, Document] = {}
    # Later ones win: a skip gives way to an execution, a run record to what is stored of it, an attempt to
    # the next one.
    for row in reversed(rows):
        entries[row["tick"]] = entry_of_row(row)
    for document in [*live, *reversed(executions)]:
        entries[document["tick"]] = entry_of_execution(document)
    return entries


def entry_of_execution(document: Document) -> Document:
    """The ledger entry of a tick that was started."""
    tick = document["tick"]
    return {
        "tick": tick,
        "at": from_epoch_s(tick),
        "kind": "execution",
        "status": document["status"],
        "reason": document.get("reason"),
        "lateness_ms": document.get("lateness_ms"),
        "execution_id": document["_id"],
        "blocked_by": None,
        "last_at": from_epoch_s(tick),
        "count": 1,
        "count_is_exact": True,
        "detail": document.get("error"),
        "worker": document.get("worker"),
    }


def entry_of_row(row: Document) -> Document:
    """The ledger entry of a tick, or a run of ticks, that did not start."""
    tick: int = row["tick"]
    last: int = row.get("last_tick", tick)
    return {
        "tick": tick,
        "at": from_epoch_s(tick),
        "kind": row["kind"],
        "status": None,
        "reason": row["reason"],
        "lateness_ms": None,
        "execution_id": None,
        "blocked_by": row.get("blocked_by"),
        "last_at": from_epoch_s(last),
        "count": row.get("count", 1),
        "count_is_exact": row.get("count_is_exact", True),
        "detail": row.get("detail"),
        "worker": None,
    }


def _within(tick: int, first: int | None, before: int | None) -> bool:
    return (first is None or tick >= first) and (before is None or tick < before)
