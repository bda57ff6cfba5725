"""What a schedule will do, shown before it is saved: its next ticks, and what people are surprised by.

Pure. Warnings never refuse anything: each names one property of the schedule that is easily overlooked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from common.domain.cron_fields import CronFields
from common.domain.cron_schedule import CronSchedule
from common.domain.cron_text import CronText, read_cron_text
from common.domain.dst import OffsetChange, offset_changes
from common.domain.every import EverySchedule
from common.domain.schedule import Schedule, next_ticks

_YEAR: Final = timedelta(days=366)
_SECOND: Final = timedelta(seconds=1)
_SHORTEST_MONTH: Final = 28


class TickFlag(StrEnum):
    """What is special about one tick."""

    GAP = "gap"
    """The wall clock skips the time it was meant for; it comes at the first instant after the gap."""


class WarningCode(StrEnum):
    """What a preview warns of."""

    EVERY_SECOND = "every_second"
    """It comes due each second, always or in the minutes that match."""
    EVERY_MINUTE = "every_minute"
    """It comes due each minute of some hours, as in `* 9 * * *`, where people often mean nine o'clock."""
    EITHER_DAY = "either_day"
    """Both day fields are given: a day that matches either is enough."""
    BOTH_DAYS = "both_days"
    """Both day fields are given and one begins with `*`: a day must match both."""
    MONTH_END = "month_end"
    """Some months do not have that day."""
    SPARSE = "sparse"
    """More than a year passes before or between ticks."""
    HASHED = "hashed"
    """`H` depends on the job's uid, which a job has only once it is saved."""
    DST_GAP = "dst_gap"
    """A tick within the next year falls into a time that the wall clock skips."""
    DST_REPEATED = "dst_repeated"
    """A tick within the next year falls into a time that the wall clock shows twice."""


@dataclass(frozen=True, slots=True)
class PreviewWarning:
    """One warning: a code for programs, a sentence for people."""

    code: WarningCode
    message: str


@dataclass(frozen=True, slots=True)
class PreviewTick:
    """One coming tick (aware UTC), and what is special about it."""

    at: datetime
    flag: TickFlag | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The next ticks of a schedule, oldest first, and what to know about it."""

    text: str
    ticks: tuple[PreviewTick, ...]
    warnings: tuple[PreviewWarning, ...]


def preview_schedule(schedule: Schedule, after: datetime, count: int) -> Preview:
    """The next *count* ticks strictly later than *after*, and the warnings for the year from then on."""
    # Changes of the clock are found in whole seconds; `now` usually has a fraction.
    after = after.astimezone(UTC).replace(microsecond=0)
    ticks = next_ticks(schedule, after, max(count, 2))
    warnings = [*_sparse_warning(ticks, after)]
    if isinstance(schedule, EverySchedule) and schedule.interval == _SECOND:
        warnings.append(PreviewWarning(WarningCode.EVERY_SECOND, "It comes due every second."))
    if isinstance(schedule, CronSchedule):
        cron = read_cron_text(schedule.text.lower(), "")
        warnings += [
            *_pace_warnings(schedule.fields),
            *_day_warnings(cron, schedule.fields),
            *_dst_warnings(schedule, cron, after),
        ]
    return Preview(
        text=schedule.text,
        ticks=tuple(
            PreviewTick(tick, TickFlag.GAP if schedule.is_moved_by_gap(tick) else None)
            for tick in ticks[:count]
        ),
        warnings=tuple(warnings),
    )


def _pace_warnings(fields: CronFields) -> Iterator[PreviewWarning]:
    if _is_full(fields.seconds):
        each = "" if _is_full(fields.minutes) and _is_full(fields.hours) else " of each minute that matches"
        yield PreviewWarning(WarningCode.EVERY_SECOND, f"It comes due every second{each}.")
    elif _is_full(fields.minutes) and not _is_full(fields.hours):
        yield PreviewWarning(
            WarningCode.EVERY_MINUTE,
            "It comes due every minute of each hour that matches; write a minute (0) for once an hour.",
        )


def _is_full(table: tuple[int, ...]) -> bool:
    return all(value == index for index, value in enumerate(table[:-1]))


def _sparse_warning(ticks: list[datetime], after: datetime) -> Iterator[PreviewWarning]:
    distances = [later - earlier for earlier, later in pairwise([after, *ticks])]
    if not ticks or max(distances) > _YEAR:
        first = f"; the next time is on {ticks[0]:%Y-%m-%d}" if ticks else ""
        yield PreviewWarning(WarningCode.SPARSE, f"More than a year passes without a tick{first}.")


def _day_warnings(cron: CronText, fields: CronFields) -> Iterator[PreviewWarning]:
    if cron.restricts_both_days and cron.needs_both_days:
        yield PreviewWarning(
            WarningCode.BOTH_DAYS,
            "Day of month and day of week are both given and one begins with *: a day must match both.",
        )
    elif cron.restricts_both_days:
        yield PreviewWarning(
            WarningCode.EITHER_DAY,
            "Day of month and day of week are both given: a day that matches either one is enough.",
        )
    elif min(fields.day_rule.days) > _SHORTEST_MONTH and any(
        not fields.day_rule.days_of(0, length) for length in fields.month_lengths()
    ):
        yield PreviewWarning(
            WarningCode.MONTH_END,
            f"Not every month has a day {min(fields.day_rule.days)}; L is the last day of any month.",
        )
    if cron.uses_hash:
        yield PreviewWarning(
            WarningCode.HASHED,
            "H is chosen by the job's uid: a job that is not saved yet may get other values.",
        )


def _dst_warnings(schedule: CronSchedule, cron: CronText, after: datetime) -> Iterator[PreviewWarning]:
    """The first gap and the first repeated stretch that hold a tick."""
    if cron.begins_with_star[2]:
        # It comes due in every hour: in one more or one fewer that day, which surprises nobody.
        return
    warned: set[WarningCode] = set()
    for change in offset_changes(schedule.zone, after, after + _YEAR):
        start, end = sorted((change.before, change.after))
        match = schedule.fields.first_from(start)
        code = WarningCode.DST_GAP if change.is_gap else WarningCode.DST_REPEATED
        if match is not None and match < end and code not in warned:
            warned.add(code)
            yield PreviewWarning(code, _dst_message(schedule, change, start, end))


def _dst_message(schedule: CronSchedule, change: OffsetChange, start: datetime, end: datetime) -> str:
    does, twice = ("skips", "") if change.is_gap else ("shows", " twice")
    match change.is_gap, schedule.is_fixed_time:
        case True, True:
            effect = f"what is due in between comes once, at {end:%H:%M}"
        case True, False:
            effect = "nothing comes due in between"
        case False, True:
            effect = "it comes due the first time only"
        case _:
            effect = "it comes due both times"
    clock = f"On {start:%Y-%m-%d} the clock in {schedule.zone}"
    return f"{clock} {does} {start:%H:%M} to {end:%H:%M}{twice}: {effect}."
