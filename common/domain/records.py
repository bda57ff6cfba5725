"""What goes into history: executions, ticks that did not run, output.

Pure. A record is written by whoever knows it, may be written again, and never moves backwards: `fence` (the
claim's revision) and `seq` (how far the execution had come) order all writes about one execution. Documents
carry aware datetimes and plain values; how they are stored is the sink's business.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, TypeAlias

from common.domain.execution import Cause, LedgerKind, Reason, Status
from common.domain.ids import ExecutionId
from common.domain.stream import Stream as Stream

EXECUTIONS: Final = "executions"
LEDGER: Final = "ledger"
OUTPUT: Final = "output"
WORKERS: Final = "workers"
WORKER_METRICS: Final = "worker_metrics"
JOB_VERSIONS: Final = "job_versions"
AUDIT: Final = "audit"
AUDIT_ANCHOR: Final = "audit_anchor"
WORKER_EVENTS: Final = "worker_events"

Document: TypeAlias = dict[str, Any]


class Seq(IntEnum):
    """How far an execution had come when a record was written; a later one replaces an earlier one."""

    CLAIMED = 0
    STARTED = 1
    GIVEN_UP = 2
    """The reconciler's `lost`: anything the owner says afterwards wins (situation 36)."""
    FINISHED = 3


@dataclass(slots=True)
class OutputSummary:
    """
    Counters of an execution's output, with its beginning and end.

    Attributes:
        bytes: Bytes the command wrote, all streams.
        lines: Lines it wrote.
        dropped: Bytes that were not kept.
        chunks: Chunks its lines were put into: more than are stored while the last are on their way.
        head: First lines of stdout and stderr together, at most a few KiB, for lists and mails.
        tail: Last lines, likewise.
    """

    bytes: int = 0
    lines: int = 0
    dropped: int = 0
    chunks: int = 0
    head: str = ""
    tail: str = ""

    def document(self) -> Document:
        return {
            "bytes": self.bytes,
            "lines": self.lines,
            "dropped": self.dropped,
            "chunks": self.chunks,
            "head": self.head,
            "tail": self.tail,
        }


