"""What the API answers for overview, timeline and histogram."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from common.domain.execution import LedgerKind, Reason, Status
from master.api.schemas import Schema, Total


class Attention(Schema):
    """Something to look at: of a job, with the newest instance of it."""

    kind: Literal["failed", "missed", "lost", "timed_out", "no_worker", "quarantined", "late"]
    namespace: str
    job: str
    count: Annotated[int, Field(description="Executions or ticks within 24 h; 1 for what is a state.")]
    at: datetime
    execution_id: str | None = None
    reason: str | None = None


class Tiles(Schema):
    """Figures of the first page. `failed_24h` counts failed, timed out and lost executions."""

    jobs: int
    enabled: int
    paused: int
    quarantined: int
    running: int
    failed_24h: int
    missed_24h: int
    succeeded_24h: int
    workers_online: int
    workers_draining: int
    workers_offline: int


class RunningNow(Schema):
    """One of the executions that run longest."""

    id: str
    namespace: str
    job: str
    worker: str
    started_at: datetime
    usual_ms: Annotated[int | None, Field(description="Median of its latest successes.")] = None


class ComingJob(Schema):
    """A job that comes due within the hour."""

    namespace: str
    job: str
    at: datetime
    count_within_hour: Annotated[int, Field(description="Above 120 estimated from the pace.")]
    timezone: str


class SuccessHour(Schema):
    """How the executions due in one hour stand, and how many ticks of it were missed."""

    at: datetime
    counts: dict[Status, int]
    missed: int


class HistoryBehind(Schema):
    """Records that wait in the workers' spools, as far as the workers could say so."""

    spooled: int
    oldest_at: datetime


class Overview(Schema):
    """The first page. Lists are bounded: 200 kinds of trouble, 50 running, 20 coming."""

    attention: list[Attention]
    tiles: Tiles
    running: list[RunningNow]
    next: list[ComingJob]
    success: Annotated[list[SuccessHour], Field(description="24 hours, oldest first.")]
    history_behind: Annotated[
        HistoryBehind | None, Field(description="Set while history is not up to date.")
    ] = None


class Bar(Schema):
    """One execution on the timeline."""

    id: str
    namespace: str
    job: str
    status: Status
    scheduled_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Unrun(Schema):
    """A tick, or a run of `count` ticks from it on, that did not start."""

    tick: int
    at: datetime
    kind: LedgerKind
    reason: Reason
    count: int


class TimelineRow(Schema):
    """One job, or one worker (which has no coming ticks)."""

    key: str
    namespace: str | None
    job: str | None
    worker: str | None
    past: list[Bar]
    unrun: list[Unrun]
    future: list[datetime]
    truncated: Annotated[bool, Field(description="There are more than are shown: the newest are.")]


class LoadMinute(Schema):
    """Executions and coming ticks of one minute, over all jobs one may see."""

    at: datetime
    past: int
    future: int


class Timeline(Schema):
    """One page of rows, and the load of the whole stretch."""

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[datetime, Field(alias="from")]
    until: Annotated[datetime, Field(alias="to")]
    rows: list[TimelineRow]
    next_page_token: str | None = None
    total: Total
    load: Annotated[list[LoadMinute], Field(description="Minutes that have any; the last and next 24 h.")]
    load_is_complete: Annotated[
        bool, Field(description="False while it is being counted, or too much for its budget.")
    ]


class HistogramBucket(Schema):
    at: datetime
    counts: dict[Status, int]


class Histogram(Schema):
    """Executions by the time they were due; buckets without any are left out."""

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[datetime, Field(alias="from")]
    until: Annotated[datetime, Field(alias="to")]
    bucket_s: int
    items: list[HistogramBucket]
    counted_from: Annotated[
        datetime | None, Field(description="Set when there were too many to count: older ones are left out.")
    ] = None
