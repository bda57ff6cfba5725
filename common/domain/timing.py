"""Which ticks of a schedule belong to a job: its version, its pauses, its start and end, its jitter.

Pure. The worker that plans, the master that shows next ticks and the reconciler that looks for missed ones
must agree on this to the second, so it is written once. Instants are epoch seconds.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.domain.catchup import LIMIT, CatchUpPlan, missed_ticks
from common.domain.execution import Reason
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.job import JobSpec
from common.domain.policy import CatchUp
from common.domain.schedule import Schedule, jitter_offset_s, parse_schedule, typical_interval_s

#: Upper bound of the default catch-up window, in seconds.
_DEFAULT_WINDOW_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Timing:
    """
    When a job is due: its schedule, seen through its version and its time.

    Attributes:
        floor: Ticks at or before it do not belong to this version (changed_at, starts_at, a pause).
        ceiling: Ticks after it do not (ends_at).
        offset: Jitter: seconds added to each tick.
    """

    schedule: Schedule
    floor: int
    ceiling: int | None = None
    offset: int = 0

    @property
    def text(self) -> str:
        return self.schedule.text

    @property
    def least_interval_s(self) -> int:
        return self.schedule.least_interval_s

    def next_after(self, instant: datetime) -> datetime | None:
        """The first tick strictly later than *instant* that is not later than the ceiling."""
        following = self.schedule.next_after(instant)
        if following is None or (self.ceiling is not None and epoch_s(following) > self.ceiling):
            return None
        return following

    def is_moved_by_gap(self, tick: datetime) -> bool:
        return self.schedule.is_moved_by_gap(tick)

    def base(self, cursor: int) -> int:
        """The instant after which ticks count, with the cursor at *cursor* (situations 27 and 28)."""
        return max(cursor, self.floor)

    def next_tick(self, after: int) -> int | None:
        """The same in epoch seconds."""
        following = self.schedule.next_after(from_epoch_s(after))
        if following is None:
            return None
        tick = epoch_s(following)
        return None if self.ceiling is not None and tick > self.ceiling else tick


def timing_of(spec: JobSpec) -> Timing | None:
    """
    The timing of *spec*; None for a job that is disabled or has no schedule.

    Raises:
        InvalidSchedule, UnknownTimezone: What is stored cannot be read on this host.
    """
    if spec.schedule is None or not spec.enabled:
        return None
    schedule = parse_schedule(spec.schedule, spec.timezone, uid=spec.uid, anchor=spec.created_at)
    floor = epoch_s(spec.changed_at)
    for instant in (spec.starts_at, spec.paused_until):
        if instant is not None:
            floor = max(floor, epoch_s(instant) - 1)
    ceiling = epoch_s(spec.ends_at) if spec.ends_at is not None else None
    return Timing(schedule, floor, ceiling, jitter_offset_s(spec.uid, spec.jitter_s))


def window_s(spec: JobSpec, schedule: Schedule, now: datetime) -> int:
    """The catch-up window of a job, in seconds."""
    if spec.catch_up_window_s is not None:
        return spec.catch_up_window_s
    return min(typical_interval_s(schedule, now), _DEFAULT_WINDOW_S)


def undecided(
    spec: JobSpec, timing: Timing, cursor: int, now: datetime, *, reason: Reason, started: int = 0
) -> CatchUpPlan:
    """
    Sort the ticks nobody has decided yet into what may still start and what is missed.

    Args:
        started: Late ticks started in this recovery already; `all` starts 100 at most (situation 7).
    """
    exhausted = spec.catch_up is CatchUp.ALL and started >= LIMIT
    return missed_ticks(
        timing,
        cursor=from_epoch_s(timing.base(cursor)),
        now=from_epoch_s(epoch_s(now) - timing.offset),
        policy=CatchUp.NONE if exhausted else spec.catch_up,
        window_s=window_s(spec, timing.schedule, now),
        start_deadline_s=spec.start_deadline_s,
        reason=reason,
    )
