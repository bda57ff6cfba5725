"""What `/metrics` shows, in a registry of our own. Names are documented in `docs/http-api.md`.

No label holds a job, a user or a path: the number of series does not grow with what people do.
"""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

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

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)
