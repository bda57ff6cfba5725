"""Figures over the executions of a job.

Pure. Percentiles are the nearest rank of the sorted values: always a value that really occurred.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from common.domain.execution import TERMINAL_STATUSES, Status
from common.domain.records import Document


@dataclass(frozen=True, slots=True)
class Day:
    """Executions of one UTC day (`2026-03-29`)."""

    day: str
    total: int
    by_status: dict[str, int]


@dataclass(frozen=True, slots=True)
class Statistics:
    """`success_rate` is over executions that have ended, and None when there is none."""

    total: int
    by_status: dict[str, int]
    success_rate: float | None
    duration_ms: dict[str, int | None]
    lateness_ms: dict[str, int | None]
    per_day: list[Day]


def summarise(counts: Sequence[Document], timings: Sequence[Document]) -> Statistics:
    """
    Statistics from counts per day and status, and from single timings.

    Args:
        counts: `{day, status, count}`.
        timings: `{duration_ms, lateness_ms}`, either may be absent.
    """
    by_status: Counter[str] = Counter()
    days: dict[str, Counter[str]] = {}
    for row in counts:
        by_status[row["status"]] += row["count"]
        days.setdefault(row["day"], Counter())[row["status"]] += row["count"]
    ended = sum(by_status[status.value] for status in TERMINAL_STATUSES)
    durations = _sorted_values(timings, "duration_ms")
    latenesses = _sorted_values(timings, "lateness_ms")
    return Statistics(
        total=by_status.total(),
        by_status=dict(by_status),
        success_rate=round(by_status[Status.SUCCEEDED.value] / ended, 4) if ended else None,
        duration_ms={
            "p50": percentile(durations, 50),
            "p95": percentile(durations, 95),
            "max": durations[-1] if durations else None,
        },
        lateness_ms={"p50": percentile(latenesses, 50), "p99": percentile(latenesses, 99)},
        per_day=[Day(day, found.total(), dict(found)) for day, found in sorted(days.items())],
    )


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest of *ordered* (ascending) that at least *percent* of them do not exceed; None without
    any."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _sorted_values(timings: Sequence[Document], name: str) -> list[int]:
    return sorted(row[name] for row in timings if row.get(name) is not None)
