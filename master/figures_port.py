"""What overview, timeline and histogram need of history beyond `master/ports.py`: figures over many.

Every answer is bounded: by the stretch of time, by a number of rows, or by a number of documents looked at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.domain.job import JobSpec
from common.domain.records import Document
from master.domain.minute_counts import MinuteCount
from master.ports import ExecutionFilter


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts by bucket and status; `counted_from` is set when older executions were left out."""

    buckets: dict[int, dict[str, int]]
    counted_from: datetime | None


class FiguresReader(Protocol):
    """
    Raises (every method):
        StoreUnavailable: MongoDB cannot be reached, or the query took too long.
    """

    async def minute_counts(self, since: datetime, until: datetime) -> list[MinuteCount]:
        """Executions due in [since, until), counted by minute, namespace and status."""
        ...

    async def troubles(self, since: datetime) -> list[Document]:
        """
        Executions due since then that failed, ran out of time or were lost, by job and status.

        `{namespace, job, status, count, at, execution_id, reason}`, newest first; of the newest 5,000.
        """
        ...

    async def misses(self, since: datetime) -> list[Document]:
        """Missed ticks since then: `{namespace, job, reason, hour, count, at}`, newest first."""
        ...

    async def bars_of_jobs(
        self, jobs: Sequence[JobSpec], since: datetime, until: datetime, limit: int
    ) -> list[Document]:
        """The newest *limit* executions of each job due in [since, until), newest first."""
        ...

    async def bars_of_workers(
        self,
        workers: Sequence[str],
        since: datetime,
        until: datetime,
        limit: int,
        namespaces: Collection[str] | None,
    ) -> list[Document]:
        """The newest *limit* executions each worker started in [since, until), newest first."""
        ...

    async def unrun_of_jobs(
        self, jobs: Sequence[JobSpec], since: datetime, until: datetime, limit: int
    ) -> list[Document]:
        """The newest *limit* ledger rows of each job whose first tick is in [since, until)."""
        ...

    async def histogram(
        self, where: ExecutionFilter, since: datetime, bucket_s: int, limit: int
    ) -> Histogram:
        """The newest *limit* executions of *where* counted in buckets of *bucket_s* seconds from *since*."""
        ...
