"""What to repair: executions nobody runs any more, and ticks nobody will start.

Pure. Any master decides the same from the same view; every repair is a compare-and-set, so two of them cannot
both make it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from common.domain.catchup import MissedSpan
from common.domain.codec import MissedTicks, RunRecord, WorkerHealth
from common.domain.eligibility import why_not
from common.domain.execution import Reason
from common.domain.ids import epoch_s
from common.domain.job import JobSpec


def is_abandoned(record: RunRecord, workers: Callable[[str], WorkerHealth | None]) -> bool:
    """Whether the session that claimed an execution is over."""
    worker = workers(record.worker)
    return worker is None or worker.session != record.session


def has_session_ended(before: WorkerHealth | None, after: WorkerHealth | None) -> bool:
    """Whether a change of a health key is the end of the session that was there."""
    return before is not None and (after is None or after.session != before.session)


def final_misses(spans: Iterable[MissedSpan], first_due: datetime | None) -> MissedTicks | None:
    """The missed ticks that come before anything that may still start, as one row; None without any."""
    final = [span for span in spans if first_due is None or span.last < first_due]
    if not final:
        return None
    return MissedTicks(
        first=epoch_s(final[0].first),
        last=epoch_s(final[-1].last),
        count=sum(span.count for span in final),
        count_is_exact=all(span.count_is_exact for span in final),
        reason=final[0].reason,
    )


def why_nobody_started(
    spec: JobSpec, workers: Iterable[WorkerHealth], running_on: Callable[[str], int], *, was_cut_off: bool
) -> Reason:
    """
    The reason to record for a tick nobody claimed, from what is known of the workers now.

    Args:
        running_on: How many executions a worker runs.
        was_cut_off: This master could not reach etcd at some time since the tick: then nobody may have.
    """
    if was_cut_off:
        return Reason.COORDINATION
    candidates = [worker for worker in workers if why_not(spec, worker) is None]
    if not candidates:
        return Reason.NO_WORKER
    able = [worker for worker in candidates if worker.claims_paused is None]
    if not able:
        return Reason.CLOCK
    if all(running_on(worker.worker) >= worker.slots for worker in able):
        return Reason.NO_SLOT
    return Reason.DEADLINE
