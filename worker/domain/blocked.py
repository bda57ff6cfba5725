"""What to do with a tick whose job is still running: the overlap rules (situations 1 to 4).

Pure. A tick is dropped for overlap only if the execution in its way was running when it came due: one that
was itself started late (after an outage) is waited for, or every recovery would skip what it just caught up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from common.domain.execution import Cause
from common.domain.policy import Overlap


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again at `until`, or as soon as the execution in the way ends."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """Move the cursor past the tick; the ledger names what was in the way."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Remember the tick as the one that starts next."""


@dataclass(frozen=True, slots=True)
class Replace:
    """Stop the execution in the way; try again at `until`, give up at `give_up`."""

    until: datetime
    give_up: datetime


BlockedDecision: TypeAlias = Wait | Skip | Queue | Replace

_RETRY: timedelta = timedelta(milliseconds=250)
_REPLACE_RETRY: timedelta = timedelta(milliseconds=100)


def decide_blocked(
    overlap: Overlap,
    *,
    tick: datetime,
    now: datetime,
    cause: Cause,
    start_deadline_s: int,
    kill_grace_s: int,
    blocker_claimed_at: datetime | None,
) -> BlockedDecision:
    """
    Decide about a tick whose lock is held.

    Args:
        tick: When the execution was to start (jitter included).
        blocker_claimed_at: When the execution in the way was taken, if this worker runs it.
    """
    if now < tick:
        # Claimed ahead of time: the execution in the way still has until the tick to end.
        return Wait(tick)
    deadline = tick + timedelta(seconds=start_deadline_s)
    if overlap is Overlap.REPLACE:
        give_up = deadline + timedelta(seconds=kill_grace_s)
        return Skip() if now >= give_up else Replace(now + _REPLACE_RETRY, give_up)
    if overlap is Overlap.QUEUE_ONE:
        return Queue()
    started_late = blocker_claimed_at is not None and blocker_claimed_at > tick
    if (cause is Cause.CATCH_UP or started_late) and (now < deadline or cause is Cause.CATCH_UP):
        return Wait(now + _RETRY)
    return Skip()
