"""Schedules against a walk over every minute around every change of every zone.

The walk knows no offsets and no transitions: it looks at what the clock on the wall shows, minute by minute.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from common.domain.schedule import Schedule, parse_schedule
from common.domain.zones import zone_names

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2028, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BEFORE, AFTER = 4 * HOUR, 8 * HOUR

#: Gaps and repeated stretches of an hour and of 30 minutes, by day and at midnight, in both hemispheres, with
#: DST that is taken back for Ramadan, and that is negative in winter.
FEW = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Chatham",
)


@dataclass(frozen=True)
class Sample:
    """A text together with what it means, said without a parser: hours, and minutes in them."""

    text: str
    hours: frozenset[int]
    minutes: frozenset[int]
    is_fixed_time: bool

    def matches(self, wall: datetime) -> bool:
        return wall.hour in self.hours and wall.minute in self.minutes


def fixed(hours: set[int], minutes: set[int]) -> Sample:
    text = f"{','.join(map(str, sorted(minutes)))} {','.join(map(str, sorted(hours)))} * * *"
    return Sample(text, frozenset(hours), frozenset(minutes), is_fixed_time=True)


def samples(change: datetime, zone: ZoneInfo) -> list[Sample]:
    """Schedules that have something to lose at *change*: at its edges, inside it, and through it."""
    before = (change - MINUTE).astimezone(zone)
    after = change.astimezone(zone)
    edges = {before.hour, after.hour, (before.hour + 1) % 24, (after.hour - 1) % 24}
    every_hour, every_minute = frozenset(range(24)), frozenset(range(60))
    return [
        fixed({min(edges)}, {30}),
        fixed({after.hour}, {after.minute}),
        fixed({before.hour}, {before.minute}),
        fixed(edges, {0, 15, 45}),
        fixed(set(every_hour), {0, 20}),
        Sample("* * * * *", every_hour, every_minute, is_fixed_time=False),
        Sample("*/20 * * * *", every_hour, frozenset({0, 20, 40}), is_fixed_time=False),
        Sample("5 * * * *", every_hour, frozenset({5}), is_fixed_time=False),
        Sample("0 */2 * * *", frozenset(range(0, 24, 2)), frozenset({0}), is_fixed_time=False),
        Sample(
            f"*/15 {','.join(map(str, sorted(edges)))} * * *",
            frozenset(edges),
            frozenset({0, 15, 30, 45}),
            is_fixed_time=False,
        ),
    ]


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """Every instant in the two years at which the offset becomes another one, to the minute."""
    offset = START.astimezone(zone).utcoffset()
    probe = START
    while probe < END:
        probe += DAY
        if probe.astimezone(zone).utcoffset() != offset:
            instant = probe - DAY
            while instant.astimezone(zone).utcoffset() == offset:
                instant += MINUTE
            yield instant
            offset = probe.astimezone(zone).utcoffset()


def walk(sample: Sample, shown: list[tuple[datetime, datetime]]) -> list[datetime]:
    """
    The ticks of *sample* among instants and what the wall clock shows at each.

    A fixed time comes due when the wall clock shows it or something later for the first time; real time
    whenever the wall clock shows it.
    """
    if not sample.is_fixed_time:
        return [instant for instant, wall in shown[1:] if sample.matches(wall)]
    ticks = []
    furthest = shown[0][1]
    for instant, wall in shown[1:]:
        is_due = False
        while furthest < wall:
            furthest += MINUTE
            is_due = is_due or sample.matches(furthest)
        if is_due:
            ticks.append(instant)
    return ticks


def ticks_between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    found = []
    tick = schedule.next_after(start)
    while tick is not None and tick <= end:
        found.append(tick)
        tick = schedule.next_after(tick)
    return found


def differences(name: str, zone: ZoneInfo, change: datetime) -> Iterator[str]:
    instants = [change - BEFORE + number * MINUTE for number in range((BEFORE + AFTER) // MINUTE)]
    shown = [(instant, instant.astimezone(zone).replace(tzinfo=None, fold=0)) for instant in instants]
    for sample in samples(change, zone):
        schedule = parse_schedule(sample.text, name)
        expected = walk(sample, shown)
        found = ticks_between(schedule, instants[0], instants[-1])
        if expected != found:
            yield f"{name} {change}: {sample.text!r}: expected {expected}, found {found}"
        # Asked at any instant, not only at a tick: workers start and jobs change when they like.
        for instant in (change + number * 7 * MINUTE for number in range(-20, 20)):
            position = bisect_right(expected, instant)
            if position < len(expected) and expected[position] != schedule.next_after(instant):
                yield f"{name}: {sample.text!r} after {instant}: {schedule.next_after(instant)}"


def all_differences(names: tuple[str, ...]) -> tuple[list[str], int]:
    found: list[str] = []
    count = 0
    for name in names:
        zone = ZoneInfo(name)
        for change in changes(zone):
            count += 1
            found += differences(name, zone, change)
    return found, count


def test_zones_of_every_kind():
    """The walk and the schedules agree where changes differ most."""
    found, count = all_differences(FEW)

    assert [] == found
    assert count >= 4 * len(FEW)


@pytest.mark.slow
def test_every_zone_that_changes_within_two_years():
    """The walk and the schedules agree in the whole database, aliases left out by their contents."""
    distinct = {tuple(changes(ZoneInfo(name))) + _offsets(name): name for name in zone_names()}
    found, count = all_differences(tuple(distinct.values()))

    assert [] == found
    assert count >= 100


def _offsets(name: str) -> tuple[timedelta | None, ...]:
    """The zone's offset each month: two zones that change together and agree in it have the same clock."""
    probes = (START + timedelta(days=30 * number) for number in range(25))
    return tuple(probe.astimezone(ZoneInfo(name)).utcoffset() for probe in probes)
