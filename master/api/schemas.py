"""What the API answers, as pydantic models: the source of the OpenAPI document.

Times are RFC 3339 in UTC with `Z`; numbers carry their unit in the name; words are lower_snake.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from common.domain.execution import Cause, EntryKind, Reason, Status
from common.domain.job import JobDefinition
from common.domain.records import Stream
from master.domain.explain import Verdict

ItemT = TypeVar("ItemT")


class Schema(BaseModel):
    """Base of all answers: frozen, and nothing that is not written here."""

    # What is always sent is `required` in the description, so that generated clients need not ask.
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class ErrorItem(Schema):
    """One thing that is wrong with the request."""

    pointer: Annotated[
        str,
        Field(
            description="JSON pointer into the body; or `/query/...`, `/path/...`, `/header/...`.",
            examples=["/schedule"],
        ),
    ]
    detail: str


class Total(Schema):
    """How many there are; counting stops at 10,000 for executions."""

    count: int
    is_exact: bool


class Page(Schema, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    next_page_token: Annotated[
        str | None, Field(description="Send it as `page_token` with the same filters; null on the last page.")
    ] = None
    total: Total


class Tick(Schema):
    """One scheduled instant."""

    at: Annotated[datetime, Field(description="In UTC.", examples=["2026-03-29T01:00:00Z"])]
    local: Annotated[
        str, Field(description="In the zone of the schedule.", examples=["2026-03-29T03:00:00+02:00"])
    ]
    flag: Annotated[
        Literal["gap"] | None,
        Field(description="`gap`: moved to the first instant after a daylight saving gap."),
    ] = None


class StripEntry(Schema):
    """One of the latest executions of a job, as its strip shows it."""

    id: str
    status: Status
    started_at: datetime | None
    duration_ms: int | None


class ExecutionSummary(Schema):
    """One execution, without its job and output."""

    id: Annotated[str, Field(examples=["kq3x5h2m9w1abc.1774746000.1"])]
    status: Status
    reason: Reason | None = None
    cause: Cause
    tick: Annotated[int | None, Field(description="Epoch seconds; null when somebody asked for it.")] = None
    scheduled_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: int | None = None
    lateness_ms: Annotated[int | None, Field(description="From its tick to its start.")] = None
    exit_code: int | None = None
    worker: str | None = None
    attempt: int


class ListedExecution(ExecutionSummary):
    """One execution in a list over many jobs."""

    namespace: str
    job: str
    uid: str
    generation: int | None = None
    requested_by: str | None = None
    error: str | None = None
    live: Annotated[bool, Field(description="It still holds its run record: it runs, or is being closed.")]


class OutputSummary(Schema):
    """Counters of an execution's output, with its beginning and end."""

    bytes: int = 0
    lines: int = 0
    dropped: int = 0
    chunks: int = 0
    head: str = ""
    tail: str = ""


class HistoryEntry(Schema):
    """One state the execution was recorded in."""

    status: Status
    at: datetime
    seq: int
    reason: Reason | None = None


class Execution(ExecutionSummary):
    """Everything that is recorded of one execution."""

    namespace: str
    job: str
    uid: str
    session: str | None = None
    fence: int | None = None
    generation: int | None = None
    claimed_at: datetime | None = None
    expires_at: datetime | None = None
    error: str | None = None
    requested_by: str | None = None
    parameters: dict[str, str] = {}
    queued_ms: int | None = None
    signal: int | None = None
    cpu_ms: int | None = None
    max_rss_kb: int | None = None
    out: OutputSummary | None = None
    truncated: bool = False
    kill_requested: str | None = None
    kill_incomplete: list[str] = []
    flags: list[str] = []
    history: list[HistoryEntry] = []
    live: bool


class OutputLine(Schema):
    """One line: `ms` since the start, `n` its number where it is known."""

    seq: int
    n: int | None = None
    ms: int
    stream: Stream
    text: str


class Output(Schema):
    """A part of what a command wrote."""

    execution_id: str
    chunks: Annotated[int, Field(description="Stored chunks in all.")]
    next_seq: Annotated[int, Field(description="To go on, ask with `after_seq` one less than this.")]
    lines: list[OutputLine]
    truncated: bool
    finished: Annotated[
        bool, Field(description="The execution has ended and nothing is left behind this part.")
    ]
    dropped_bytes: int


class ExecutionWithOutput(Schema):
    execution: Execution
    output: Output


class JobState(Schema):
    """What a job does now."""

    paused: Annotated[bool, Field(description="Disabled, paused, or before its first or after its last day.")]
    running: Annotated[list[str], Field(description="Ids of running executions.")]
    next_tick: datetime | None = None
    last: ExecutionSummary | None = None
    quarantined: Annotated[
        str | None, Field(description="Why what is stored of it cannot be read; null for a good job.")
    ] = None
    eligible_workers: int


