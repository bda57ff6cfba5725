"""What the API answers about workers beside their state, and about the installation."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from master.api.schemas import Page, Schema


class WorkerPoint(Schema):
    """Means over one stretch of time."""

    at: Annotated[datetime, Field(description="Its begin.")]
    cpu_percent: float | None = None
    memory_percent: float | None = None
    disk_percent: float | None = None
    load_1m: float | None = None
    running: float | None = None


class WorkerCurve(Schema):
    """A worker's metrics over time; stretches without a report are left out."""

    items: list[WorkerPoint]


class QualifiedJob(Schema):
    namespace: str
    name: str


class WorkerJobs(Schema):
    """Jobs that depend on one worker, at most 1,000 of each kind."""

    only_here: Annotated[list[QualifiedJob], Field(description="No other live worker may run them.")]
    pinned: Annotated[list[QualifiedJob], Field(description="They name this worker.")]


class WorkerEvent(Schema):
    """One line of a worker's log."""

    at: datetime
    event: Literal["online", "offline", "draining", "resumed", "alarm", "alarm_over"]
    detail: str | None = None


class WorkerEventPage(Page[WorkerEvent]):
    """One page of a worker's log, newest first; kept for 30 days."""


class SetupFile(Schema):
    name: str
    text: str


class SetupCommand(Schema):
    title: str
    text: str


class WorkerSetup(Schema):
    """How to add a worker to this installation; passwords are left out."""

    config: Annotated[dict[str, Any], Field(description="`worker.json`.")]
    files: list[SetupFile]
    commands: list[SetupCommand]
    notes: list[str]


class ClusterMaster(Schema):
    """A live master; `self` is the one that answered."""

    id: str
    address: str
    version: str
    started_at: datetime
    self: bool


class ClusterEtcd(Schema):
    version: str | None
    endpoints: list[str]
    db_size_bytes: int | None
    quota_bytes: Annotated[int, Field(description="etcd's default: its own cannot be asked for.")]
    revision: int | None
    ok: bool
    detail: str | None


class ClusterMongo(Schema):
    version: str | None
    ok: bool
    detail: str | None
    database: str


class ClusterClock(Schema):
    offset_ms: Annotated[int | None, Field(description="This master's clock against MongoDB's.")]


class ClusterRetention(Schema):
    history_days: int
    audit_days: int


class ClusterSetting(Schema):
    key: str
    value: Annotated[str, Field(description="As JSON, secrets masked.")]
    origin: str


class Cluster(Schema):
    """The installation at this moment."""

    masters: list[ClusterMaster]
    etcd: ClusterEtcd
    mongodb: ClusterMongo
    clock: ClusterClock
    retention: ClusterRetention
    config: list[ClusterSetting]
