"""What to do with a job that has come due: which tick to claim, and which ones nobody may start any more.

Pure. The usual case, one tick in its second, is answered without looking further; everything else is the
catch-up rule of `common.domain.catchup` (situations 5 to 8).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.domain.catchup import LIMIT, CatchUpPlan, missed_ticks
from common.domain.codec import MissedTicks
from common.domain.execution import Cause, Reason
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.job import JobSpec
from common.domain.policy import CatchUp
from common.domain.schedule import Schedule, typical_interval_s
from worker.domain.plan import PlannedJob

#: Upper bound of the default catch-up window, in seconds.
_DEFAULT_WINDOW_S: Final = 3600
#: Ticks of policy `all` start at most this often.
CATCH_UP_PACE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Due:
    """
    What a look at one job found.

    Attributes:
        tick: Epoch seconds of the tick to claim; None when there is none to start.
        missed: Ticks before it that will never start. Without a tick the cursor moves past them alone.
        following: The tick after `tick` (or after the missed ones).
    """

    tick: int | None
    following: int | None
    cause: Cause = Cause.SCHEDULE
    missed: MissedTicks | None = None


def base_of(job: PlannedJob) -> int:
    """The instant after which ticks of this version of the job count (situations 27 and 28)."""
    return max(job.cursor, job.floor)


def next_tick(job: PlannedJob, after: int) -> int | None:
    """The tick after *after* (epoch seconds), within the job's time."""
    following = job.schedule.next_after(from_epoch_s(after))
    if following is None:
        return None
    tick = epoch_s(following)
    return tick if job.ceiling is None or tick <= job.ceiling else None


def decide_due(
    job: PlannedJob, spec: JobSpec, now: datetime, *, hindrance: Reason | None, started: int
) -> Due:
    """
    Decide what to claim.

    Args:
        hindrance: Why this worker did not claim earlier, if it knows; the reason of missed ticks.
        started: Late ticks of this job started in this recovery (policy `all` starts 100 at most).
    """
    base = base_of(job)
    tick = next_tick(job, base)
    if tick is None:
        return Due(None, None)
    following = next_tick(job, tick)
    now_s = now.timestamp() - job.offset
    if now_s - tick <= spec.start_deadline_s and (following is None or following > now_s):
        return Due(tick, following)
    return _decide_backlog(job, spec, now, hindrance or Reason.DOWNTIME, started)


def _decide_backlog(job: PlannedJob, spec: JobSpec, now: datetime, reason: Reason, started: int) -> Due:
    base = base_of(job)
    end = from_epoch_s(
        min(epoch_s(now) - job.offset, job.ceiling if job.ceiling is not None else epoch_s(now))
    )
    exhausted = spec.catch_up is CatchUp.ALL and started >= LIMIT
    plan = missed_ticks(
        job.schedule,
        cursor=from_epoch_s(base),
        now=end,
        policy=CatchUp.NONE if exhausted else spec.catch_up,
        window_s=window_s(spec, job.schedule, now),
        start_deadline_s=spec.start_deadline_s,
        reason=reason,
    )
    tick = epoch_s(plan.due[0]) if plan.due else None
    missed = _missed_before(plan, tick)
    if tick is None and missed is None:
        upcoming = next_tick(job, base)
        return Due(upcoming, next_tick(job, upcoming) if upcoming is not None else None)
    after = tick if tick is not None else (missed.last if missed else base)
    return Due(
        tick,
        next_tick(job, after),
        Cause.CATCH_UP if plan.caught_up else Cause.SCHEDULE,
        missed,
    )


def window_s(spec: JobSpec, schedule: Schedule, now: datetime) -> int:
    """The catch-up window of a job, in seconds."""
    if spec.catch_up_window_s is not None:
        return spec.catch_up_window_s
    return min(typical_interval_s(schedule, now), _DEFAULT_WINDOW_S)


def _missed_before(plan: CatchUpPlan, tick: int | None) -> MissedTicks | None:
    """The missed ticks the next move of the cursor passes, as one row."""
    spans = [span for span in plan.missed if tick is None or epoch_s(span.last) < tick]
    if not spans:
        return None
    return MissedTicks(
        first=epoch_s(spans[0].first),
        last=epoch_s(spans[-1].last),
        count=sum(span.count for span in spans),
        count_is_exact=all(span.count_is_exact for span in spans),
        reason=spans[0].reason,
    )
