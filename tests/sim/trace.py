"""What happened in a simulation, in order: the product's own log events and the faults, with virtual times.

Two runs of one seed must give equal traces; a failing one is printed, so that nobody needs a debugger to see
what led to it.
"""

import hashlib
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from tests.sim.loop import current_host

#: Never the same on two runs, or of no interest to a reader.
_LEFT_OUT = frozenset({"level", "timestamp", "exc_info"})


@dataclass(frozen=True, slots=True)
class TraceEvent:
    at_s: float
    host: str
    event: str
    fields: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        return dict(self.fields)[name]

    def __str__(self) -> str:
        fields = " ".join(f"{name}={value}" for name, value in self.fields)
        return f"{self.at_s:11.3f} {self.host:<10} {self.event:<28} {fields}".rstrip()


class Trace:
    """Events of one simulation."""

    def __init__(self, time_s: Callable[[], float]) -> None:
        self.events: list[TraceEvent] = []
        self._time_s = time_s

    def note(self, event: str, *, host: str | None = None, **fields: object) -> None:
        """Add one event; *host* is the one whose code runs, unless given."""
        running = current_host()
        where = host or (running.name if running is not None else "-")
        texts = tuple((name, str(value)) for name, value in sorted(fields.items()) if value is not None)
        self.events.append(TraceEvent(self._time_s(), where, event, texts))

    def named(self, event: str) -> list[TraceEvent]:
        return [entry for entry in self.events if entry.event == event]

    def digest(self) -> str:
        """Equal for equal traces."""
        return hashlib.sha256("\n".join(map(str, self.events)).encode()).hexdigest()[:16]

    def text(self, last: int = 400) -> str:
        """The *last* events, one per line."""
        left_out = len(self.events) - last
        lines = [f"... {left_out} events before"] if left_out > 0 else []
        return "\n".join([*lines, *map(str, self.events[-last:])])


@contextmanager
def traced_logs(trace: Trace) -> Iterator[None]:
    """Send the product's log events into *trace* instead of to a stream."""

    def keep(logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        fields = {name: value for name, value in event.items() if name not in _LEFT_OUT and name != "event"}
        trace.note(
            str(event["event"]), **{f"_{k}" if k in ("event", "host") else k: v for k, v in fields.items()}
        )
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[keep],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
