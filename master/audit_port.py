"""What the audit service needs from the outside: the chain in a database, and a journal on the disk."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from master.domain.audit import Action, Anchor, Entry, Fact, Outcome
from master.ports import Total


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """
    Which entries; None and empty filter nothing. The end of the time range is excluded.

    Attributes:
        job_uid: Besides *namespace* and *object*, entries about executions of the job with this uid fit.
    """

    actor: str | None = None
    actions: tuple[Action, ...] = ()
    object: str | None = None
    job_uid: str | None = None
    namespace: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditStore(Protocol):
    """
    The chain. Several masters append to it at the same time.

    Raises (every method):
        StoreUnavailable: The database cannot be reached, or the query took too long.
    """

    async def append(self, facts: Sequence[Fact]) -> Anchor:
        """
        Put *facts* at the end, in their order, each once however often it is sent.

        Returns:
            The end of the chain as it was seen last.
        """
        ...

    async def anchor(self) -> Anchor:
        """Where the chain begins."""
        ...

    def entries_behind(self, seq: int) -> AsyncIterator[Entry]:
        """All entries behind number *seq*, ascending."""
        ...

    async def page(self, where: AuditFilter, *, before: int | None, limit: int) -> list[Entry]:
        """Entries below number *before*, newest first."""
        ...

    async def count(self, where: AuditFilter) -> Total:
        """How many there are, counted up to COUNT_CAP."""
        ...

    async def expired(self, before: datetime) -> Anchor | None:
        """The last of the entries at the beginning that are all older than *before*; None without any."""
        ...

    async def cut(self, anchor: Anchor) -> int:
        """Let the chain begin behind *anchor*; returns how many entries were removed."""
        ...

    async def claims_pruning(self, now: datetime, since: datetime) -> bool:
        """Whether it is this master that prunes now: one does unless somebody did *since*."""
        ...


class AuditJournal(Protocol):
    """Facts that are not stored yet, on a disk that outlives the process."""

    def intend(self, fact: Fact) -> None:
        """Note what is being tried: it becomes an entry should the process die before the outcome."""
        ...

    def forget(self, fact_id: str) -> None:
        """What was tried with this id needs no entry."""
        ...

    async def keep(self, facts: Sequence[Fact]) -> None:
        """Note outcomes; on the disk when this returns. Replaces intents of the same id."""
        ...

    async def pending(self) -> Sequence[Fact]:
        """What is to be stored next, as soon as there is anything; not empty."""
        ...

    def stored(self, facts: Sequence[Fact]) -> None:
        """These first ones of `pending()` are in the database."""
        ...

    @property
    def waiting(self) -> int:
        """How many facts are not stored yet."""
        ...

    def take_lost(self) -> int:
        """How many could not be kept since this was asked last."""
        ...
