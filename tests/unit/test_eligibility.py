"""Which workers may run a job."""

from datetime import UTC, datetime

import pytest

from common.domain.codec import WorkerHealth
from common.domain.eligibility import why_not
from common.domain.job import JobDefinition, JobTarget

WORKER = WorkerHealth(
    worker="worker-1",
    session="1",
    labels={"zone": "a", "disk": "ssd"},
    executors=("shell",),
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("target", "executor", "expected"),
    [
        pytest.param(JobTarget(), "shell", None, id="any worker"),
        pytest.param(JobTarget(workers=("worker-1",)), "shell", None, id="named"),
        pytest.param(
            JobTarget(workers=("worker-2",)),
            "shell",
            "is not among the workers the job names",
            id="another named",
        ),
        pytest.param(JobTarget(labels={"zone": "a"}), "shell", None, id="label fits"),
        pytest.param(
            JobTarget(labels={"zone": "b"}), "shell", "has label zone=a, the job wants b", id="other value"
        ),
        pytest.param(JobTarget(labels={"gpu": "yes"}), "shell", "has no label 'gpu'", id="label missing"),
        pytest.param(JobTarget(), "http", "does not offer executor 'http'", id="executor missing"),
    ],
)
def test_why_not(target, executor, expected):
    """Target and executor decide, and the reason is in words."""
    what = {"command": "true"} if executor == "shell" else {"request": {"url": "http://a.example/"}}
    job = JobDefinition(name="job", executor=executor, target=target, **what)

    assert expected == why_not(job, WORKER)


def test_a_draining_worker_takes_nothing():
    """Draining is announced in the health key."""
    job = JobDefinition(name="job", command="true")

    assert "is draining" == why_not(job, WORKER.model_copy(update={"status": "draining"}))
