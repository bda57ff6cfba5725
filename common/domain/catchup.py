"""Which ticks start after nobody could run them for a while, and which are missed.

Pure. A tick is on time until its start deadline has passed; what is older is *late* and falls under the job's
catch-up policy (situations 5 to 8). Work is bounded however long the outage was: at most a few times `limit`
steps, then straight to the newest tick.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from common.domain.execution import Reason
from common.domain.policy import CatchUp
from common.domain.schedule import Schedule

#: Ticks that are looked at one by one, and that policy `all` starts, per recovery.
LIMIT: Final = 100
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class MissedSpan:
    """
    Neighbouring ticks that will not run: one row of the ledger.

    Attributes:
        first: The oldest of them.
        last: The newest of them.
        count: How many; at least that many when `count_is_exact` is False.
        reason: Why they did not run.
        count_is_exact: False when there were too many to count (situation 8).
    """

    first: datetime
    last: datetime
    count: int
    reason: Reason
    count_is_exact: bool = True


@dataclass(frozen=True, slots=True)
class CatchUpPlan:
    """
    What to do with the ticks of a job that came due and are not decided.

    Every tick after the cursor is in exactly one part, except those still due when `has_more`.

    Attributes:
        caught_up: Late ticks to be started nevertheless, oldest first; all older than `on_time`.
        on_time: Ticks within their start deadline, oldest first.
        missed: Late ticks that do not start, oldest first.
        has_more: More than `limit` ticks are on time: ask again once these are decided.
    """

    caught_up: tuple[datetime, ...] = ()
    on_time: tuple[datetime, ...] = ()
    missed: tuple[MissedSpan, ...] = ()
    has_more: bool = False

    @property
    def due(self) -> tuple[datetime, ...]:
        """All ticks to be started, in the order in which the cursor must pass them."""
        return self.caught_up + self.on_time

    @property
    def is_truncated(self) -> bool:
        """Some missed ticks were not counted one by one; worth a warning (situation 8)."""
        return any(not span.count_is_exact for span in self.missed)


def missed_ticks(
    schedule: Schedule,
    *,
    cursor: datetime,
    now: datetime,
    policy: CatchUp,
    window_s: int,
    start_deadline_s: int,
    limit: int = LIMIT,
    reason: Reason = Reason.DOWNTIME,
) -> CatchUpPlan:
    """
    Sort the ticks in (*cursor*, *now*] into caught up, on time and missed.

    Args:
        cursor: The last decided tick, or the last change of the job if that is later (situations 27, 28).
        window_s: Late ticks older than this never start.
        start_deadline_s: Ticks at most this old are on time, whatever the policy.
        limit: How many ticks are enumerated, and started late, at most.
        reason: What the missed ones are recorded with.
    """
    on_time_from = now - timedelta(seconds=start_deadline_s)
    on_time = _ticks(schedule, max(cursor, _before(on_time_from)), now, limit + 1)
    late = _Stretch(schedule, cursor, min(_before(on_time_from), now), limit, reason)
    window_from = max(cursor, _before(now - timedelta(seconds=window_s)))
    caught_up: tuple[datetime, ...] = ()
    match policy:
        case CatchUp.NONE:
            missed = late.missed()
        case CatchUp.LAST:
            newest = None if on_time else late.newest()
            if newest is None or newest <= window_from:
                missed = late.missed()
            else:
                caught_up = (newest,)
                missed = late.until(newest - _SECOND).missed()
        case CatchUp.ALL:
            caught_up = _ticks(schedule, window_from, late.end, limit)
            missed = late.until(window_from).missed()
            if caught_up:
                missed += late.since(caught_up[-1]).missed()
    return CatchUpPlan(
        caught_up=caught_up,
        on_time=on_time[:limit],
        missed=missed,
        has_more=len(on_time) > limit,
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The ticks of *schedule* in (*start*, *end*]."""

    schedule: Schedule
    start: datetime
    end: datetime
    limit: int
    reason: Reason

    def until(self, end: datetime) -> "_Stretch":
        return _Stretch(self.schedule, self.start, min(self.end, end), self.limit, self.reason)

    def since(self, start: datetime) -> "_Stretch":
        return _Stretch(self.schedule, max(self.start, start), self.end, self.limit, self.reason)

    def newest(self) -> datetime | None:
        """
        The newest tick, found by halving: where nothing follows any more, it lies before.

        32 steps reach over a century of seconds; walking there from an old cursor would take minutes.
        """
        newest = _first(self.schedule, self.start, self.end)
        nothing_after = self.end
        while newest is not None and nothing_after - newest >= _SECOND:
            middle = newest + timedelta(seconds=(nothing_after - newest) // _SECOND // 2)
            following = _first(self.schedule, middle, self.end)
            if following is None:
                nothing_after = middle
            else:
                newest = following
        return newest

    def missed(self) -> tuple[MissedSpan, ...]:
        ticks = _ticks(self.schedule, self.start, self.end, self.limit + 1)
        if not ticks:
            return ()
        if len(ticks) <= self.limit:
            return (MissedSpan(ticks[0], ticks[-1], len(ticks), self.reason),)
        newest = self.since(ticks[-1]).newest() or ticks[-1]
        is_exact = newest == ticks[-1]
        return (MissedSpan(ticks[0], newest, len(ticks), self.reason, count_is_exact=is_exact),)


def _ticks(schedule: Schedule, after: datetime, until: datetime, count: int) -> tuple[datetime, ...]:
    """At most *count* ticks in (*after*, *until*], oldest first."""
    ticks: list[datetime] = []
    while len(ticks) < count:
        tick = _first(schedule, ticks[-1] if ticks else after, until)
        if tick is None:
            break
        ticks.append(tick)
    return tuple(ticks)


def _first(schedule: Schedule, after: datetime, until: datetime) -> datetime | None:
    tick = schedule.next_after(after) if after < until else None
    return tick if tick is not None and tick <= until else None


def _before(instant: datetime) -> datetime:
    """An instant that lies before *instant* and after every whole second before it."""
    return instant - timedelta(microseconds=1)
