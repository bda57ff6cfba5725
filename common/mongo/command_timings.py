"""How long MongoDB's commands take, as the driver tells it. The rare ones count as `other`."""

from typing import Final

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from common.runtime.timings import Timings

_NAMED: Final = frozenset({"find", "aggregate", "insert", "update", "delete", "getMore", "count"})


class CommandTimings(CommandListener):
    """Called by the driver from its own event loop; quick, and never raising."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings

    def started(self, event: CommandStartedEvent) -> None:
        """Only ends have a duration."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._note(event.command_name, event.duration_micros)

    def failed(self, event: CommandFailedEvent) -> None:
        self._note(event.command_name, event.duration_micros)

    def _note(self, name: str, micros: int) -> None:
        self._timings.observe("mongodb", name if name in _NAMED else "other", micros / 1_000_000)
