"""Figures, goals, and what is computed from samples.

Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Value: TypeAlias = int | float | str | None


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be: `at most` or `at least` this much."""

    kind: Literal["at most", "at least"]
    limit: float

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.kind == "at most" else value >= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One measured figure.

    Attributes:
        key: Its name in the JSON object; ends in its unit as all our names do.
        words: What it is, for people.
    """

    key: str
    words: str
    value: Value
    unit: str = ""
    goal: Goal | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a number."""
        if self.goal is None or not isinstance(self.value, int | float):
            return None
        return self.goal.is_met(self.value)

    def document(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"words": self.words, "value": self.value}
        if self.unit:
            fields["unit"] = self.unit
        if self.goal is not None:
            fields |= {"goal": f"{self.goal.kind} {self.goal.limit:g}", "is_met": self.is_met}
        return fields


@dataclass(frozen=True, slots=True)
class Spread:
    """How samples lie."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """
    The smallest sample that at least *share* of all samples do not exceed (nearest rank).

    Args:
        ordered: Ascending, not empty.
        share: 0 to 1.
    """
    rank = max(1, math.ceil(share * len(ordered) - 1e-9))
    return ordered[rank - 1]


def spread(samples: Sequence[float]) -> Spread:
    """
    Count, percentiles and maximum of *samples*, in their unit.

    Raises:
        ValueError: There are none: whatever was to be measured did not happen.
    """
    if not samples:
        raise ValueError("there are no samples: nothing ran, so there is nothing to measure")
    ordered = sorted(samples)
    return Spread(
        count=len(ordered),
        p50=percentile(ordered, 0.50),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        max=ordered[-1],
    )


def table(figures: Sequence[Figure]) -> str:
    """*figures* as lines of text, one each, with goals where there are any."""
    rows = [(figure.words, number_text(figure.value), figure.unit, _verdict(figure)) for figure in figures]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(
        f"{words:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {verdict}".rstrip()
        for words, value, unit, verdict in rows
    )


def number_text(value: Value) -> str:
    """*value* for people: thousands apart, four digits where there is a fraction."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def _verdict(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    words = {True: "met", False: "MISSED", None: "not measured"}[figure.is_met]
    return f"goal {figure.goal.kind} {figure.goal.limit:g}: {words}"
