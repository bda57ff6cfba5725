"""Between wall clock and UTC where a zone's offset changes.

Pure. Instants are aware UTC datetimes, wall clock times are naive; both in whole seconds. A *gap* is skipped
by the wall clock (spring), a *repeated* stretch is shown twice (autumn). Nothing here assumes one hour, two
changes a year, or a change at night: Lord Howe moves by 30 minutes, Morocco changes around Ramadan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OffsetChange:
    """
    One change of a zone's offset.

    Attributes:
        at: First instant with the new offset.
        before: Wall clock time at which the old offset ends.
        after: Wall clock time shown at `at`. Later than `before` in a gap, earlier where time is repeated.
    """

    at: datetime
    before: datetime
    after: datetime

    @property
    def is_gap(self) -> bool:
        return self.after > self.before


def wall_clock(instant: datetime, zone: tzinfo) -> datetime:
    """What the clock on the wall shows at *instant* (naive)."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def offsets(wall: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """
    The offsets under which *wall* may be read: equal, or before and after the change it lies in.

    The first is smaller in a gap and larger in a repeated stretch (PEP 495).
    """
    first = wall.replace(tzinfo=zone)
    second = first.replace(fold=1)
    return _offset(first), _offset(second)


def change_around(wall: datetime, zone: tzinfo) -> OffsetChange:
    """The change whose gap or repeated stretch holds *wall*; its two `offsets` must differ."""
    old, new = offsets(wall, zone)
    one, other = as_instant(wall, old), as_instant(wall, new)
    return _change_between(zone, min(one, other) - SECOND, max(one, other))


def as_instant(wall: datetime, offset: timedelta) -> datetime:
    """The instant at which a clock with *offset* shows *wall*."""
    return (wall - offset).replace(tzinfo=UTC)


def first_instant_showing(wall: datetime, zone: tzinfo) -> datetime:
    """
    The first instant at which the wall clock shows *wall* or later.

    That is the end of the gap for a time in a gap, and the first occurrence of a repeated one. It never
    decreases when *wall* grows, so ticks keep their order.
    """
    old, new = offsets(wall, zone)
    if old < new:
        return change_around(wall, zone).at
    return as_instant(wall, old)


def offset_changes(zone: tzinfo, start: datetime, end: datetime) -> Iterator[OffsetChange]:
    """Every change of the offset in (*start*, *end*], oldest first; two within a day may be taken for one."""
    low = start
    while low < end:
        high = min(low + _DAY, end)
        if _offset(low.astimezone(zone)) != _offset(high.astimezone(zone)):
            yield _change_between(zone, low, high)
        low = high


def _change_between(zone: tzinfo, low: datetime, high: datetime) -> OffsetChange:
    """The one change in (*low*, *high*], found by halving."""
    old = _offset(low.astimezone(zone))
    while high - low > SECOND:
        middle = low + timedelta(seconds=(high - low) // SECOND // 2)
        if _offset(middle.astimezone(zone)) == old:
            low = middle
        else:
            high = middle
    new = _offset(high.astimezone(zone))
    shown = high.replace(tzinfo=None)
    return OffsetChange(at=high, before=shown + old, after=shown + new)


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("the datetime has no time zone")
    return offset