class Job(JobDefinition):
    """A stored job: its definition, its identity and what it does now. Secret values are masked."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)

    uid: str
    generation: int
    created_at: datetime
    changed_at: datetime
    changed_by: str
    retention_days: int
    revision: Annotated[int, Field(description="Changes with every save; the ETag is this number in quotes.")]
    state: JobState


class JobDetail(Job):
    """One job with what its page shows."""

    next_ticks: list[Tick]
    description_in_words: Annotated[str | None, Field(examples=["Every 10 seconds"])]


class JobListItem(Job):
    """One job in the list; `recent` are its latest executions, oldest first."""

    recent: list[StripEntry]


class QuarantinedJob(Schema):
    """A key whose value cannot be read; it can be overwritten and deleted."""

    namespace: str
    name: str
    revision: int
    state: JobState
    recent: list[StripEntry] = []


class JobPage(Page[JobListItem | QuarantinedJob]):
    """One page of jobs."""


class ExecutionPage(Page[ListedExecution]):
    """One page of executions."""


class RunAccepted(Schema):
    """The execution that will be; it exists once a worker has taken it."""

    execution_id: str
    trigger_id: str


class KillAccepted(Schema):
    """Executions that were asked to end; the request is delivered within 120 s or never."""

    requested: list[str]


class PerStatusDay(Schema):
    day: Annotated[str, Field(examples=["2026-03-29"], description="UTC day.")]
    total: int
    by_status: dict[Status, int]


class DurationPercentiles(Schema):
    p50: int | None
    p95: int | None
    max: int | None


class LatenessPercentiles(Schema):
    p50: int | None
    p99: int | None


class JobStatistics(Schema):
    """Figures over the executions due in a time; percentiles over the newest 10,000 of them."""

    model_config = ConfigDict(populate_by_name=True)

    job: str
    namespace: str
    since: Annotated[datetime, Field(alias="from")]
    until: Annotated[datetime, Field(alias="to")]
    total: int
    by_status: dict[Status, int]
    success_rate: Annotated[float | None, Field(ge=0, le=1, description="Of those that have ended.")]
    duration_ms: DurationPercentiles
    lateness_ms: LatenessPercentiles
    per_day: list[PerStatusDay]


class LedgerEntry(Schema):
    """One tick, or a run of ticks with the same fate (`count`, up to `last_at`)."""

    tick: int
    at: datetime
    kind: EntryKind
    status: Status | None = None
    reason: Reason | None = None
    lateness_ms: int | None = None
    execution_id: str | None = None
    blocked_by: str | None = None
    last_at: datetime
    count: int
    count_is_exact: bool
    detail: str | None = None
    worker: str | None = None


class LedgerPage(Schema):
    """One page of the ledger, newest tick first. Not counted: a job of every second has 86,400 a day."""

    items: list[LedgerEntry]
    next_page_token: str | None = None
    total: Total


class WhereItRuns(Schema):
    """One live worker, in the order in which they try."""

    worker: str
    eligible: bool
    reason: str | None = None


class Explain(Schema):
    """Why a tick ran, did not run, or where it will run."""

    tick: int
    at: datetime
    verdict: Verdict
    sentence: str
    facts: list[str]
    execution: ExecutionSummary | None = None
    ledger: LedgerEntry | None = None
    candidates: list[WhereItRuns]


class PreviewWarning(Schema):
    code: str
    message: str


class SchedulePreview(Schema):
    """A schedule understood: its one spelling, in words, and when it comes due."""

    normalised: str
    words: str
    timezone: str
    ticks: list[Tick]
    warnings: list[PreviewWarning]


class WorkerMetrics(Schema):
    cpu_percent: float | None = None
    memory_percent: float | None = None
    memory_bytes: int | None = None
    load1: float | None = None
    disk_percent: float | None = None


class Worker(Schema):
    """One worker: alive by its session in etcd, with what it reported last."""

    id: str
    status: Literal["online", "draining", "offline"]
    host: str
    address: str
    pid: int | None = None
    version: str
    labels: dict[str, str]
    executors: list[str]
    slots: int
    running: int
    started_at: datetime | None = None
    last_seen_at: datetime | None = None
    metrics: WorkerMetrics | None = None
    clock_offset_ms: float | None = None
    tzdata: str = ""
    claims_paused: Annotated[
        str | None, Field(description="Why it takes no ticks at present, if so (clock, restored store).")
    ] = None


class WorkerPage(Page[Worker]):
    """All workers."""


class WorkerStats(Schema):
    online: int
    draining: int
    offline: int
    slots: int
    running: int
    by_version: dict[str, int]


class EtcdVersion(Schema):
    version: str | None
    db_size_bytes: int | None


class MongoVersion(Schema):
    version: str | None


class Version(Schema):
    """What runs here. A version is null while that server is away."""

    version: str
    etcd: EtcdVersion
    mongo: MongoVersion
    key_prefix: str
    master_id: str


class Health(Schema):
    """`ok`, or what is wrong with each part."""

    status: Literal["ok", "degraded", "starting"]
    checks: dict[str, str]


class Problem(BaseModel):
    """What went wrong (RFC 9457, `application/problem+json`)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Annotated[str, Field(examples=["urn:everytick:problem:invalid_schedule"])]
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="Path of the request.")]
    code: Annotated[str, Field(examples=["invalid_schedule"])]
    request_id: str
    errors: list[ErrorItem] = []
    current: Annotated[
        dict[str, Any] | None, Field(description="With 412: the job as it is stored now, with its revision.")
    ] = None
