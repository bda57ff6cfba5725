"""The timeline: what ran, what did not, what comes; one row for each job or worker, and the load.

Bounded whatever is asked for: rows per page, bars per row (the newest), coming ticks per row, and a load
curve that is counted aside.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from common.domain.execution import Status
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.records import Document
from common.runtime.clock import Clock
from master.domain.job_rows import Activity, JobQuery, JobRow, RowKey, select_page, upcoming_ticks
from master.domain.minute_counts import MINUTE_S
from master.figures_port import FiguresReader
from master.services.day_figures import DayFigures
from master.services.job_view import JobView
from master.services.live_runs import LiveRun, LiveRuns
from master.services.load_forecast import LoadForecast
from master.services.roster import Roster

#: Bars of a whole page and of one row: a page stays below 100 ms and below what a screen can show.
_BARS: Final = 2_500
_BARS_PER_ROW: Final = 200
_UNRUN_PER_ROW: Final = 50
_TICKS: Final = 2_500
_TICKS_PER_ROW: Final = 100
_PATIENCE_S: Final = 0.05


class RowsBy(StrEnum):
    """What a row of the timeline is."""

    JOB = "job"
    WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineQuery:
    """Which stretch [since, until) of which rows; `q` is searched for as in the list of jobs."""

    since: datetime
    until: datetime
    by: RowsBy = RowsBy.JOB
    q: str | None = None
    namespaces: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TimelinePage:
    rows: list[Document]
    total: int
    last_key: RowKey | None


class Timeline:
    """Raises StoreUnavailable when MongoDB is away and the stretch has begun, or etcd was never reached."""

    def __init__(
        self,
        reader: FiguresReader,
        view: JobView,
        runs: LiveRuns,
        roster: Roster,
        day: DayFigures,
        forecast: LoadForecast,
        activity: Activity,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._view = view
        self._runs = runs
        self._roster = roster
        self._day = day
        self._forecast = forecast
        self._activity = activity
        self._clock = clock

    async def page(self, query: TimelineQuery, *, after: RowKey | None, size: int) -> TimelinePage:
        """One page of rows, by name."""
        if query.by is RowsBy.WORKER:
            return await self._workers(query, after=after, size=size)
        wanted = JobQuery(q=query.q, namespaces=query.namespaces)
        page = select_page(self._view.listed(), wanted, self._activity, after=after, size=size)
        return TimelinePage(await self._job_rows(query, page.rows), page.total, page.last_key)

    async def load(self, query: TimelineQuery) -> tuple[list[Document], bool]:
        """
        Executions and coming ticks in each minute of the stretch that has any, and whether that is all.

        Past minutes are known for a day, coming ones for a day ahead; the search does not narrow them.
        """
        await self._day.look(_PATIENCE_S)
        future, is_complete = await self._forecast.curve(query.until, query.namespaces, _PATIENCE_S)
        first, before = epoch_s(query.since) // MINUTE_S, -(-epoch_s(query.until) // MINUTE_S)
        now_minute = epoch_s(self._clock.now()) // MINUTE_S
        past = self._day.counts.buckets(first, min(before, now_minute + 1), 1, query.namespaces)
        minutes = sorted({*past, *(minute for minute in future if first <= minute < before)})
        return [
            {
                "at": from_epoch_s(minute * MINUTE_S),
                "past": past[minute].total() if minute in past else 0,
                "future": future.get(minute, 0),
            }
            for minute in minutes
        ], is_complete and self._day.is_complete

    async def _job_rows(self, query: TimelineQuery, rows: Sequence[JobRow]) -> list[Document]:
        now = self._clock.now()
        specs = [row.spec for row in rows if row.spec]
        bars: dict[str, list[Document]] = defaultdict(list)
        unrun: dict[str, list[Document]] = defaultdict(list)
        limit = _share(_BARS, _BARS_PER_ROW, len(rows))
        if specs and query.since < now:
            for bar in await self._reader.bars_of_jobs(specs, query.since, query.until, limit + 1):
                bars[bar["uid"]].append(bar)
            for entry in await self._reader.unrun_of_jobs(
                specs, query.since, query.until, _UNRUN_PER_ROW + 1
            ):
                unrun[entry["uid"]].append(entry)
        ticks = _share(_TICKS, _TICKS_PER_ROW, len(rows))
        return [
            self._job_row(query, row, bars[row.uid or ""], unrun[row.uid or ""], limit, ticks) for row in rows
        ]

    def _job_row(
        self,
        query: TimelineQuery,
        row: JobRow,
        bars: list[Document],
        unrun: list[Document],
        limit: int,
        ticks: int,
    ) -> Document:
        begin = max(self._clock.now(), query.since - timedelta(seconds=1))
        future = upcoming_ticks(row.timing, begin, ticks + 1) if row.timing and query.until > begin else []
        future = [tick for tick in future if tick < query.until]
        live = self._runs.of_job(row.uid) if row.uid else []
        return {
            "key": f"{row.namespace}/{row.name}",
            "namespace": row.namespace,
            "job": row.name,
            "worker": None,
            "past": _bars(bars[:limit], live, query),
            "unrun": [_unrun(entry) for entry in unrun[:_UNRUN_PER_ROW]],
            "future": future[:ticks],
            "truncated": len(bars) > limit or len(unrun) > _UNRUN_PER_ROW or len(future) > ticks,
        }

    async def _workers(self, query: TimelineQuery, *, after: RowKey | None, size: int) -> TimelinePage:
        names = sorted({*(worker.worker for worker in self._roster.live()), *await self._roster.reports()})
        names = [name for name in names if not query.q or query.q.lower() in name.lower()]
        rest = [name for name in names if after is None or name > after[2]]
        page = rest[:size]
        limit = _share(_BARS, _BARS_PER_ROW, len(page))
        bars: dict[str, list[Document]] = defaultdict(list)
        if page and query.since < self._clock.now():
            found = await self._reader.bars_of_workers(
                page, query.since, query.until, limit + 1, query.namespaces
            )
            for bar in found:
                bars[bar["worker"]].append(bar)
        live: dict[str, list[LiveRun]] = defaultdict(list)
        for run in self._runs.all():
            if query.namespaces is None or run.record.namespace in query.namespaces:
                live[run.record.worker].append(run)
        rows = [
            {
                "key": name,
                "namespace": None,
                "job": None,
                "worker": name,
                "past": _bars(bars[name][:limit], live[name][:limit], query),
                "unrun": [],
                "future": [],
                "truncated": len(bars[name]) > limit,
            }
            for name in page
        ]
        return TimelinePage(rows, len(names), (0.0, "", page[-1]) if len(rest) > size else None)


def _bars(stored: Sequence[Document], live: Collection[LiveRun], query: TimelineQuery) -> list[Document]:
    """Bars oldest first; what runs and has no document yet, or began before the stretch, is among them."""
    bars = [
        {
            "id": found["_id"],
            "namespace": found["namespace"],
            "job": found["job"],
            "status": found["status"],
            "scheduled_at": found["scheduled_at"],
            "started_at": found.get("started_at"),
            "finished_at": found.get("finished_at"),
        }
        for found in stored
    ]
    known = {bar["id"] for bar in bars}
    bars += [
        {
            "id": str(run.execution),
            "namespace": run.record.namespace,
            "job": run.record.name,
            "status": Status.CLAIMED.value
            if run.record.scheduled_at >= query.since
            else Status.RUNNING.value,
            "scheduled_at": run.record.scheduled_at,
            "started_at": None,
            "finished_at": None,
        }
        for run in live
        if str(run.execution) not in known and run.record.scheduled_at < query.until
    ]
    return sorted(bars, key=lambda bar: (bar["scheduled_at"], bar["id"]))


def _unrun(entry: Document) -> Document:
    return {
        "tick": entry["tick"],
        "at": from_epoch_s(entry["tick"]),
        "kind": entry["kind"],
        "reason": entry["reason"],
        "count": entry.get("count", 1),
    }


def _share(of_all: int, at_most: int, rows: int) -> int:
    return max(10, min(at_most, of_all // max(rows, 1)))
