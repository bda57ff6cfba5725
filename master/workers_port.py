"""What is stored of workers besides their last report: curves, events, and the end of all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.domain.records import Document
from master.domain.worker_events import WorkerEvent


@dataclass(frozen=True, slots=True)
class EventKey:
    """Sort key of an event in a worker's log."""

    at: datetime
    id: str


class WorkerRecords(Protocol):
    """
    Raises (every method):
        StoreUnavailable: MongoDB cannot be reached.
    """

    async def curve(self, worker: str, since: datetime, until: datetime, bucket_s: int) -> list[Document]:
        """Means of a worker's metrics for each bucket that has any, oldest first; `at` is its begin."""
        ...

    async def put_events(self, events: Sequence[WorkerEvent], expires_at: datetime) -> None:
        """Store events that are not stored yet."""
        ...

    async def events(self, worker: str, after: EventKey | None, limit: int) -> list[Document]:
        """Events of a worker behind *after*, newest first: `_id`, `at`, `event`, `detail`."""
        ...

    async def count_events(self, worker: str) -> int: ...

    async def forget(self, worker: str) -> None:
        """Delete everything that is stored of a worker but the executions it ran."""
        ...
