"""What the master's services need from the outside beyond the key-value store: history, to read.

The adapter translates the errors of its client library; nothing above it knows MongoDB.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.domain.execution import Cause, LedgerKind, Status
from common.domain.job import JobSpec
from common.domain.records import Document

#: Counting stops here; lists then say "10000+".
COUNT_CAP = 10_000


class ExecutionOrder(StrEnum):
    """A minus means newest first. `finished_at` leaves out what still runs."""

    SCHEDULED_AT_DESC = "-scheduled_at"
    SCHEDULED_AT = "scheduled_at"
    FINISHED_AT_DESC = "-finished_at"
    FINISHED_AT = "finished_at"

    @property
    def field(self) -> str:
        return self.value.lstrip("-")

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions; None filters nothing. The time range is about `scheduled_at`, end excluded."""

    namespaces: tuple[str, ...] | None = None
    job: str | None = None
    uid: str | None = None
    worker: str | None = None
    statuses: tuple[Status, ...] = ()
    causes: tuple[Cause, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExecutionKey:
    """Sort key of an execution in a list: the instant it is ordered by, then its id."""

    at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Total:
    count: int
    is_exact: bool


class HistoryReader(Protocol):
    """
    Reads what workers and reconcilers have recorded. Documents carry aware UTC datetimes.

    Raises (every method):
        StoreUnavailable: MongoDB cannot be reached, or the query took too long.
    """

    @property
    def is_connected(self) -> bool:
        """Whether the last sign of life is recent; calls fail at once while it is not."""
        ...

    async def version(self) -> str:
        """The server's version; also the probe that decides about `is_connected`."""
        ...

    async def executions(
        self,
        where: ExecutionFilter,
        order: ExecutionOrder,
        *,
        after: ExecutionKey | None,
        limit: int,
    ) -> list[Document]:
        """Executions without their output and history, in order, strictly behind *after*."""
        ...

    async def count(self, where: ExecutionFilter) -> Total:
        """How many there are, counted up to COUNT_CAP."""
        ...

    async def execution(self, execution_id: str) -> Document | None:
        """One execution with its history."""
        ...

    async def executions_by_id(self, execution_ids: Sequence[str]) -> list[Document]:
        """Those of *execution_ids* that are stored, in any order."""
        ...

    async def recent(self, jobs: Sequence[JobSpec], count: int) -> dict[str, list[Document]]:
        """
        The newest *count* executions of each job by uid, newest first; jobs without any are left out.

        The newest as in lists, the others with what a strip draws: status, started_at, duration_ms.
        """
        ...

    async def last_of_jobs(self) -> list[Document]:
        """The newest execution of every job that has a tick: uid, status and scheduled_at."""
        ...

    async def finished_since(self, instant: datetime, limit: int) -> list[Document]:
        """Executions that finished at or after *instant*, oldest first: uid, status, times."""
        ...

    async def executions_of_ticks(
        self, uid: str, first: int | None, before: int | None, limit: int
    ) -> list[Document]:
        """Executions of ticks in [first, before), newest tick and highest attempt first."""
        ...

    async def started_ticks(self, uid: str, ticks: Sequence[int]) -> set[int]:
        """Those of *ticks* of which an execution is stored."""
        ...

    async def ledger_rows(
        self,
        uid: str,
        first: int | None,
        before: int | None,
        limit: int,
        *,
        kind: LedgerKind | None = None,
    ) -> list[Document]:
        """Rows of ticks that did not run, whose first tick is in [first, before), newest first."""
        ...

    async def ledger_row_covering(self, uid: str, tick: int) -> Document | None:
        """The row whose span of ticks contains *tick*."""
        ...

    async def counts_per_day(self, where: ExecutionFilter) -> list[Document]:
        """`{day, status, count}` for each UTC day and status."""
        ...

    async def timings(self, where: ExecutionFilter, limit: int) -> list[Document]:
        """`duration_ms` and `lateness_ms` of the newest *limit* finished executions."""
        ...

    async def chunk_numbers(self, execution_id: str) -> list[int]:
        """Numbers of the stored chunks of output, ascending."""
        ...

    async def chunks(self, execution_id: str, numbers: Sequence[int]) -> list[Document]:
        """Those chunks, ascending by number."""
        ...

    async def workers(self) -> list[Document]:
        """What every worker reported last."""
        ...
