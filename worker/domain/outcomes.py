"""What became of ticks on this worker, counted as the records of it pass: for the metrics.

Pure. Counts begin at zero with the process; a record that is written again after a restart is not counted.
"""

from bisect import bisect_left
from collections import Counter
from typing import Final

from common.domain.records import ExecutionRecord, LedgerRow, Record

#: Upper bounds in seconds; the last bucket has none.
LATENESS_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)


class Outcomes:
    """
    Attributes:
        counts: Executions by their terminal status; ticks that did not run by `skipped` and `missed`.
        lateness_s: Sum over all executions that were started for a tick.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lateness_s = 0.0
        self._buckets = [0] * (len(LATENESS_BOUNDS_S) + 1)

    def note(self, record: Record) -> None:
        """Count what *record* says; output says nothing of outcomes."""
        if isinstance(record, ExecutionRecord):
            if record.status.is_terminal:
                self.counts[str(record.status)] += 1
                if record.lateness_ms is not None and record.started_at is not None:
                    self._late(max(record.lateness_ms, 0) / 1000)
        elif isinstance(record, LedgerRow):
            self.counts[str(record.kind)] += record.count

    def lateness_buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper bound, as Prometheus wants them."""
        total = 0
        buckets = []
        for bound, count in zip((*map(str, LATENESS_BOUNDS_S), "+Inf"), self._buckets, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets

    def _late(self, seconds: float) -> None:
        self._buckets[bisect_left(LATENESS_BOUNDS_S, seconds)] += 1
        self.lateness_s += seconds