# Not frozen, though nobody changes a finished one: a frozen class sets every field through
# `object.__setattr__`, which made a record of 35 fields three times as expensive.
@dataclass(slots=True, kw_only=True)
class ExecutionRecord:
    """One state of one execution. Durations are monotonic, in milliseconds; instants are aware UTC."""

    execution_id: str
    namespace: str
    job: str
    uid: str
    tick: int | None
    attempt: int
    cause: Cause
    worker: str
    session: str
    fence: int
    seq: Seq
    status: Status
    generation: int
    scheduled_at: datetime
    claimed_at: datetime
    expires_at: datetime
    recorded_at: datetime
    reason: Reason | None = None
    error: str | None = None
    requested_by: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lateness_ms: int | None = None
    queued_ms: int | None = None
    duration_ms: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    cpu_ms: int | None = None
    max_rss_kb: int | None = None
    out: OutputSummary | None = None
    truncated: bool = False
    kill_requested: str | None = None
    """Who asked for a kill, also when the command had already ended by itself."""
    kill_incomplete: tuple[str, ...] = ()
    """Processes that were still alive after the last KILL."""
    flags: tuple[str, ...] = ()
    tells_start: bool = False
    """It had ended before anybody heard of its start: no record of its own says that it ran."""

    @property
    def key(self) -> str:
        return self.execution_id

    @property
    def is_first(self) -> bool:
        """Nobody has recorded a state of this execution before it."""
        return self.seq is Seq.STARTED or self.tells_start

    @property
    def superseded_row(self) -> str | None:
        """
        The key of the ledger row this execution replaces: one that begins at its tick.

        Whoever wrote that row could not move the cursor past the tick, or nobody could have claimed it.
        """
        return f"{self.uid}.{self.tick}" if self.tick is not None else None

    def document(self) -> Document:
        """The fields to store, in a dict of the caller's own; None means not known yet and is left out."""
        fields: Document = {
            "namespace": self.namespace,
            "job": self.job,
            "uid": self.uid,
            "tick": self.tick,
            "attempt": self.attempt,
            # `str` makes a plain string at a fifth of what `.value` takes.
            "cause": str(self.cause),
            "worker": self.worker,
            "session": self.session,
            "fence": self.fence,
            "seq": int(self.seq),
            "status": str(self.status),
            "generation": self.generation,
            "scheduled_at": self.scheduled_at,
            "claimed_at": self.claimed_at,
            "expires_at": self.expires_at,
        }
        if self.requested_by is not None:
            fields["requested_by"] = self.requested_by
        if self.parameters:
            fields["parameters"] = self.parameters
        if self.started_at is not None:
            fields["started_at"] = self.started_at
        if self.lateness_ms is not None:
            fields["lateness_ms"] = self.lateness_ms
        if self.queued_ms is not None:
            fields["queued_ms"] = self.queued_ms
        if self.flags:
            fields["flags"] = list(self.flags)
        self._add_the_end(fields)
        return fields

    def _add_the_end(self, fields: Document) -> None:
        """What is known of an execution that has ended."""
        if self.reason is not None:
            fields["reason"] = str(self.reason)
        if self.error is not None:
            fields["error"] = self.error
        if self.finished_at is not None:
            fields["finished_at"] = self.finished_at
        if self.duration_ms is not None:
            fields["duration_ms"] = self.duration_ms
        if self.exit_code is not None:
            fields["exit_code"] = self.exit_code
        if self.signal is not None:
            fields["signal"] = self.signal
        if self.cpu_ms is not None:
            fields["cpu_ms"] = self.cpu_ms
        if self.max_rss_kb is not None:
            fields["max_rss_kb"] = self.max_rss_kb
        if self.out is not None:
            fields["out"] = self.out.document()
        if self.truncated:
            fields["truncated"] = True
        if self.kill_requested is not None:
            fields["kill_requested"] = self.kill_requested
        if self.kill_incomplete:
            fields["kill_incomplete"] = list(self.kill_incomplete)

    def history_entries(self) -> list[Document]:
        """What the document's `history` keeps of this record: one state, or the start and the end."""
        entry: Document = {"status": str(self.status), "at": self.recorded_at, "seq": int(self.seq)}
        if self.reason is not None:
            entry["reason"] = str(self.reason)
        if not self.tells_start:
            return [entry]
        return [{"status": str(Status.RUNNING), "at": self.started_at, "seq": int(Seq.STARTED)}, entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """
    A tick that did not run, and why; or a run of such ticks from `tick` to `last_tick`.

    Written only if there is no row of that tick yet, and gives way to an execution of its first tick.
    """

    namespace: str
    job: str
    uid: str
    tick: int
    kind: LedgerKind
    reason: Reason
    generation: int
    recorded_at: datetime
    expires_at: datetime
    recorded_by: str
    blocked_by: str | None = None
    """The execution that was in the way."""
    trigger: str | None = None
    """Set for an execution that was asked for and did not start: its tick, if any, has another account."""
    last_tick: int | None = None
    count: int = 1
    count_is_exact: bool = True
    detail: str | None = None

    @property
    def key(self) -> str:
        return f"{self.uid}.m{self.trigger}" if self.trigger else f"{self.uid}.{self.tick}"

    @property
    def superseded_by(self) -> str | None:
        """The execution whose record replaces this row, should there be one."""
        return None if self.trigger else str(ExecutionId.of_tick(self.uid, self.tick))

    def document(self) -> Document:
        fields: Document = {
            "namespace": self.namespace,
            "job": self.job,
            "uid": self.uid,
            "tick": self.tick,
            "kind": self.kind.value,
            "reason": self.reason.value,
            "generation": self.generation,
            "recorded_at": self.recorded_at,
            "recorded_by": self.recorded_by,
            "expires_at": self.expires_at,
            "blocked_by": self.blocked_by,
            "trigger": self.trigger,
            "last_tick": self.last_tick if self.last_tick is not None else self.tick,
            "count": self.count,
            "count_is_exact": self.count_is_exact,
            "detail": self.detail,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True, kw_only=True)
class OutputChunk:
    """
    Some lines of an execution's output, in order of arrival.

    `seq` counts the chunks of one execution from 0 without a gap; a line is (milliseconds since the start,
    stream, text without its line end).
    """

    execution_id: str
    fence: int
    seq: int
    lines: tuple[tuple[int, Stream, str], ...]
    size_bytes: int
    expires_at: datetime

    @property
    def key(self) -> str:
        return f"{self.execution_id}/{self.seq}"

    def document(self) -> Document:
        return {
            "execution_id": self.execution_id,
            "fence": self.fence,
            "seq": self.seq,
            # As they are: a tuple is an array and a StrEnum a string to BSON. Converting 32,000 lines of a
            # command that floods took longer than encoding them.
            "lines": self.lines,
            "size_bytes": self.size_bytes,
            "expires_at": self.expires_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLoss:
    """Output of this execution was dropped before it was stored: its record says `truncated` from now on."""

    execution_id: str
    fence: int

    @property
    def key(self) -> str:
        return self.execution_id

    def document(self) -> Document:
        return {"fence": self.fence, "truncated": True}


Record: TypeAlias = ExecutionRecord | LedgerRow | OutputChunk | OutputLoss


@dataclass(frozen=True, slots=True)
class WriteReport:
    """
    What a sink did with a batch.

    Attributes:
        stored: Keys now stored, including those an earlier try had stored already.
        fenced: Keys whose write was refused because a newer claim or state is stored.
        refused: (record, reason) the database will never take.
    """

    stored: int = 0
    fenced: tuple[str, ...] = ()
    refused: tuple[tuple[Record, str], ...] = ()
