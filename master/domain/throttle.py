"""How often somebody may try to sign in: five times a minute, then with growing pauses.

Pure: the time comes in. The same rule counts for an account and for an address; whoever stores the state
makes sure that two tries at once are two tries.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FREE_TRIES: Final = 5
WINDOW: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(minutes=15)
#: Without a try for so long, everything is forgotten; longer than any pause.
FORGET_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tries:
    """
    Tries that have not succeeded.

    Attributes:
        since: When the first of them was.
        last: When the latest that was let through was.
        closed_until: No further try before this instant; None while some are free.
    """

    count: int
    since: datetime
    last: datetime
    closed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LetThrough:
    """The try may go on; *tries* is what must be stored before it does."""

    tries: Tries


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is stored: knocking at a closed door does not keep it closed."""

    wait: timedelta


def admit(tries: Tries | None, now: datetime) -> LetThrough | Refused:
    """Decide about one more try at *now*."""
    if tries is None or now - tries.last >= FORGET_AFTER:
        return LetThrough(Tries(1, now, now))
    if tries.closed_until is not None and now < tries.closed_until:
        return Refused(tries.closed_until - now)
    if tries.closed_until is None and now - tries.since >= WINDOW:
        return LetThrough(Tries(1, now, now))
    count = tries.count + 1
    closed_until = now + _pause(count) if count >= FREE_TRIES else None
    return LetThrough(Tries(count, tries.since, now, closed_until))


def _pause(count: int) -> timedelta:
    """One minute behind the fifth try, doubled behind each further one."""
    doublings = min(count - FREE_TRIES, 10)
    return min(timedelta(seconds=WINDOW.total_seconds() * 2.0**doublings), LONGEST_PAUSE)
