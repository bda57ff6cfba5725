"""Everything the first page shows, in one answer: what needs attention, figures, what runs, what comes.

Answered from memory: the views of etcd, and the day's figures that are counted aside. So it costs the same
with a million executions, and a MongoDB that is away costs it the news only.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from common.domain.errors import StoreUnavailable
from common.domain.execution import Cause, Status
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.records import Document
from common.runtime.clock import Clock
from master.domain import overview
from master.domain.overview import LISTED, JobScan
from master.domain.statistics import percentile
from master.services.day_figures import HOURS, DayFigures
from master.services.job_view import JobView
from master.services.live_runs import LiveRun, LiveRuns
from master.services.recent import NO_STRIP, RecentExecutions, Strip
from master.services.roster import Roster

_PATIENCE_S: Final = 0.05
_SCAN_AGE_S: Final = 2.0
_SCANS_KEPT: Final = 64
_RUNNING: Final = 50
_ATTENTION: Final = 200
_LATE: Final = timedelta(seconds=5)
_USUAL_AGE_S: Final = 60.0
_FAILED: Final = (Status.FAILED, Status.TIMED_OUT, Status.LOST)
_MINUTES: Final = 60


class Overview:
    """Puts the page together; every list in it is bounded."""

    def __init__(
        self,
        view: JobView,
        runs: LiveRuns,
        roster: Roster,
        recent: RecentExecutions,
        day: DayFigures,
        clock: Clock,
    ) -> None:
        self._view = view
        self._runs = runs
        self._roster = roster
        self._recent = recent
        self._day = day
        self._clock = clock
        self._scans: dict[frozenset[str] | None, tuple[float, JobScan]] = {}

    async def look(self, namespaces: Collection[str] | None) -> Document:
        """
        The page about *namespaces*; None is all of them.

        Raises:
            StoreUnavailable: etcd has not been reached since this master started.
        """
        await self._day.look(_PATIENCE_S)
        now = self._clock.now()
        scan = self._scan(None if namespaces is None else frozenset(namespaces), now)
        runs = [run for run in self._runs.all() if _is_in(run.record.namespace, namespaces)]
        runs.sort(key=lambda run: run.record.claimed_at)
        hours = self._hours(now, namespaces)
        reports = await self._roster.reports()
        return {
            "attention": self._attention(scan, runs, namespaces, now),
            "tiles": {
                **_job_tiles(scan),
                **_day_tiles(hours),
                **self._worker_tiles(reports),
                "running": len(runs),
            },
            "running": await self._running(runs[:_RUNNING]),
            "next": overview.coming(scan.next, now),
            "success": hours,
            "history_behind": self._history_behind(reports, now),
        }

    def _scan(self, namespaces: frozenset[str] | None, now: datetime) -> JobScan:
        now_s = self._clock.uptime_s()
        made_at_s, found = self._scans.get(namespaces, (float("-inf"), None))
        if found is None or now_s - made_at_s > _SCAN_AGE_S:
            if len(self._scans) >= _SCANS_KEPT:
                self._scans.clear()
            found = overview.scan(
                self._view.listed(), namespaces, now, lambda spec: self._roster.count_eligible(spec) > 0
            )
            self._scans[namespaces] = (now_s, found)
        for row in found.next:
            self._view.freshen(row)
        return found

    def _attention(
        self, scan: JobScan, runs: list[LiveRun], namespaces: Collection[str] | None, now: datetime
    ) -> list[Document]:
        found: list[Document] = [
            {**trouble, "kind": trouble["status"], "reason": trouble.get("reason")}
            for trouble in self._day.troubles
            if _is_in(trouble["namespace"], namespaces)
        ]
        for trouble in found:
            del trouble["status"]
        found += self._missed(namespaces)
        # What the workers delay on purpose (a queued tick, a retry) is not late.
        found += overview.late_runs(
            (
                (
                    str(run.execution),
                    run.record.namespace,
                    run.record.name,
                    run.record.scheduled_at,
                    run.record.claimed_at,
                )
                for run in runs
                if run.record.cause in (Cause.SCHEDULE, Cause.CATCH_UP)
            ),
            _LATE,
        )
        found.sort(key=lambda entry: entry["at"], reverse=True)
        standing = [
            {
                "kind": kind,
                "namespace": row.namespace,
                "job": row.name,
                "count": 1,
                "at": row.next_tick or now,
                "execution_id": None,
                "reason": row.quarantined,
            }
            for kind, rows in (("quarantined", scan.quarantined), ("no_worker", scan.unserved))
            for row in rows[:LISTED]
        ]
        return [*standing, *found][:_ATTENTION]

    def _missed(self, namespaces: Collection[str] | None) -> list[Document]:
        """Missed ticks of the day, one entry for each job with the newest reason."""
        found: dict[tuple[str, str], Document] = {}
        for miss in self._day.misses:
            if not _is_in(miss["namespace"], namespaces):
                continue
            entry = found.setdefault(
                (miss["namespace"], miss["job"]),
                {
                    "kind": "missed",
                    "namespace": miss["namespace"],
                    "job": miss["job"],
                    "count": 0,
                    "at": from_epoch_s(int(miss["at"])),
                    "execution_id": None,
                    "reason": miss["reason"],
                },
            )
            entry["count"] += miss["count"]
        return list(found.values())

    def _hours(self, now: datetime, namespaces: Collection[str] | None) -> list[Document]:
        newest = epoch_s(now) // 3_600
        first = newest - HOURS + 1
        buckets = self._day.counts.buckets(first * _MINUTES, (newest + 1) * _MINUTES, _MINUTES, namespaces)
        missed: dict[int, int] = {}
        for miss in self._day.misses:
            if _is_in(miss["namespace"], namespaces):
                missed[int(miss["hour"])] = missed.get(int(miss["hour"]), 0) + miss["count"]
        return [
            {
                "at": from_epoch_s(hour * 3_600),
                "counts": dict(buckets.get(hour * _MINUTES, {})),
                "missed": missed.get(hour, 0),
            }
            for hour in range(first, newest + 1)
        ]

    def _worker_tiles(self, reports: Mapping[str, Document]) -> Document:
        status = Counter(worker.status for worker in self._roster.live())
        return {
            "workers_online": status["online"],
            "workers_draining": status["draining"],
            "workers_offline": sum(not self._roster.is_live(worker_id) for worker_id in reports),
        }

    async def _running(self, runs: list[LiveRun]) -> list[Document]:
        rows = [self._view.by_uid(run.execution.uid) for run in runs]
        specs = {row.spec.uid: row.spec for row in rows if row and row.spec}
        try:
            strips = await self._recent.strips(list(specs.values()), max_age_s=_USUAL_AGE_S)
        except StoreUnavailable:
            strips = {}
        return [
            {
                "id": str(run.execution),
                "namespace": run.record.namespace,
                "job": run.record.name,
                "worker": run.record.worker,
                # Claims are made shortly before the tick; commands start at it.
                "started_at": max(run.record.claimed_at, run.record.scheduled_at),
                "usual_ms": _usual_ms(strips.get(run.execution.uid, NO_STRIP)),
            }
            for run in runs
        ]

    def _history_behind(self, reports: Mapping[str, Document], now: datetime) -> Document | None:
        """What the workers hold back for MongoDB, as far as they could still say so."""
        metrics = [report.get("metrics") or {} for report in reports.values()]
        spooled = sum(found.get("journal_backlog") or 0 for found in metrics)
        if self._day.away_since is not None:
            return {"spooled": spooled, "oldest_at": self._day.away_since}
        oldest_s = max((found.get("journal_oldest_s") or 0.0 for found in metrics), default=0.0)
        if spooled == 0 or oldest_s < _LATE.total_seconds():
            return None
        return {"spooled": spooled, "oldest_at": now - timedelta(seconds=oldest_s)}


def _usual_ms(strip: Strip) -> int | None:
    """The median of what took how long and succeeded."""
    ended = [found for found in strip.entries if found["status"] == Status.SUCCEEDED.value]
    return percentile(
        sorted(found["duration_ms"] for found in ended if found.get("duration_ms") is not None), 50
    )


def _job_tiles(scan: JobScan) -> Document:
    return {
        "jobs": scan.jobs,
        "enabled": scan.enabled,
        "paused": scan.paused,
        "quarantined": len(scan.quarantined),
    }


def _day_tiles(hours: list[Document]) -> Document:
    return {
        "failed_24h": sum(hour["counts"].get(status.value, 0) for hour in hours for status in _FAILED),
        "missed_24h": sum(hour["missed"] for hour in hours),
        "succeeded_24h": sum(hour["counts"].get(Status.SUCCEEDED.value, 0) for hour in hours),
    }


def _is_in(namespace: str, namespaces: Collection[str] | None) -> bool:
    return namespaces is None or namespace in namespaces
