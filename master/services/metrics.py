"""What `/metrics` shows, in a registry of our own. Names are documented in `docs/metrics.md`.

No label holds a user or a path, and only a bounded number of jobs: the number of series does not grow with
what people do.
"""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from common.runtime.timings import Timings

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counters that are fed, and gauges that are asked when somebody looks."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._requests = Counter(
            "everytick_http_requests",
            "Requests served.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._durations = Histogram(
            "everytick_http_request_duration_seconds",
            "Time to serve a request.",
            ["route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._counters = _WatchedCounters()
        self._registry.register(self._counters)
        info = Gauge("everytick_master_info", "Version of this master.", ["version"], registry=self._registry)
        info.labels(version).set(1)

    def request_served(self, method: str, route: str, status: int, duration_s: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._durations.labels(route).observe(duration_s)

    def watch(self, name: str, text: str, value: Callable[[], float], **labels: str) -> None:
        """Show the gauge `everytick_{name}` with what *value* says at that moment."""
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = Gauge(f"everytick_{name}", text, list(labels), registry=self._registry)
            self._gauges[name] = gauge
        (gauge.labels(**labels) if labels else gauge).set_function(value)

    def count(self, name: str, text: str, value: Callable[[], float], **labels: str) -> None:
        """Show the counter `everytick_{name}_total` with what *value* says at that moment."""
        self._counters.add(f"everytick_{name}", text, value, labels)

    def show(self, collector: Collector) -> None:
        """Show whatever *collector* collects."""
        self._registry.register(collector)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _WatchedCounters(Collector):
    """Counters that are kept elsewhere and read when somebody looks."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._series: dict[str, list[tuple[dict[str, str], Callable[[], float]]]] = {}

    def add(self, name: str, text: str, value: Callable[[], float], labels: dict[str, str]) -> None:
        self._texts[name] = text
        self._series.setdefault(name, []).append((labels, value))

    def collect(self) -> Iterable[Metric]:
        for name, series in self._series.items():
            family = CounterMetricFamily(name, self._texts[name], labels=list(series[0][0]))
            for labels, value in series:
                family.add_metric(list(labels.values()), value())
            yield family


class StoreCalls(Collector):
    """How long calls of etcd and MongoDB took."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings

    def collect(self) -> Iterable[Metric]:
        calls = HistogramMetricFamily(
            "everytick_store_call_duration_seconds",
            "Time calls of etcd and MongoDB took.",
            labels=("store", "operation"),
        )
        for labels, buckets, sum_s in self._timings.rows():
            calls.add_metric(labels, buckets, sum_s)
        yield calls
