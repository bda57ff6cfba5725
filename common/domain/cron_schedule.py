"""A cron text in a time zone: which instant comes next, and what DST does to it.

Pure. Two kinds, told apart as Debian cron does, by the first character of the minute and hour fields:

- *fixed time* (neither begins with `*`; `30 2 * * *`, `0 9-17 * * *`): a time of day that people rely on.
  In a gap it comes due at the first instant after the gap, and everything in the gap becomes that one tick
  (situation 9). Of a repeated stretch only the first occurrence counts (situation 10).
- *real time* (`*/15 * * * *`, `0 * * * *`, `H/5 2 * * *`): an interval. It matches what the clock on the wall
  shows at each instant: nothing in a gap, and both occurrences of a repeated stretch (situation 11).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from common.domain.cron_fields import LAST_YEAR, CronFields
from common.domain.dst import (
    SECOND,
    as_instant,
    change_around,
    first_instant_showing,
    offsets,
    wall_clock,
)

#: No tick is older: cursors and ids count seconds since then.
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """
    A schedule that follows the clock on the wall of *zone*.

    Attributes:
        text: As it is stored and shown.
        zone: Whose wall clock counts.
        is_fixed_time: It means times of day, not an interval.
        fields: Its sets of values.
    """

    text: str
    zone: tzinfo
    is_fixed_time: bool
    fields: CronFields

    def next_after(self, instant: datetime) -> datetime | None:
        """
        The first tick strictly later than *instant*.

        Args:
            instant: Aware, in any zone.

        Returns:
            Aware UTC, whole seconds. None if there is none before the year `LAST_YEAR`; no schedule waits
            longer than `SEARCH_YEARS` for a date, as impossible ones are refused when they are read.
        """
        instant = instant.astimezone(UTC)
        if instant.year >= LAST_YEAR:
            return None
        if instant < EPOCH:
            instant = EPOCH - SECOND
        elif instant.microsecond:
            instant = instant.replace(microsecond=0)
        if self.zone is UTC:
            return self.fields.first_from(instant + SECOND)
        if self.is_fixed_time:
            return self._next_fixed_time(instant)
        return self._next_real_time(instant)

    @property
    def least_interval_s(self) -> int:
        return 60 if self.fields.has_one_second else 1

    def is_moved_by_gap(self, tick: datetime) -> bool:
        """Whether *tick* stands for times the wall clock has skipped (recorded as `dst: gap`)."""
        if self.zone is UTC or not self.is_fixed_time:
            return False
        after, before = wall_clock(tick, self.zone), wall_clock(tick - SECOND, self.zone) + SECOND
        if before >= after:
            return False
        match = self.fields.first_from(before)
        return match is not None and match < after

    def _next_fixed_time(self, instant: datetime) -> datetime | None:
        local = instant.astimezone(self.zone)
        shown = local.replace(tzinfo=None, fold=0)
        if local.fold:
            # The wall clock has shown the whole repeated stretch once already.
            shown = change_around(shown, self.zone).before - SECOND
        wall = self.fields.first_from(shown + SECOND)
        return first_instant_showing(wall, self.zone) if wall else None

    def _next_real_time(self, instant: datetime) -> datetime | None:
        local = instant.astimezone(self.zone)
        shown = local.replace(tzinfo=None, fold=0)
        wall = self.fields.first_from(shown + SECOND)
        if not local.fold:
            old, new = offsets(shown, self.zone)
            if old > new:
                # First showing of a repeated stretch: after its end the clock goes back to its beginning.
                change = change_around(shown, self.zone)
                if wall is None or wall >= change.before:
                    wall = self.fields.first_from(change.after)
        while wall is not None:
            old, new = offsets(wall, self.zone)
            if old >= new:
                first = as_instant(wall, old)
                return first if first > instant else as_instant(wall, new)
            wall = self.fields.first_from(change_around(wall, self.zone).after)
        return None
