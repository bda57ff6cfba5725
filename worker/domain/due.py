"""What to do with a job that has come due: which tick to claim, and which ones nobody may start any more.

Pure. The usual case, one tick in its second, is answered without looking further; everything else is the
catch-up rule of `common.domain.catchup` (situations 5 to 8).
"""

from datetime import datetime
from typing import Final, NamedTuple

from common.domain.catchup import LIMIT, CatchUpPlan
from common.domain.codec import MissedTicks
from common.domain.execution import Cause, Reason
from common.domain.ids import epoch_s
from common.domain.job import JobSpec
from common.domain.policy import Overlap
from common.domain.timing import Timing, undecided
from worker.domain.plan import PlannedJob

#: Ticks of policy `all` start at most this often.
CATCH_UP_PACE_S: Final = 1.0


class Due(NamedTuple):
    """
    What a look at one job found.

    Attributes:
        tick: Epoch seconds of the tick to claim; None when there is none to start.
        missed: Ticks before it that will never start. Without a tick the cursor moves past them alone.
    """

    tick: int | None
    cause: Cause = Cause.SCHEDULE
    missed: MissedTicks | None = None


def decide_due(
    job: PlannedJob, spec: JobSpec, now: datetime, *, hindrance: Reason | None, started: int
) -> Due:
    """
    Decide what to claim.

    Args:
        hindrance: Why this worker did not claim earlier, if it knows; the reason of missed ticks.
        started: Late ticks of this job started in this recovery (policy `all` starts 100 at most).
    """
    timing, tick = job.timing, job.tick
    if tick is None:
        return Due(None)
    now_s = now.timestamp() - timing.offset
    if now_s - tick <= spec.start_deadline_s:
        # The oldest undecided tick is on time, so nothing before it is missed.
        return _newest_of_several(spec, timing, tick, now_s) or Due(tick)
    plan = undecided(spec, timing, job.cursor, now, reason=hindrance or Reason.DOWNTIME, started=started)
    start = epoch_s(plan.due[0]) if plan.due else None
    missed = _missed_before(plan, start)
    if start is None and missed is None:
        return Due(None)
    return Due(start, Cause.CATCH_UP if plan.caught_up else Cause.SCHEDULE, missed)


def _newest_of_several(spec: JobSpec, timing: Timing, oldest: int, now_s: float) -> Due | None:
    """
    For policy `replace` after a stall: the newest of the ticks that are on time, the others are missed.

    Started one after the other, each would be stopped by the next within milliseconds (situation 4).
    """
    if spec.overlap is not Overlap.REPLACE:
        return None
    ticks = [oldest]
    # At most one a second within a start deadline that may be a day: bounded like all enumerations.
    while len(ticks) <= LIMIT and (following := timing.next_tick(ticks[-1])) is not None:
        if following > now_s:
            break
        ticks.append(following)
    if len(ticks) == 1:
        return None
    *older, newest = ticks
    missed = MissedTicks(first=older[0], last=older[-1], count=len(older), reason=Reason.REPLACED)
    return Due(newest, missed=missed)


def is_far_ahead(timing: Timing, cursor: int, now: datetime) -> bool:
    """Whether the cursor is more than two ticks ahead: somebody's clock was (situation 15)."""
    first = timing.next_tick(epoch_s(now))
    second = timing.next_tick(first) if first is not None else None
    return second is not None and cursor > second


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
