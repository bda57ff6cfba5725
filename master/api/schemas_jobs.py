"""What the API answers about jobs beside the job itself: versions, batches, checks, where it may run."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from master.api.schemas import ErrorItem, Page, Schema


class VersionChange(Schema):
    """One field that differs from the version before; secret values are masked on both sides."""

    pointer: Annotated[str, Field(examples=["/schedule"])]
    before: Any
    after: Any


class JobVersion(Schema):
    """One saved version of a job."""

    generation: int
    changed_at: datetime
    changed_by: str
    definition: Annotated[dict[str, Any], Field(description="As it was saved, secret values masked.")]
    changes: Annotated[
        list[VersionChange],
        Field(description="Against the version before; empty when that one is not kept."),
    ]
    is_current: bool


class JobVersionPage(Page[JobVersion]):
    """One page of versions, newest first."""


class JobBatchItem(Schema):
    """What became of one job of a batch."""

    namespace: str
    name: str
    ok: bool
    code: Annotated[str | None, Field(description="As in a problem; null when it was done.")] = None
    detail: str | None = None
    execution_id: Annotated[str | None, Field(description="The execution that `run` asked for.")] = None


class JobBatchResult(Schema):
    """One result per job, in the order they were sent."""

    items: list[JobBatchItem]


class ExecutionBatchItem(Schema):
    """What became of one execution of a batch."""

    id: str
    ok: bool
    code: Annotated[str | None, Field(description="As in a problem; null when it was done.")] = None
    detail: str | None = None
    execution_id: Annotated[str | None, Field(description="The execution that `retry` asked for.")] = None


class ExecutionBatchResult(Schema):
    """One result per execution, in the order they were sent."""

    items: list[ExecutionBatchItem]


class JobWorker(Schema):
    """One worker, and whether it may run a job."""

    worker: str
    status: Literal["online", "draining", "offline"]
    eligible: bool
    rank: Annotated[int | None, Field(description="0 tries first; null for one that may not run it.")]
    reasons: Annotated[list[str], Field(description="What keeps it from running the job.")]


class JobWorkers(Schema):
    """All workers, those that may run the job first."""

    items: list[JobWorker]


class Caution(Schema):
    """Something that is allowed and often not meant."""

    code: Annotated[str, Field(examples=["no_eligible_worker"])]
    text: str


class JobCheck(Schema):
    """What saving a definition would lead to; pointers lead into the definition."""

    ok: bool
    problems: list[ErrorItem]
    eligible_workers: list[str]
    live_workers: int
    warnings: list[Caution]


class TestRunAccepted(Schema):
    """The one execution of a definition that is not saved, and the temporary job it belongs to."""

    execution_id: str
    namespace: str
    name: str
