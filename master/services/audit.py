"""The audit trail: facts go to the journal before a change is answered, and from there into the chain.

A change waits for the local disk and never for MongoDB: with MongoDB away it is made all the same, and its
entry follows when MongoDB is back, with the time at which it happened.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from common.runtime.clock import Clock, new_nonce
from common.runtime.retrying import background_loop
from master.audit_port import AuditFilter, AuditJournal, AuditStore
from master.domain.audit import Action, ActorKind, Anchor, Entry, Fact, Outcome, in_milliseconds
from master.domain.audit_check import AuditVerdict, ChainCheck
from master.domain.refusal_budget import RefusalBudget
from master.ports import Total

log = structlog.get_logger()

_PRUNE_EVERY_S: Final = 3600.0
_ITSELF: Final = "everytick"


@dataclass(frozen=True, slots=True)
class AuditPage:
    items: list[Entry]
    next_before: int | None
    """Where the next page begins; None on the last one."""
    total: Total


class AuditTrail:
    """Records facts, stores them in the background, and answers questions about them."""

    def __init__(self, store: AuditStore, journal: AuditJournal, clock: Clock, *, audit_days: int) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._kept = timedelta(days=audit_days)
        self._newest: Anchor | None = None
        self._refusals = RefusalBudget()
        self._verifying = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many entries are not in MongoDB yet."""
        return self._journal.waiting

    def intend(self, fact: Fact) -> None:
        """Note what is being tried, before it is."""
        self._journal.intend(fact)

    def forget(self, fact_id: str) -> None:
        """Nothing came of it that is worth an entry."""
        self._journal.forget(fact_id)

    async def record(self, facts: Sequence[Fact]) -> None:
        """Keep *facts*; they are on the disk when this returns. Never raises for a store that is away."""
        kept = [fact for fact in facts if not self._is_flood(fact)]
        for fact in facts:
            if fact not in kept:
                self._journal.forget(fact.id)
        if kept:
            await self._journal.keep(kept)

    async def run(self) -> None:
        """Store what is in the journal, for ever."""
        while True:
            facts = await self._journal.pending()
            async for attempt in background_loop("audit.append"):
                with attempt:
                    self._newest = await self._store.append(facts)
            self._journal.stored(facts)
            lost = self._journal.take_lost()
            if lost:
                await self._journal.keep([self._own(Action.AUDIT_GAP, f"{lost} entries are in the log only")])

    async def prune(self) -> None:
        """Cut off what has expired, every hour, by one of the masters, for ever."""
        while True:
            async for attempt in background_loop("audit.prune"):
                with attempt:
                    await self.cut_expired()
            await asyncio.sleep(_PRUNE_EVERY_S)

    async def cut_expired(self) -> int:
        """Remove the expired beginning of the chain, unless another master has just done so."""
        now = self._clock.now()
        if not await self._store.claims_pruning(now, now - timedelta(seconds=_PRUNE_EVERY_S)):
            return 0
        removed = 0
        while (last := await self._store.expired(now - self._kept)) is not None:
            # The chain itself says where it was cut, so that a moved anchor does not go unnoticed.
            detail = f"entries up to {last.seq} have expired; hash of the last one: {last.hash}"
            self._newest = await self._store.append([self._own(Action.AUDIT_CUT, detail)])
            removed += await self._store.cut(last)
        if removed:
            log.info("audit.cut", entries=removed)
        return removed

    async def page(self, where: AuditFilter, *, before: int | None, size: int) -> AuditPage:
        """One page of entries, newest first."""
        entries = await self._store.page(where, before=before, limit=size + 1)
        total = await self._store.count(where)
        more = len(entries) > size
        return AuditPage(entries[:size], entries[size - 1].seq if more else None, total)

    async def verify(self) -> AuditVerdict:
        """
        Check the chain from its beginning to its end.

        Raises:
            StoreUnavailable: MongoDB is away.
        """
        async with self._verifying:
            while True:
                # Read before the entries are: whatever is there by now must be found on the way.
                newest, anchor = self._newest, await self._store.anchor()
                check = ChainCheck(anchor, newest)
                async for entry in self._store.entries_behind(anchor.seq):
                    if not check.accepts(entry):
                        break
                verdict = check.verdict()
                # What a master cut off meanwhile is not missing.
                if verdict.ok or await self._store.anchor() == anchor:
                    return verdict

    def _is_flood(self, fact: Fact) -> bool:
        if fact.actor_kind is not ActorKind.ANONYMOUS or fact.outcome is Outcome.DONE:
            return False
        left_out = self._refusals.spend(fact.client or "", self._clock.uptime_s())
        if left_out:
            log.warning("audit.refusals_left_out", count=left_out)
        return left_out is None

    def _own(self, action: Action, detail: str) -> Fact:
        return Fact(
            id=new_nonce(),
            at=in_milliseconds(self._clock.now()),
            actor=_ITSELF,
            actor_kind=ActorKind.SYSTEM,
            client=None,
            action=action,
            outcome=Outcome.DONE,
            detail=detail,
        )
