"""What the coordinating half of the worker hands to the running half, and what comes back.

Pure. An assignment is a claimed tick with everything a command and its record need; a report is what
the command did. Neither half knows how the other works.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from common.domain.execution import Cause, Reason, Status
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from common.domain.records import OutputSummary


# Neither of the two is changed once it is made; frozen, they took two and a half times as long to make.
@dataclass(slots=True, kw_only=True)
class Assignment:
    """
    One claimed execution.

    Attributes:
        id: The text of `execution`, which is asked for at every step.
        tick_s: That of `execution`, likewise.
        fence: Revision of the claim; orders all writes about this execution.
        scheduled_at: The tick, or the moment the trigger asked for.
        start_not_before: The command must not start before this instant (the tick of a claim taken ahead).
    """

    execution: ExecutionId
    id: str = field(init=False)
    tick_s: int | None = field(init=False)
    spec: JobSpec
    cause: Cause
    scheduled_at: datetime
    claimed_at: datetime
    start_not_before: datetime
    fence: int
    worker_id: str
    session: str
    expires_at: datetime
    requested_by: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    queued_ms: int | None = None
    flags: tuple[str, ...] = ()
    trace_parent: str | None = None
    """W3C trace context of the request that asked for this execution, if it had one."""

    def __post_init__(self) -> None:
        self.id = str(self.execution)
        self.tick_s = self.execution.tick_s


class StopCause(StrEnum):
    """Why a running command is to be stopped."""

    REQUESTED = "requested"
    REPLACED = "replaced"
    TIMEOUT = "timeout"
    LEASE = "lease"
    FENCED = "fenced"
    SHUTDOWN = "shutdown"


@dataclass(slots=True, kw_only=True)
class RunReport:
    """
    How an execution ended, as far as the worker knows.

    Attributes:
        error: What could not be done (spawn, limits, user), in words for the job's owner.
        kill_incomplete: Processes still alive after the last KILL, as `pid name`.
    """

    status: Status
    reason: Reason | None = None
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime
    duration_ms: int = 0
    exit_code: int | None = None
    signal: int | None = None
    cpu_ms: int | None = None
    max_rss_kb: int | None = None
    out: OutputSummary = field(default_factory=OutputSummary)
    truncated: bool = False
    kill_requested: str | None = None
    kill_incomplete: tuple[str, ...] = ()
