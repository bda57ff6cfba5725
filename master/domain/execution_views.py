"""Executions as the API shows them: from a stored document, or from a run record nobody has stored yet.

Pure. Documents are what `ExecutionRecord.document()` wrote; fields a release does not know are passed over.
"""

from collections.abc import Mapping
from typing import Any, Final

from common.domain.codec import RunRecord
from common.domain.execution import Status
from common.domain.ids import ExecutionId
from common.domain.instants import utc_text
from common.domain.records import Document

_SUMMARY: Final = (
    "status",
    "reason",
    "cause",
    "tick",
    "scheduled_at",
    "started_at",
    "finished_at",
    "duration_ms",
    "lateness_ms",
    "exit_code",
    "worker",
    "attempt",
)
_DETAILS: Final = (
    "namespace",
    "job",
    "uid",
    "session",
    "fence",
    "generation",
    "claimed_at",
    "expires_at",
    "error",
    "requested_by",
    "parameters",
    "queued_ms",
    "signal",
    "cpu_ms",
    "max_rss_kb",
    "out",
    "truncated",
    "kill_requested",
    "kill_incomplete",
    "flags",
)
_NO_VALUE: Final[Mapping[str, Any]] = {
    "parameters": {},
    "truncated": False,
    "kill_incomplete": [],
    "flags": [],
}


def summary(document: Document) -> Document:
    """The fields of lists that are about one job."""
    return {"id": document["_id"], **{name: document.get(name) for name in _SUMMARY}}


def strip_entry(document: Document) -> Document:
    """What the strip of a job's latest executions draws."""
    started_at = document.get("started_at")
    return {
        "id": document["_id"],
        "status": document["status"],
        # As text here and now: a page has some thousand of them, and it may be sent again as it is.
        "started_at": utc_text(started_at) if started_at else None,
        "duration_ms": document.get("duration_ms"),
    }


def listed(document: Document, *, is_live: bool) -> Document:
    """The fields of a list over many jobs."""
    return {
        **summary(document),
        "namespace": document["namespace"],
        "job": document["job"],
        "uid": document["uid"],
        "generation": document.get("generation"),
        "requested_by": document.get("requested_by"),
        "error": document.get("error"),
        "live": is_live,
    }


def full(document: Document, *, is_live: bool) -> Document:
    """Everything that is stored of one execution."""
    shown = summary(document)
    shown |= {name: document.get(name, _NO_VALUE.get(name)) for name in _DETAILS}
    shown["history"] = [
        {name: entry.get(name) for name in ("status", "at", "seq", "reason")}
        for entry in document.get("history", [])
    ]
    shown["live"] = is_live
    return shown


def from_run_record(execution: ExecutionId, record: RunRecord, fence: int) -> Document:
    """The document an execution has before its worker's first record arrives."""
    return {
        "_id": str(execution),
        "namespace": record.namespace,
        "job": record.name,
        "uid": execution.uid,
        "tick": execution.tick_s,
        "attempt": execution.attempt,
        "cause": record.cause.value,
        "worker": record.worker,
        "session": record.session,
        "fence": fence,
        "status": Status.CLAIMED.value,
        "generation": record.generation,
        "scheduled_at": record.scheduled_at,
        "claimed_at": record.claimed_at,
        "requested_by": record.requested_by,
        "parameters": record.parameters,
    }


def is_finished(document: Document) -> bool:
    return Status(document["status"]).is_terminal
