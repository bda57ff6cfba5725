"""The list of jobs as values: one row per stored key, filtered, ordered and cut into pages.

Pure. A page is a slice of a sorted list of keys, so a job that is created or deleted between two pages
neither repeats a row nor hides one. Rows hold what filters need in the form they need it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from common.domain.execution import Status
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.job import JobSpec
from common.domain.schedule import Schedule, next_ticks
from common.domain.timing import Timing

#: Sorts behind every real number, and JSON can carry it.
_NEVER: Final = 1e18
#: Labels that begin so belong to the program.
OWN_LABELS: Final = "everytick/"
TEST_RUN_LABEL: Final = f"{OWN_LABELS}test-run"
RowKey: TypeAlias = tuple[float, str, str]


@dataclass(slots=True, eq=False)
class JobRow:
    """
    One stored job.

    Attributes:
        spec: None when the stored value cannot be read.
        uid: That of `spec`, close at hand: filters ask ten thousand rows for it.
        quarantined: Why it cannot be read, for people; None for a good one.
        schedule: None without a schedule, or when quarantined.
        timing: The schedule within the job's times; None also when the job is disabled.
        next_tick: The view keeps it ahead of the clock.
        shown: The definition as JSON values with secrets masked, made when first asked for.
        haystack: What the search looks through, in lower case.
    """

    namespace: str
    name: str
    revision: int
    create_revision: int
    spec: JobSpec | None = None
    quarantined: str | None = None
    schedule: Schedule | None = None
    timing: Timing | None = None
    next_tick: datetime | None = None
    shown: dict[str, Any] | None = None
    haystack: str = ""
    uid: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.uid = self.spec.uid if self.spec else None

    @property
    def is_test_run(self) -> bool:
        """A temporary job of the program's own."""
        return self.spec is not None and TEST_RUN_LABEL in self.spec.labels


def upcoming_ticks(timing: Timing, now: datetime, count: int) -> list[datetime]:
    """The next *count* ticks later than *now* that belong to the job; fewer if there are not so many."""
    return next_ticks(timing, from_epoch_s(timing.base(epoch_s(now))), count)


