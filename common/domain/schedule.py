"""Schedules: text in, ticks out.

Pure. All instants are aware UTC datetimes in whole seconds. Reading a text is cached, and the compiled fields
are shared by everything that means the same, so that 100,000 jobs with few distinct texts load in seconds.
Nothing that is shared moves: a schedule is asked "what comes after this instant?" and remembers nothing.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from statistics import median_high
from typing import Final, Protocol

from common.domain.cron_fields import compile_fields
from common.domain.cron_schedule import EPOCH, CronSchedule
from common.domain.cron_text import normalise, read_cron_text
from common.domain.errors import InvalidSchedule
from common.domain.every import EverySchedule, read_interval
from common.domain.spread import spread_value
from common.domain.zones import forget_zones, load_zone

#: An `H` that is no part of a name such as `thu`.
_MAYBE_HASH: Final = re.compile(r"(?<![a-z@])h(?![a-z])", re.IGNORECASE)
_SAMPLE: Final = 8
_YEAR_S: Final = 366 * 86_400


class Schedule(Protocol):
    """Answers "next instant after t"."""

    @property
    def text(self) -> str:
        """The schedule in its one spelling: single spaces, names in lower case."""
        ...

    @property
    def least_interval_s(self) -> int:
        """No two ticks are closer than this, in seconds: told without computing any."""
        ...

    def next_after(self, instant: datetime) -> datetime | None:
        """The first tick strictly later than *instant* (aware, any zone); None if there is no further one."""
        ...

    def is_moved_by_gap(self, tick: datetime) -> bool:
        """Whether *tick* stands for wall clock times that a DST gap has skipped (situation 9)."""
        ...


def parse_schedule(
    text: str, timezone: str = "UTC", *, uid: str = "", anchor: datetime | None = None
) -> Schedule:
    """
    Understand a schedule.

    Args:
        text: Five cron fields, six with seconds first, a word such as `@daily`, or `@every 1h30m`.
        timezone: IANA name.
        uid: The job's uid; `H` is chosen by it, nothing else depends on it.
        anchor: The job's `created_at`, from which `@every` counts; the epoch if not given.

    Raises:
        InvalidSchedule: The text has no meaning or never comes due; the message names the field of it.
        UnknownTimezone: The zone is not known on this host.
    """
    # What does not matter to the result is kept out of the cache's key.
    seed = uid if _MAYBE_HASH.search(text) else ""
    counted_from = anchor if "@" in text else None
    return _parse(text, timezone, seed, counted_from)


def next_ticks(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The next *count* ticks strictly later than *after*, or as many as there are."""
    ticks: list[datetime] = []
    while len(ticks) < count:
        tick = schedule.next_after(ticks[-1] if ticks else after)
        if tick is None:
            break
        ticks.append(tick)
    return ticks


def typical_interval_s(schedule: Schedule, around: datetime) -> int:
    """
    Seconds from one tick to the next, as a rule: the median over the next few ticks after *around*.

    Of two equally frequent distances the longer one counts. A year if there are no two ticks ahead.
    """
    if isinstance(schedule, EverySchedule):
        return int(schedule.interval.total_seconds())
    ticks = next_ticks(schedule, around, _SAMPLE + 1)
    distances = [int((later - earlier).total_seconds()) for earlier, later in pairwise(ticks)]
    return median_high(distances) if distances else _YEAR_S


def jitter_offset_s(uid: str, jitter_s: int) -> int:
    """Seconds by which every start of job *uid* is put off: 0 ... *jitter_s*, the same for ever."""
    return spread_value(uid, "jitter", jitter_s + 1) if jitter_s > 0 else 0


def forget_schedules() -> None:
    """Drop cached schedules and zones, so that an updated time zone database takes effect (situation 12)."""
    _parse.cache_clear()
    forget_zones()


@lru_cache(maxsize=8192)
def _parse(text: str, timezone: str, seed: str, anchor: datetime | None) -> Schedule:
    zone = load_zone(timezone)
    normal = normalise(text)
    if normal.split()[0] == "@every":
        counted_from = (anchor or EPOCH).astimezone(UTC).replace(microsecond=0)
        return EverySchedule(text=normal, interval=read_interval(normal), anchor=counted_from)
    cron = read_cron_text(normal, seed)
    fields = compile_fields(cron.fields, cron.needs_both_days)
    if not fields.is_possible:
        raise InvalidSchedule(
            f"schedule: {cron.text!r} never comes due: no year has such a date", field="schedule", part=None
        )
    return CronSchedule(text=cron.text, zone=zone, is_fixed_time=cron.is_fixed_time, fields=fields)
