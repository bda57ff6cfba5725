"""What a change of a worker's health key means for its log.

Pure. Several masters see the same change and must write one event, so the id is made of the worker, the event
and a revision that all of them see; an end is named after the session that ended, because a listing shows it
under a revision of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.domain.codec import WorkerHealth


class WorkerEventKind(StrEnum):
    """What happened to a worker."""

    ONLINE = "online"
    """It has registered."""
    OFFLINE = "offline"
    """Its session has ended."""
    DRAINING = "draining"
    """It takes nothing new: somebody wants it, or it stops."""
    RESUMED = "resumed"
    """It takes ticks again."""
    ALARM = "alarm"
    """It takes no ticks, because its clock or the store cannot be trusted."""
    ALARM_OVER = "alarm_over"


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """One line of a worker's log."""

    id: str
    worker: str
    at: datetime
    event: WorkerEventKind
    detail: str | None = None


def events_of(
    worker: str, before: WorkerHealth | None, after: WorkerHealth | None, revision: int, now: datetime
) -> Iterator[WorkerEvent]:
    """
    The events in one change, usually one or none.

    Args:
        revision: Of the change; of no meaning when the worker is gone.
    """

    def event(kind: WorkerEventKind, mark: object, detail: str | None = None) -> WorkerEvent:
        return WorkerEvent(f"{worker}/{kind.value}/{mark}", worker, now, kind, detail)

    if after is None:
        if before is not None:
            yield event(WorkerEventKind.OFFLINE, before.session, f"session {before.session} ended")
        return
    if before is None or before.session != after.session:
        if before is not None:
            yield event(WorkerEventKind.OFFLINE, before.session, f"session {before.session} ended")
        detail = f"version {after.version} on {after.host}" if after.version else None
        yield event(WorkerEventKind.ONLINE, after.session, detail)
        # It distrusts its clock until it has measured it once: no alarm, and none that ends.
        return
    if before.status != after.status:
        drains = after.status == "draining"
        yield event(WorkerEventKind.DRAINING if drains else WorkerEventKind.RESUMED, revision)
    if before.claims_paused is None and after.claims_paused is not None:
        yield event(WorkerEventKind.ALARM, revision, after.claims_paused)
    if before.claims_paused is not None and after.claims_paused is None:
        yield event(WorkerEventKind.ALARM_OVER, revision, f"was: {before.claims_paused}")
