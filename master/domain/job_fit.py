"""Which workers may run a job, in which order they try, and what keeps the others from it.

Pure. Says the same as the workers decide: both ask `common.domain.eligibility`.
"""

from collections.abc import Iterable, Sequence

from common.domain.codec import WorkerHealth
from common.domain.eligibility import reasons_against
from common.domain.job import JobSpec
from common.domain.preference import ranked
from common.domain.records import Document


def fit(spec: JobSpec, live: Sequence[WorkerHealth], remembered: Iterable[str]) -> list[Document]:
    """Every worker, those that may run the job first in the order in which they try (rank 0 first)."""
    reasons = {worker.worker: reasons_against(spec, worker) for worker in live}
    status: dict[str, str] = {worker.worker: worker.status for worker in live}
    for worker_id in remembered:
        if worker_id not in reasons:
            reasons[worker_id], status[worker_id] = ["is offline"], "offline"
    able = ranked(spec.uid, [worker_id for worker_id, against in reasons.items() if not against])
    ranks = {worker_id: rank for rank, worker_id in enumerate(able)}
    others = sorted(worker_id for worker_id, against in reasons.items() if against)
    return [
        {
            "worker": worker_id,
            "status": status[worker_id],
            "eligible": worker_id in ranks,
            "rank": ranks.get(worker_id),
            "reasons": reasons[worker_id],
        }
        for worker_id in (*able, *others)
    ]
