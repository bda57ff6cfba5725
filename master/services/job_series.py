"""Per-job series of `/metrics`, however many jobs there are.

The first jobs by namespace and name have series of their own, up to a configured number; all others share the
labels `other`, `other`. So the number of series is bounded, and an alert on one job keeps its series as long
as that job is among the first.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common.domain.execution import Status
from master.domain.job_rows import JobRow
from master.services.job_view import JobView
from master.services.recent import RecentExecutions

_LABELS: Final = ("namespace", "job")
_OTHER: Final = ("other", "other")


class JobSeries(Collector):
    """Asked whenever somebody looks at the metrics."""

    def __init__(self, jobs: JobView, recent: RecentExecutions, limit: int) -> None:
        self._jobs = jobs
        self._recent = recent
        self._limit = limit

    def collect(self) -> Iterable[Metric]:
        rows = self._jobs.rows() if self._jobs.synced.is_set() else []
        yield from self._last_runs(rows)
        next_ticks = GaugeMetricFamily(
            "everytick_job_next_tick_timestamp_seconds",
            "Next tick; of all others the earliest. Absent when there is none.",
            labels=_LABELS,
        )
        for labels, group in self._groups(rows):
            ticks = [row.next_tick.timestamp() for row in group if row.next_tick is not None]
            if ticks:
                next_ticks.add_metric(labels, min(ticks))
        yield next_ticks

    def _last_runs(self, rows: Sequence[JobRow]) -> Iterable[Metric]:
        statuses = GaugeMetricFamily(
            "everytick_job_last_status",
            "1 for the status the last execution ended with; of all others the number of jobs.",
            labels=(*_LABELS, "status"),
        )
        times = GaugeMetricFamily(
            "everytick_job_last_tick_timestamp_seconds",
            "Tick of the last execution; of all others the latest.",
            labels=_LABELS,
        )
        durations = GaugeMetricFamily(
            "everytick_job_last_duration_seconds",
            "How long the last execution took; of all others the longest.",
            labels=_LABELS,
        )
        for labels, group in self._groups(rows):
            last = [found for row in group if row.uid and (found := self._recent.last(row.uid))]
            counts: Counter[Status] = Counter(found.status for found in last)
            for status, count in sorted(counts.items()):
                statuses.add_metric((*labels, status.value), count)
            if last:
                times.add_metric(labels, max(found.scheduled_at.timestamp() for found in last))
            took = [found.duration_ms / 1000 for found in last if found.duration_ms is not None]
            if took:
                durations.add_metric(labels, max(took))
        return (statuses, times, durations)

    def _groups(self, rows: Sequence[JobRow]) -> Iterable[tuple[tuple[str, str], Sequence[JobRow]]]:
        """Each of the first jobs by itself, then all others together."""
        for row in rows[: self._limit]:
            yield (row.namespace, row.name), (row,)
        if len(rows) > self._limit:
            yield _OTHER, rows[self._limit :]