class JobStatus(StrEnum):
    """What the list of jobs can be filtered by: what a job does now, or how it ended last."""

    RUNNING = "running"
    """At least one execution runs now."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    LOST = "lost"
    NEVER_RUN = "never_run"
    """No execution is known."""
    QUARANTINED = "quarantined"
    """What is stored cannot be read."""


class JobOrder(StrEnum):
    """A minus means descending. What has no value comes last either way."""

    NAME = "name"
    NAME_DESC = "-name"
    NEXT_TICK = "next_tick"
    NEXT_TICK_DESC = "-next_tick"
    CHANGED_AT = "changed_at"
    CHANGED_AT_DESC = "-changed_at"
    LAST_RUN = "last_run"
    LAST_RUN_DESC = "-last_run"


@dataclass(frozen=True, slots=True)
class LastRun:
    """How a job's latest known execution stands."""

    execution_id: str
    status: Status
    scheduled_at: datetime
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Filters and order of one request; None filters nothing. `labels` must all match (None: any value)."""

    q: str | None = None
    namespaces: tuple[str, ...] | None = None
    labels: tuple[tuple[str, str | None], ...] = ()
    enabled: bool | None = None
    status: JobStatus | None = None
    order_by: JobOrder = JobOrder.NAME

    def identity(self) -> dict[str, object]:
        """What a page token is bound to."""
        return {
            "q": self.q,
            "namespaces": self.namespaces,
            "labels": [list(label) for label in self.labels],
            "enabled": self.enabled,
            "status": self.status,
            "order_by": self.order_by,
        }


@dataclass(frozen=True, slots=True)
class Activity:
    """
    What is known of executions while a list is made.

    Both are asked once for a list and not once for a row: the calls alone cost more than the filter.

    Attributes:
        running: Uids of jobs of which something runs now.
        last: The newest execution that has ended, by uid.
    """

    running: Callable[[], Container[str]]
    last: Callable[[], Mapping[str, LastRun]]


@dataclass(frozen=True, slots=True)
class JobPage:
    rows: list[JobRow]
    total: int
    last_key: RowKey | None
    """Key of the last row when there are more behind it."""


def select_page(
    rows: Sequence[JobRow], query: JobQuery, activity: Activity, *, after: RowKey | None, size: int
) -> JobPage:
    """
    The page of *query* behind the key *after*.

    Args:
        rows: All jobs, sorted by namespace and name.
    """
    ordered = _ordered(_matching(rows, query, activity), query.order_by, activity)
    start = 0 if after is None else _position_behind(ordered, after, query.order_by, activity)
    page = list(ordered[start : start + size])
    has_more = start + size < len(ordered)
    last_key = _key(page[-1], query.order_by, activity) if has_more else None
    return JobPage(page, len(ordered), last_key)


def _matching(rows: Sequence[JobRow], query: JobQuery, activity: Activity) -> Sequence[JobRow]:
    """One pass per filter that is given, the cheap ones first: most requests give none or one."""
    if query.namespaces is not None:
        rows = [row for row in rows if row.namespace in query.namespaces]
    if query.enabled is not None:
        rows = [row for row in rows if row.spec and row.spec.enabled is query.enabled]
    for word in (query.q or "").lower().split():
        rows = [row for row in rows if word in row.haystack]
    for name, value in query.labels:
        rows = [
            row
            for row in rows
            if row.spec and name in (labels := row.spec.labels) and (value is None or labels[name] == value)
        ]
    return rows if query.status is None else _with_status(rows, query.status, activity)


def _with_status(rows: Sequence[JobRow], status: JobStatus, activity: Activity) -> Sequence[JobRow]:
    """A row that cannot be read has no uid: it is quarantined and nothing else."""
    if status is JobStatus.QUARANTINED:
        return [row for row in rows if row.quarantined is not None]
    running, last = activity.running(), activity.last()
    if status is JobStatus.RUNNING:
        return [row for row in rows if row.uid is not None and row.uid in running]
    if status is JobStatus.NEVER_RUN:
        return [row for row in rows if row.uid is not None and row.uid not in last and row.uid not in running]
    wanted = Status(status.value)
    return [
        row
        for row in rows
        if row.uid is not None and (found := last.get(row.uid)) is not None and found.status is wanted
    ]


def _ordered(rows: Sequence[JobRow], order: JobOrder, activity: Activity) -> Sequence[JobRow]:
    """*rows* come by name, and sorting is stable: equal numbers stay in the order of names."""
    if order is JobOrder.NAME:
        return rows
    if order is JobOrder.NAME_DESC:
        return rows[::-1]
    number = _number_of(order, activity)
    return sorted(rows, key=number)


def _number_of(order: JobOrder, activity: Activity) -> Callable[[JobRow], float]:
    """What *order* sorts by; a row without it comes last, ascending or descending."""
    sign = -1.0 if order.value.startswith("-") else 1.0
    match order:
        case JobOrder.NAME | JobOrder.NAME_DESC:
            return lambda _row: 0.0
        case JobOrder.NEXT_TICK | JobOrder.NEXT_TICK_DESC:
            return lambda row: sign * row.next_tick.timestamp() if row.next_tick else _NEVER
        case JobOrder.CHANGED_AT | JobOrder.CHANGED_AT_DESC:
            return lambda row: sign * row.spec.changed_at.timestamp() if row.spec else _NEVER
        case JobOrder.LAST_RUN | JobOrder.LAST_RUN_DESC:
            last = activity.last()

            def number(row: JobRow) -> float:
                found = last.get(row.uid) if row.uid is not None else None
                return sign * found.scheduled_at.timestamp() if found else _NEVER

            return number


def _key(row: JobRow, order: JobOrder, activity: Activity) -> RowKey:
    return _number_of(order, activity)(row), row.namespace, row.name


def _position_behind(ordered: Sequence[JobRow], after: RowKey, order: JobOrder, activity: Activity) -> int:
    """Where the rows behind the key *after* begin."""
    number = _number_of(order, activity)

    def key(row: JobRow) -> RowKey:
        return number(row), row.namespace, row.name

    if order is JobOrder.NAME_DESC:
        return len(ordered) - bisect_left(ordered[::-1], after, key=key)
    return bisect_right(ordered, after, key=key)
