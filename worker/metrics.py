"""What a worker's metrics endpoint shows, and the counts it reports. Documented in `docs/metrics.md`."""

from collections.abc import Iterable
from typing import Any, Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from common.runtime.timings import Timings
from worker.assembly import Assembly
from worker.log_shipper import LogShipper

_PREFIX: Final = "everytick_worker_"


def counts(assembly: Assembly, journal: LogShipper) -> dict[str, Any]:
    """Counts since the start, for the worker's document: it opens no port by default."""
    return {
        "ticks": dict(journal.outcomes.counts),
        "claims": dict(assembly.claims.counts),
        "journal_backlog": journal.backlog,
        "spool_bytes": journal.spool_bytes,
        "output_dropped": journal.dropped_output,
        "set_aside": journal.set_aside,
        "feed_relists": sum(feed.relist_count for feed in assembly.feeds),
        "feed_drift": sum(feed.drift_count for feed in assembly.feeds),
        "lease_remaining_s": round(max(assembly.session.remaining_s(), 0.0), 1),
    }


def families(assembly: Assembly, journal: LogShipper, timings: Timings) -> Iterable[Metric]:
    """Everything, as it is at this moment."""
    yield from _now(assembly, journal)
    yield from _since_start(assembly, journal)
    yield HistogramMetricFamily(
        f"{_PREFIX}lateness_seconds",
        "How long after its tick an execution was started.",
        buckets=journal.outcomes.lateness_buckets(),
        sum_value=journal.outcomes.lateness_s,
    )
    calls = HistogramMetricFamily(
        f"{_PREFIX}store_call_duration_seconds",
        "Time calls of etcd and MongoDB took.",
        labels=("store", "operation"),
    )
    for labels, buckets, sum_s in timings.rows():
        calls.add_metric(labels, buckets, sum_s)
    yield calls


def _now(assembly: Assembly, journal: LogShipper) -> Iterable[Metric]:
    offset_ms = assembly.clock_watch.offset_ms
    figures = {
        "running": ("Executions that run now.", len(assembly.running)),
        "slots": ("Executions that may run at a time.", assembly.slots.limit),
        "parked": ("Jobs that are due and wait for a slot.", assembly.dispatcher.parked),
        "planned": ("Jobs in the plan.", len(assembly.plan)),
        "quarantined": ("Jobs that cannot be read.", len(assembly.job_feed.quarantined)),
        "lease_remaining_seconds": ("Until the session's lease may end.", assembly.session.remaining_s()),
        "claims_open": ("1 while ticks are taken.", float(assembly.gate.is_open)),
        "clock_offset_seconds": (
            "How far this clock is ahead of the others; NaN until it was compared.",
            float("nan") if offset_ms is None else offset_ms / 1000,
        ),
        "journal_backlog": ("Records that are not in MongoDB yet.", journal.backlog),
        "journal_oldest_seconds": ("Age of the oldest of them.", journal.oldest_age_s),
        "journal_connected": ("1 while MongoDB takes records.", float(journal.is_connected)),
        "spool_bytes": ("Size of the spool.", journal.spool_bytes),
    }
    for name, (words, value) in figures.items():
        yield GaugeMetricFamily(_PREFIX + name, words, value=value)


def _since_start(assembly: Assembly, journal: LogShipper) -> Iterable[Metric]:
    feeds = assembly.feeds
    figures = {
        "journal_shipped": ("Records MongoDB has taken.", journal.shipped),
        "journal_set_aside": ("Records MongoDB will never take.", journal.set_aside),
        "output_dropped": ("Chunks dropped because the spool was full.", journal.dropped_output),
        "feed_relists": ("Full listings of etcd.", sum(feed.relist_count for feed in feeds)),
        "feed_drift": ("Keys a listing found to differ.", sum(feed.drift_count for feed in feeds)),
    }
    for name, (words, value) in figures.items():
        yield CounterMetricFamily(_PREFIX + name, words, value=value)
    ticks = CounterMetricFamily(
        f"{_PREFIX}ticks", "Executions by how they ended, and ticks that did not run.", labels=["outcome"]
    )
    for outcome, count in sorted(journal.outcomes.counts.items()):
        ticks.add_metric([outcome], count)
    claims = CounterMetricFamily(
        f"{_PREFIX}claims", "Claim transactions by what came of them.", labels=["result"]
    )
    for result, count in sorted(assembly.claims.counts.items()):
        claims.add_metric([result], count)
    yield ticks
    yield claims
