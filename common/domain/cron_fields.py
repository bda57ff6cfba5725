"""The sets of values behind a cron text, and the search for the next wall clock time in them.

Pure and free of time zones: wall clock times are datetimes in whole seconds, and what is found is naive or in
UTC as what was asked. What an element such as `5-50/15` stands for is croniter's answer, asked once per
distinct element; the search is ours, because croniter's own takes 35 to 170 us a step, keeps a moving cursor,
and mixes its own DST rules into it.
"""

import calendar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from croniter import croniter

from common.domain.cron_text import FIELDS

#: The longest the calendar can make a schedule wait is 40 years: 29 February on a given weekday, over 2100.
SEARCH_YEARS: Final = 41
LAST_YEAR: Final = 9_990
_LAST: Final = -1
_MONTH_LENGTHS: Final = {1: (31,), 2: (28, 29), 3: (31,), 4: (30,), 5: (31,), 6: (30,)} | {
    month: (30,) if month in (9, 11) else (31,) for month in range(7, 13)
}


_first_weekday_and_length = lru_cache(maxsize=1024)(calendar.monthrange)


@dataclass(frozen=True, slots=True)
class DayRule:
    """
    Which days of a month match.

    Attributes:
        days: Days of the month; -1 is the last one.
        weekdays: 0 (Sunday) to 6, each with no number (None), its 1st to 5th in the month, or its last (-1).
        needs_both: Both fields must agree (one of them began with `*`); otherwise either is enough.
    """

    days: frozenset[int]
    weekdays: frozenset[tuple[int, int | None]]
    needs_both: bool
    # A month is settled by its length and the weekday it begins with: at most 28 entries.
    _known: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    def days_of(self, first_weekday: int, length: int) -> tuple[int, ...]:
        """The matching days of a month that begins on *first_weekday* (0 = Monday, as `calendar` counts)."""
        known = self._known.get((first_weekday, length))
        if known is None:
            known = tuple(
                day for day in range(1, length + 1) if self._matches(day, (first_weekday + day) % 7, length)
            )
            self._known[first_weekday, length] = known
        return known

    def _matches(self, day: int, weekday: int, length: int) -> bool:
        by_day = day in self.days or (day == length and _LAST in self.days)
        by_weekday = (
            (weekday, None) in self.weekdays
            or (weekday, (day + 6) // 7) in self.weekdays
            or (day + 7 > length and (weekday, _LAST) in self.weekdays)
        )
        return by_day and by_weekday if self.needs_both else by_day or by_weekday


@dataclass(frozen=True, slots=True)
class CronFields:
    """
    What a cron text matches, ready to be searched.

    Each table answers "smallest matching value at or above the index", or -1; it is one longer than the
    field, so that the index after the last value needs no special case.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    day_rule: DayRule

    def first_from(self, wall: datetime) -> datetime | None:
        """The first matching wall clock time at or after *wall*; None within `SEARCH_YEARS` of it."""
        year, month, day = wall.year, wall.month, wall.day
        if self.months[month] == month and day in self._days_of(year, month):
            time = self._time_from(wall.hour, wall.minute, wall.second)
            if time is not None:
                return datetime(year, month, day, *time, 0, wall.tzinfo)  # noqa: DTZ001 - a wall clock time
            day += 1
        date = self._date_from(year, month, day)
        if date is None:
            return None
        return datetime(*date, self.hours[0], self.minutes[0], self.seconds[0], 0, wall.tzinfo)  # noqa: DTZ001

    @property
    def has_one_second(self) -> bool:
        """Whether every match is at the same second of its minute."""
        return self.seconds[self.seconds[0] + 1] < 0

    @property
    def is_possible(self) -> bool:
        """False if no date of any year matches, as for 31 February."""
        return any(
            self.day_rule.days_of(first_weekday, length)
            for length in self.month_lengths()
            for first_weekday in range(7)
        )

    def month_lengths(self) -> frozenset[int]:
        """How many days the months may have in which it can come due."""
        return frozenset(
            length
            for month, lengths in _MONTH_LENGTHS.items()
            if self.months[month] == month
            for length in lengths
        )

    def _time_from(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        if self.hours[hour] == hour:
            if self.minutes[minute] == minute:
                found = self.seconds[second]
                if found >= 0:
                    return hour, minute, found
                minute += 1
            found = self.minutes[minute]
            if found >= 0:
                return hour, found, self.seconds[0]
            hour += 1
        found = self.hours[hour]
        return (found, self.minutes[0], self.seconds[0]) if found >= 0 else None

    def _date_from(self, year: int, month: int, day: int) -> tuple[int, int, int] | None:
        last_year = min(year + SEARCH_YEARS, LAST_YEAR)
        while year <= last_year:
            found = self.months[month]
            if found < 0:
                year, month, day = year + 1, 1, 1
                continue
            if found > month:
                month, day = found, 1
            for match in self._days_of(year, month):
                if match >= day:
                    return year, month, match
            month, day = month + 1, 1
        return None

    def _days_of(self, year: int, month: int) -> tuple[int, ...]:
        return self.day_rule.days_of(*_first_weekday_and_length(year, month))


def compile_fields(fields: tuple[tuple[str, ...], ...], needs_both_days: bool) -> CronFields:
    """
    The sets behind six fields of plain elements, seconds first, as `cron_text.read_cron_text` writes them.

    Each field's set is shared by all texts that have that field, so that 100,000 distinct texts cost neither
    100,000 expansions nor the memory for them. Nothing in a set moves.
    """
    second, minute, hour, day, month, weekday = fields
    return CronFields(
        seconds=_table(0, second),
        minutes=_table(1, minute),
        hours=_table(2, hour),
        months=_table(4, month),
        day_rule=_day_rule(day, weekday, needs_both_days),
    )


@lru_cache(maxsize=8192)
def _day_rule(day: tuple[str, ...], weekday: tuple[str, ...], needs_both: bool) -> DayRule:
    return DayRule(
        days=frozenset(value for element in day for value, _ in _expand(3, element)),
        weekdays=frozenset(pair for element in weekday for pair in _expand(5, element)),
        needs_both=needs_both,
    )


@lru_cache(maxsize=4096)
def _table(index: int, elements: tuple[str, ...]) -> tuple[int, ...]:
    values = {value for element in elements for value, _ in _expand(index, element)}
    table = [_LAST] * (FIELDS[index].high + 2)
    for position in range(FIELDS[index].high, -1, -1):
        table[position] = position if position in values else table[position + 1]
    return tuple(table)


@lru_cache(maxsize=4096)
def _expand(index: int, element: str) -> tuple[tuple[int, int | None], ...]:
    """croniter's reading of one element of field *index*: values with their number in the month, if any."""
    texts = ["*"] * len(FIELDS)
    texts[index] = element
    expanded, numbered = croniter.expand(" ".join(texts), second_at_beginning=True)
    # croniter keeps the seconds last.
    values = expanded[5 if index == 0 else index - 1]
    if numbered:
        return tuple(
            (int(day), _LAST if str(number) == "l" else int(number))
            for day, numbers in numbered.items()
            for number in numbers
        )
    if "*" in values:
        return tuple((value, None) for value in range(FIELDS[index].low, FIELDS[index].high + 1))
    return tuple((_LAST if value == "l" else int(value), None) for value in values)
