"""Executions counted by minute, namespace and status: what curves and tiles of the last day are made of.

Pure. A minute is an epoch minute of `scheduled_at`. Counts of a stretch are replaced as a whole, so that
counting it again never counts twice.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """How many executions due in one minute of one namespace stand at one status."""

    minute: int
    namespace: str
    status: str
    count: int


class MinuteCounts:
    """The counts that are known."""

    def __init__(self) -> None:
        self._minutes: dict[int, dict[tuple[str, str], int]] = {}

    def replace(self, first: int, before: int, counts: Iterable[MinuteCount]) -> None:
        """Take *counts* for everything that is known of the minutes in [first, before)."""
        for minute in range(first, before):
            self._minutes.pop(minute, None)
        for found in counts:
            of_minute = self._minutes.setdefault(found.minute, {})
            of_minute[found.namespace, found.status] = found.count

    def forget_before(self, minute: int) -> None:
        """Drop what is older than *minute*."""
        for old in [known for known in self._minutes if known < minute]:
            del self._minutes[old]

    def buckets(
        self, first: int, before: int, size: int, namespaces: Collection[str] | None
    ) -> dict[int, Counter[str]]:
        """
        Counts by status for each stretch of *size* minutes that has any, by its first minute.

        Args:
            first: The first stretch begins here; the last one ends at *before*, maybe early.
            namespaces: Only these; None is all.
        """
        found: dict[int, Counter[str]] = {}
        for minute in range(first, before):
            for status, count in self._of(minute, namespaces):
                start = first + (minute - first) // size * size
                found.setdefault(start, Counter())[status] += count
        return found

    def totals(self, first: int, before: int, namespaces: Collection[str] | None) -> Mapping[str, int]:
        """Counts by status in [first, before)."""
        total: Counter[str] = Counter()
        for minute in range(first, before):
            for status, count in self._of(minute, namespaces):
                total[status] += count
        return total

    def _of(self, minute: int, namespaces: Collection[str] | None) -> Iterable[tuple[str, int]]:
        for (namespace, status), count in self._minutes.get(minute, {}).items():
            if namespaces is None or namespace in namespaces:
                yield status, count
