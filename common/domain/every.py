"""`@every 90s`: a fixed interval in real time, counted from an anchor.

Pure. The anchor is the job's creation, so that a worker's restart or another worker does not move the ticks.
Time zones and DST do not matter here.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from common.domain.errors import InvalidSchedule

MAX_INTERVAL_S: Final = 366 * 86_400
_DURATION: Final = re.compile(r"(?:(\d{1,8})h)?(?:(\d{1,8})m)?(?:(\d{1,8})s)?")
_FORM: Final = "write hours, minutes and seconds such as 90s, 5m or 1h30m"


def read_interval(text: str) -> timedelta:
    """
    The interval of `@every 1h30m` (in lower case).

    Raises:
        InvalidSchedule: Not a duration in whole seconds between one second and 366 days.
    """
    duration = "".join(text.removeprefix("@every").split())
    if re.search(r"\d(?:ms|us|ns)|\.\d", duration):
        raise _refusal(f"{duration!r} is not in whole seconds; {_FORM}")
    match = _DURATION.fullmatch(duration)
    if not duration or match is None:
        raise _refusal(f"{duration!r} is not a duration; {_FORM}")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    interval_s = hours * 3_600 + minutes * 60 + seconds
    if not 1 <= interval_s <= MAX_INTERVAL_S:
        raise _refusal(f"{duration!r} is not between 1s and 8784h (366 days)")
    return timedelta(seconds=interval_s)


@dataclass(frozen=True, slots=True)
class EverySchedule:
    """
    A tick at *anchor* + 1, 2, 3, ... times *interval*.

    Attributes:
        text: As it is stored and shown.
        interval: Whole seconds.
        anchor: Aware UTC, whole seconds; itself no tick.
    """

    text: str
    interval: timedelta
    anchor: datetime

    @property
    def least_interval_s(self) -> int:
        return int(self.interval.total_seconds())

    def next_after(self, instant: datetime) -> datetime | None:
        """The first tick strictly later than *instant*; None past the calendar's end."""
        count = max((instant - self.anchor) // self.interval + 1, 1)
        try:
            return self.anchor + count * self.interval
        except OverflowError:
            return None

    def is_moved_by_gap(self, tick: datetime) -> bool:  # noqa: ARG002 - every schedule answers this
        """False: an interval knows no wall clock."""
        return False


def _refusal(reason: str) -> InvalidSchedule:
    return InvalidSchedule(f"@every: {reason}", field="schedule", part="@every")
