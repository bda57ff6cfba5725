"""What the overview says of the jobs alone: how many there are, which nobody can run, what comes next.

Pure. One pass over the rows of the view; whether a job has a worker is decided once per distinct requirement.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from common.domain.job import JobSpec
from common.domain.records import Document
from master.domain.job_rows import JobRow, upcoming_ticks

#: Jobs named in one kind of trouble, and in what comes next.
LISTED: Final = 50
_NEXT: Final = 20
_HOUR: Final = timedelta(hours=1)
#: Ticks of one job that are counted one by one; more than this in an hour are estimated from their pace.
_COUNTED: Final = 120
_Requirement: TypeAlias = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class JobScan:
    """Counts over the jobs, and those somebody should look at."""

    jobs: int = 0
    enabled: int = 0
    paused: int = 0
    quarantined: list[JobRow] = field(default_factory=list)
    unserved: list[JobRow] = field(default_factory=list)
    next: list[JobRow] = field(default_factory=list)


def scan(
    rows: Iterable[JobRow],
    namespaces: Collection[str] | None,
    now: datetime,
    has_worker: Callable[[JobSpec], bool],
) -> JobScan:
    """
    Look at every row once.

    Args:
        has_worker: Whether any live worker may run a job.
    """
    found, served, planned = JobScan(), dict[_Requirement, bool](), list[JobRow]()
    for row in rows:
        if namespaces is not None and row.namespace not in namespaces:
            continue
        found.jobs += 1
        spec = row.spec
        if spec is None:
            found.quarantined.append(row)
            continue
        found.enabled += spec.enabled
        found.paused += spec.is_paused_at(now)
        if row.next_tick is None:
            continue
        planned.append(row)
        requirement = (spec.executor, spec.target.workers, tuple(sorted(spec.target.labels.items())))
        if requirement not in served:
            served[requirement] = has_worker(spec)
        if not served[requirement]:
            found.unserved.append(row)
    found.next = heapq.nsmallest(_NEXT, planned, key=lambda row: (row.next_tick, row.namespace, row.name))
    return found


def coming(rows: Sequence[JobRow], now: datetime) -> list[Document]:
    """Jobs with a tick in the hour from *now*, soonest first, with how many they have in it."""
    return [
        {
            "namespace": row.namespace,
            "job": row.name,
            "at": row.next_tick,
            "count_within_hour": _count_within(row, now, now + _HOUR),
            "timezone": row.spec.timezone,
        }
        for row in rows
        if row.spec and row.next_tick and row.next_tick <= now + _HOUR
    ]


def _count_within(row: JobRow, now: datetime, until: datetime) -> int:
    ticks = upcoming_ticks(row.timing, now, _COUNTED) if row.timing else []
    within = [tick for tick in ticks if tick <= until]
    if len(within) < _COUNTED:
        return len(within)
    return round(_COUNTED * (until - now) / (within[-1] - now))


def late_runs(runs: Iterable[tuple[str, str, str, datetime, datetime]], limit: timedelta) -> list[Document]:
    """
    Attention for what runs and was taken later than *limit* after it was due.

    Args:
        runs: (execution id, namespace, job, scheduled at, claimed at).
    """
    return [
        {
            "kind": "late",
            "namespace": namespace,
            "job": job,
            "count": 1,
            "at": scheduled_at,
            "execution_id": execution_id,
            "reason": None,
        }
        for execution_id, namespace, job, scheduled_at, claimed_at in runs
        if claimed_at - scheduled_at > limit
    ][:LISTED]
