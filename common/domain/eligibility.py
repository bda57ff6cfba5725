"""Which workers may run a job, and why the others may not.

Pure. The worker asks before it plans a job, the master when it explains where a job will run.
"""

from collections.abc import Iterable, Mapping

from common.domain.codec import WorkerHealth
from common.domain.job import JobDefinition, JobTarget


def why_not(job: JobDefinition, worker: WorkerHealth) -> str | None:
    """Why *worker* may not run *job*, in words for a person; None when it may."""
    if worker.status != "online":
        return f"is {worker.status}"
    if job.executor not in worker.executors:
        return f"does not offer executor {job.executor!r}"
    return why_target_excludes(job.target, worker.worker, worker.labels)


def reasons_against(job: JobDefinition, worker: WorkerHealth) -> list[str]:
    """Everything that keeps *worker* from running *job*; empty when it may, and is not paused."""
    reasons = [f"is {worker.status}"] if worker.status != "online" else []
    if worker.claims_paused is not None:
        reasons.append(worker.claims_paused)
    if job.executor not in worker.executors:
        reasons.append(f"does not offer executor {job.executor!r}")
    excluded = why_target_excludes(job.target, worker.worker, worker.labels)
    return [*reasons, excluded] if excluded is not None else reasons


def why_target_excludes(target: JobTarget, worker_id: str, labels: Mapping[str, str]) -> str | None:
    """Why *target* leaves this worker out; None when it does not."""
    if target.workers and worker_id not in target.workers:
        return "is not among the workers the job names"
    for key, value in target.labels.items():
        if key not in labels:
            return f"has no label {key!r}"
        if labels[key] != value:
            return f"has label {key}={labels[key]}, the job wants {value}"
    return None


def eligible(job: JobDefinition, workers: Iterable[WorkerHealth]) -> list[str]:
    """Ids of the workers that may run *job*."""
    return [worker.worker for worker in workers if why_not(job, worker) is None]
