"""How many ticks come due in each minute ahead: the load curve of the timeline.

Pure. Jobs of one schedule share their ticks, so the cost follows the number of distinct schedules.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.domain.every import EverySchedule
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.schedule import Schedule
from master.domain.job_rows import JobRow
from master.domain.minute_counts import MINUTE_S

#: A schedule of every second has so many ticks in six minutes: enough to see its shape.
_TICKS_PER_SCHEDULE: Final = 1_500


@dataclass(slots=True, eq=False)
class SameTicks:
    """Jobs whose ticks fall together, by namespace."""

    schedule: Schedule
    offset_s: int
    jobs: Counter[str]


def grouped(rows: Iterable[JobRow]) -> list[SameTicks]:
    """The jobs of *rows* that have ticks, those with the most companions first."""
    groups: dict[tuple[int, int], SameTicks] = {}
    for row in rows:
        timing = row.timing
        if timing is None or row.next_tick is None:
            continue
        key = (id(timing.schedule), timing.offset)
        group = groups.get(key)
        if group is None:
            group = groups[key] = SameTicks(timing.schedule, timing.offset, Counter())
        group.jobs[row.namespace] += 1
    return sorted(groups.values(), key=lambda group: -group.jobs.total())


def ticks_by_minute(group: SameTicks, now: datetime, until: datetime) -> tuple[Mapping[int, int], bool]:
    """
    How many ticks one job of *group* has in each epoch minute of (now, until].

    Returns:
        The counts, and whether they reach *until*.
    """
    schedule, counts = group.schedule, Counter[int]()
    if isinstance(schedule, EverySchedule):
        return _of_interval(schedule, group.offset_s, now, until), True
    tick: datetime | None = from_epoch_s(epoch_s(now) - group.offset_s)
    for _ in range(_TICKS_PER_SCHEDULE):
        tick = schedule.next_after(tick) if tick is not None else None
        if tick is None or epoch_s(tick) + group.offset_s > epoch_s(until):
            return counts, True
        counts[(epoch_s(tick) + group.offset_s) // MINUTE_S] += 1
    return counts, False


def _of_interval(schedule: EverySchedule, offset_s: int, now: datetime, until: datetime) -> Mapping[int, int]:
    """By division: a minute's ticks are those up to its end less those up to its beginning."""
    interval_s, anchor_s = int(schedule.interval.total_seconds()), epoch_s(schedule.anchor) + offset_s
    counts: Counter[int] = Counter()
    begin_s, end_s = epoch_s(now), epoch_s(until)
    if interval_s >= MINUTE_S:
        first = max((begin_s - anchor_s) // interval_s + 1, 1)
        for tick_s in range(anchor_s + first * interval_s, end_s + 1, interval_s):
            counts[tick_s // MINUTE_S] += 1
        return counts
    for minute in range(begin_s // MINUTE_S, end_s // MINUTE_S + 1):
        low = max(minute * MINUTE_S - 1, begin_s, anchor_s)
        high = min(minute * MINUTE_S + MINUTE_S - 1, end_s)
        count = (high - anchor_s) // interval_s - (low - anchor_s) // interval_s if high > low else 0
        if count:
            counts[minute] = count
    return counts
