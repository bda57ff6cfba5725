"""Jobs as the API shows them: the definition with secrets masked, the identity, and what the job does now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.domain.errors import StoreUnavailable
from common.domain.execution import Status
from common.domain.job import JobSpec
from common.domain.records import Document
from common.domain.zones import load_zone
from common.runtime.clock import Clock
from master.domain import execution_views as views
from master.domain.job_rows import Activity, JobQuery, JobRow, RowKey, select_page, upcoming_ticks
from master.domain.secrets import masked_fields
from master.domain.words import describe_schedule
from master.services.job_catalog import JobCatalog
from master.services.job_view import JobView
from master.services.live_runs import LiveRuns
from master.services.recent import NO_STRIP, STRIP_AGE_S, RecentExecutions, Strip
from master.services.roster import Roster

_NEXT_TICKS = 5
#: Strips of a page: more rows than anybody looks at do without, or the page pays for 30,000 documents.
_ROWS_WITH_STRIPS = 200


@dataclass(frozen=True, slots=True)
class ListPage:
    items: list[Document]
    total: int
    last_key: RowKey | None


class JobList:
    """Reads the view and what belongs to it. MongoDB being away costs the last executions, nothing else."""

    def __init__(
        self,
        catalog: JobCatalog,
        view: JobView,
        runs: LiveRuns,
        roster: Roster,
        recent: RecentExecutions,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._view = view
        self._runs = runs
        self._roster = roster
        self._recent = recent
        self._clock = clock
        self._activity = Activity(running=runs.running_uids, last=recent.all_last)

    async def page(self, query: JobQuery, *, after: RowKey | None, size: int) -> ListPage:
        """One page of jobs, each with its latest executions."""
        page = select_page(self._view.listed(), query, self._activity, after=after, size=size)
        strips = await self._strips([row.spec for row in page.rows[:_ROWS_WITH_STRIPS] if row.spec])
        items = []
        for row in page.rows:
            strip = strips.get(row.uid or "", NO_STRIP)
            shown = self._shown(self._view.freshen(row), strip.newest)
            shown["recent"] = strip.entries
            items.append(shown)
        return ListPage(items, page.total, page.last_key)

    async def find(self, namespace: str, name: str) -> JobRow:
        """
        The job as it is stored now; as it was last seen when etcd is away.

        Raises:
            JobNotFound: There is none.
        """
        try:
            return await self._catalog.read(namespace, name)
        except StoreUnavailable:
            return self._catalog.find(namespace, name)

    async def shown(self, row: JobRow) -> Document:
        """One job."""
        # Somebody looks at this one job: what it did a moment ago counts.
        strips = await self._strips([row.spec] if row.spec else [], max_age_s=0)
        return self._shown(row, strips.get(row.uid or "", NO_STRIP).newest)

    async def detail(self, row: JobRow) -> Document:
        """One job with its next ticks and its schedule in words."""
        shown = await self.shown(row)
        ticks: list[Document] = []
        if row.spec and row.timing:
            instants = upcoming_ticks(row.timing, self._clock.now(), _NEXT_TICKS)
            ticks = [
                shown_tick(tick, row.spec.timezone, row.timing.is_moved_by_gap(tick)) for tick in instants
            ]
        words = describe_schedule(row.schedule.text) if row.schedule else None
        return {**shown, "next_ticks": ticks, "description_in_words": words}

    def last_status(self, uid: str) -> Status | None:
        """How the job's newest known execution stands, as filters over all jobs see it."""
        last = self._recent.last(uid)
        return last.status if last else None

    async def _strips(self, jobs: Sequence[JobSpec], *, max_age_s: float = STRIP_AGE_S) -> dict[str, Strip]:
        try:
            return await self._recent.strips(jobs, max_age_s=max_age_s)
        except StoreUnavailable:
            return {}

    def _shown(self, row: JobRow, newest: Document | None) -> Document:
        if row.spec is None:
            shown: Document = {"namespace": row.namespace, "name": row.name, "revision": row.revision}
            return {**shown, "state": self._state(row, None, newest)}
        if row.shown is None:
            row.shown = masked_fields(row.spec)
            del row.shown["v"]
        return {**row.shown, "revision": row.revision, "state": self._state(row, row.spec, newest)}

    def _state(self, row: JobRow, spec: JobSpec | None, newest: Document | None) -> Document:
        runs = self._runs.of_job(spec.uid) if spec else []
        return {
            "paused": spec.is_paused_at(self._clock.now()) if spec else False,
            "running": [str(run.execution) for run in runs],
            "next_tick": row.next_tick,
            "last": views.summary(newest) if newest else None,
            "quarantined": row.quarantined,
            "eligible_workers": self._roster.count_eligible(spec) if spec else 0,
        }


def shown_tick(tick: datetime, timezone: str, is_moved_by_gap: bool) -> Document:
    """A tick in UTC and in its own zone."""
    local = tick.astimezone(load_zone(timezone)).isoformat()
    return {"at": tick, "local": local, "flag": "gap" if is_moved_by_gap else None}
