"""How long calls of the two servers take, in buckets: fed by the adapters, shown by each program's metrics.

A plain table and no metrics library, so that whoever feeds it need not know how it is shown.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Timings:
    """Durations by store and operation; both come from closed sets of our own code."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], list[int]] = {}
        self._sums_s: dict[tuple[str, str], float] = {}

    def observe(self, store: str, operation: str, seconds: float) -> None:
        key = (store, operation)
        buckets = self._buckets.get(key)
        if buckets is None:
            buckets = self._buckets[key] = [0] * (len(BOUNDS_S) + 1)
        buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self._sums_s[key] = self._sums_s.get(key, 0.0) + seconds

    def rows(self) -> Iterator[tuple[tuple[str, str], list[tuple[str, float]], float]]:
        """Store and operation, cumulative counts by upper bound, sum of seconds."""
        for key, counts in sorted(self._buckets.items()):
            total = 0
            cumulative = []
            for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), counts, strict=True):
                total += count
                cumulative.append((bound, float(total)))
            yield key, cumulative, self._sums_s[key]
