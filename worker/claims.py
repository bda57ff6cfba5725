"""The transactions that decide ticks: claim, skip, queue, and the finish that ends an execution.

Thin: what to decide is the dispatcher's business, this file says it to the store in one transaction each and
turns the answer into a value. Every cursor move requires the cursor to be exactly what the caller based its
decision on, so that each move accounts for exactly the ticks it passes (ADR 0006). Every transaction may be
sent again: a nonce in the run record tells whose earlier try got through.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import structlog

from common.domain.codec import (
    KillRequest,
    MissedTicks,
    RunRecord,
    Trigger,
    cursor_at,
    decode_cursor,
)
from common.domain.errors import STORE_FAILURES, CorruptValue, LeaseLost, OutcomeUnknown
from common.domain.execution import Cause
from common.domain.ids import ExecutionId, from_epoch_s
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.kv.port import KeyValueStore
from common.kv.values import Compare, KeyValue, Put, TxnResult, absent, created_at, modified_at, value_is
from common.runtime.clock import Clock
from worker.registration import Membership

log: Final = structlog.get_logger(__name__)

#: Seconds between two tries to learn what became of a transaction.
_READ_BACK_S: Final = 0.2
#: Version of a queued tick's trigger key: one per job, so the first blocked tick wins.
QUEUED_TRIGGER: Final = "queued"


class Won(NamedTuple):
    """The tick is this worker's; `fence` is the revision of the claim."""

    fence: int
    record: RunRecord


@dataclass(frozen=True, slots=True)
class Done:
    """The skip or queue transaction was made."""


@dataclass(frozen=True, slots=True)
class CursorMoved:
    """Somebody else moved the cursor; it stands at `cursor` (epoch seconds) now."""

    cursor: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """The lock is held by execution `by`."""

    by: str


@dataclass(frozen=True, slots=True)
class Stale:
    """The job (or the trigger) was changed or removed since it was planned."""


@dataclass(frozen=True, slots=True)
class NoSession:
    """This worker's health key is gone: it must register again before it may claim."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """The store did not say what became of the transaction before the start deadline."""


ClaimResult: TypeAlias = Won | CursorMoved | Blocked | Stale | NoSession | Undecided
_COUNTED_AS: Final[dict[type, str]] = {
    Won: "won",
    CursorMoved: "lost",
    Blocked: "blocked",
    Stale: "stale",
    NoSession: "no_session",
    Undecided: "unknown",
}
SkipResult: TypeAlias = Done | CursorMoved | Stale | NoSession | Undecided


class Tick(NamedTuple):
    """
    One tick as the dispatcher wants it decided.

    Attributes:
        job_key: The job's key, planned at `job_revision`.
        cursor: Where the cursor must stand (epoch seconds).
        tick: Where it moves to.
        missed: Ticks between the two that nobody may start any more.
    """

    spec: JobSpec
    job_key: str
    job_revision: int
    cursor: int
    tick: int
    cause: Cause = Cause.SCHEDULE
    missed: MissedTicks | None = None

    @property
    def execution(self) -> ExecutionId:
        return ExecutionId.of_tick(self.spec.uid, self.tick)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerClaim:
    """A trigger as it is stored, with the job it belongs to."""

    spec: JobSpec
    job_key: str
    job_revision: int
    trigger: Trigger
    trigger_key: str
    trigger_revision: int
    execution: ExecutionId

    @property
    def is_exclusive(self) -> bool:
        return self.spec.is_exclusive and not self.trigger.force


class Claims:
    """Says decisions to the store on behalf of one worker."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        clock: Clock,
        membership: Membership,
        new_nonce: Callable[[], str],
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._clock = clock
        self._membership = membership
        self._new_nonce = new_nonce
        #: Claims by what came of them, since the start.
        self.counts: Counter[str] = Counter()

    async def claim(self, tick: Tick, *, deadline: datetime) -> ClaimResult:
        """
        Take *tick*: move the cursor, write the run record, take the lock.

        Args:
            deadline: Until then an unknown outcome is read back; later it is `Undecided`.
        """
        membership = self._membership
        spec = tick.spec
        exclusive = spec.is_exclusive
        record = self._run_record(
            spec, tick.cause, from_epoch_s(tick.tick), exclusive=exclusive, missed=tick.missed
        )
        execution = tick.execution
        run_key = self._keys.run(execution)
        lock_key = self._keys.lock(spec.uid)
        cursor_key = self._keys.cursor(spec.uid)
        compares = self._cursor_compares(tick, cursor_key)
        puts = [Put(cursor_key, cursor_at(tick.tick)), Put(run_key, record.encode())]
        if exclusive:
            compares.append(absent(lock_key))
            puts.append(Put(lock_key, str(execution).encode(), lease=membership.lease_id))
        reads = (tick.job_key, cursor_key, lock_key, membership.health_key, run_key)
        result = await self._decide(compares, puts, (), reads, deadline)
        if result is not None and result.succeeded:
            return self._counted(Won(result.revision, record))
        return self._counted(self._why_not_won(tick, result, record, run_key, lock_key))

    def _counted(self, result: ClaimResult) -> ClaimResult:
        self.counts[_COUNTED_AS[type(result)]] += 1
        return result

    def _why_not_won(
        self, tick: Tick, result: TxnResult | None, record: RunRecord, run_key: str, lock_key: str
    ) -> ClaimResult:
        if result is None:
            return NoSession() if not self._membership.is_active else Undecided()
        if (mine := self._own_run(result.reads[run_key], record)) is not None:
            return mine
        why = self._why_not_moved(tick, result)
        if why is not None:
            return why
        lock = result.reads[lock_key]
        return Blocked(lock.value.decode(errors="replace")) if lock is not None else CursorMoved(tick.cursor)

    async def skip(self, tick: Tick, *, deadline: datetime) -> SkipResult:
        """Move the cursor past *tick* without an execution; its ledger row is spooled already."""
        cursor_key = self._keys.cursor(tick.spec.uid)
        return await self._move_cursor(tick, [], [Put(cursor_key, cursor_at(tick.tick))], deadline)

    async def queue(
        self, tick: Tick, trigger: Trigger, *, lease_id: int, deadline: datetime
    ) -> SkipResult | Blocked:
        """
        Remember *tick* as the one that waits for the lock (overlap `queue_one`) and move the cursor past it.

        Returns:
            Blocked when another tick waits already.
        """
        cursor_key = self._keys.cursor(tick.spec.uid)
        trigger_key = self._keys.trigger(tick.spec.uid, QUEUED_TRIGGER)
        puts = [
            Put(cursor_key, cursor_at(tick.tick)),
            Put(trigger_key, trigger.encode(), lease=lease_id),
        ]
        result = await self._move_cursor(tick, [absent(trigger_key)], puts, deadline)
        if result == CursorMoved(tick.cursor):
            return Blocked(QUEUED_TRIGGER)
        return result

    async def claim_trigger(self, claim: TriggerClaim, *, deadline: datetime) -> ClaimResult:
        """Take an execution somebody asked for; the trigger key is the guard, and is deleted."""
        return self._counted(await self._claim_trigger(claim, deadline))

    async def _claim_trigger(self, claim: TriggerClaim, deadline: datetime) -> ClaimResult:
        membership = self._membership
        trigger = claim.trigger
        record = self._run_record(
            claim.spec,
            trigger.cause,
            trigger.scheduled_at,
            exclusive=claim.is_exclusive,
            trigger=trigger,
        )
        run_key = self._keys.run(claim.execution)
        lock_key = self._keys.lock(claim.spec.uid)
        compares = [
            modified_at(claim.job_key, claim.job_revision),
            modified_at(claim.trigger_key, claim.trigger_revision),
            created_at(membership.health_key, membership.health_revision),
            absent(run_key),
        ]
        puts = [Put(run_key, record.encode())]
        if claim.is_exclusive:
            compares.append(absent(lock_key))
            puts.append(Put(lock_key, str(claim.execution).encode(), lease=membership.lease_id))
        reads = (claim.job_key, claim.trigger_key, lock_key, membership.health_key, run_key)
        result = await self._decide(compares, puts, (claim.trigger_key,), reads, deadline)
        if result is None:
            return NoSession() if not membership.is_active else Undecided()
        if result.succeeded:
            return Won(result.revision, record)
        if (mine := self._own_run(result.reads[run_key], record)) is not None:
            return mine
        if not self._is_registered(result):
            return NoSession()
        trigger_now = result.reads[claim.trigger_key]
        if trigger_now is None or trigger_now.mod_revision != claim.trigger_revision:
            return Stale()
        job = result.reads[claim.job_key]
        lock = result.reads[lock_key]
        if job is None or job.mod_revision != claim.job_revision or lock is None:
            return Stale()
        return Blocked(lock.value.decode(errors="replace"))

    async def finish(
        self, execution: ExecutionId, fence: int, *, exclusive: bool, retry: tuple[str, Trigger] | None
    ) -> bool:
        """
        Remove the run record and the lock of an execution whose final record is durable; put its retry.

        Args:
            retry: Trigger id and trigger of the next attempt, if there is to be one.

        Returns:
            False when the run record was gone already: the reconciler had closed it.

        Raises:
            StoreError: The store could not be reached or did not say; call again.
        """
        run_key = self._keys.run(execution)
        lock_key = self._keys.lock(execution.uid)
        puts: list[Put] = []
        if retry is not None:
            trigger_id, trigger = retry
            lease = await self._store.grant(trigger_lease_s(trigger, self._clock.now()))
            puts.append(Put(self._keys.trigger(execution.uid, trigger_id), trigger.encode(), lease=lease.id))
        compares = [created_at(run_key, fence)]
        deletes = [run_key]
        if exclusive:
            compares.append(value_is(lock_key, str(execution).encode()))
            deletes.append(lock_key)
        result = await self._store.txn(compares=compares, puts=puts, deletes=deletes, reads=(run_key,))
        if result.succeeded:
            return True
        run = result.reads[run_key]
        if run is None or run.create_revision != fence:
            return False
        # The lock went with an earlier lease; another execution may hold it by now. Only the run is ours.
        result = await self._store.txn(
            compares=[created_at(run_key, fence)], puts=puts, deletes=[run_key], reads=(run_key,)
        )
        return result.succeeded

    async def request_kill(self, execution: str, *, by: str, reason: str, lease_s: int = 120) -> None:
        """Ask whoever runs *execution* to stop it (overlap `replace`), unless somebody has asked."""
        key = self._keys.kill(ExecutionId.parse(execution))
        # Asked ten times a second until the lock is free: a lease for each would live on for two minutes.
        if (await self._store.txn(reads=(key,))).reads[key] is not None:
            return
        lease = await self._store.grant(lease_s)
        request = KillRequest(requested_by=by, requested_at=self._clock.now(), reason=reason)
        await self._store.txn(compares=[absent(key)], puts=[Put(key, request.encode(), lease=lease.id)])

    # --- the parts they share ---

    def _run_record(
        self,
        spec: JobSpec,
        cause: Cause,
        scheduled_at: datetime,
        *,
        exclusive: bool,
        missed: MissedTicks | None = None,
        trigger: Trigger | None = None,
    ) -> RunRecord:
        return RunRecord(
            worker=self._membership.worker_id,
            session=self._membership.session,
            nonce=self._new_nonce(),
            namespace=spec.namespace,
            name=spec.name,
            generation=spec.generation,
            cause=cause,
            scheduled_at=scheduled_at,
            claimed_at=self._clock.now(),
            exclusive=exclusive,
            requested_by=trigger.requested_by if trigger else None,
            parameters=trigger.parameters if trigger else {},
            origin=trigger.origin if trigger else None,
            trace_parent=trigger.trace_parent if trigger else None,
            missed=missed,
        )

    def _cursor_compares(self, tick: Tick, cursor_key: str) -> list[Compare]:
        membership = self._membership
        return [
            modified_at(tick.job_key, tick.job_revision),
            value_is(cursor_key, cursor_at(tick.cursor)),
            created_at(membership.health_key, membership.health_revision),
        ]

    async def _move_cursor(
        self, tick: Tick, also: list[Compare], puts: list[Put], deadline: datetime
    ) -> SkipResult:
        cursor_key = self._keys.cursor(tick.spec.uid)
        compares = self._cursor_compares(tick, cursor_key) + also
        reads = (tick.job_key, cursor_key, self._membership.health_key)
        result = await self._decide(compares, puts, (), reads, deadline)
        if result is None:
            return NoSession() if not self._membership.is_active else Undecided()
        if result.succeeded:
            return Done()
        return self._why_not_moved(tick, result) or CursorMoved(tick.cursor)

    def _why_not_moved(self, tick: Tick, result: TxnResult) -> CursorMoved | Stale | NoSession | None:
        """Which of the comparisons every cursor move makes did not hold; None when all of them did."""
        job = result.reads[tick.job_key]
        if job is None or job.mod_revision != tick.job_revision:
            return Stale()
        if not self._is_registered(result):
            return NoSession()
        cursor = result.reads[self._keys.cursor(tick.spec.uid)]
        if cursor is None:
            raise CorruptValue(
                f"{self._keys.cursor(tick.spec.uid)}: job {tick.spec.qualified_name} has no cursor; "
                "save the job again to create it",
                key=self._keys.cursor(tick.spec.uid),
            )
        stands_at = int(decode_cursor(cursor.key, cursor.value).timestamp())
        return CursorMoved(stands_at) if stands_at != tick.cursor else None

    def _is_registered(self, result: TxnResult) -> bool:
        health = result.reads[self._membership.health_key]
        return health is not None and health.create_revision == self._membership.health_revision

    @staticmethod
    def _own_run(run: KeyValue | None, record: RunRecord) -> Won | None:
        """An earlier try of this very claim got through: the run record carries its nonce."""
        if run is None:
            return None
        try:
            stored = RunRecord.decode(run.key, run.value)
        except CorruptValue:
            return None
        return Won(run.create_revision, record) if stored.nonce == record.nonce else None

    async def _decide(
        self,
        compares: list[Compare],
        puts: list[Put],
        deletes: tuple[str, ...],
        reads: tuple[str, ...],
        deadline: datetime,
    ) -> TxnResult | None:
        """
        Send a transaction until the store says what became of it; None when it did not in time.

        Sending the same transaction again is safe: had the first one been made, the comparisons of the second
        fail and the read-back shows our nonce (claim) or the cursor where we wanted it (skip).
        """
        while True:
            try:
                return await self._store.txn(compares=compares, puts=puts, deletes=deletes, reads=reads)
            except LeaseLost:
                return None
            except OutcomeUnknown:
                log.info("claim.outcome_unknown", key=puts[-1].key)
            except STORE_FAILURES as error:
                log.debug("claim.postponed", key=puts[-1].key, error=str(error))
            if self._clock.now() >= deadline or not await self._still_covered():
                return None

    async def _still_covered(self) -> bool:
        """
        Wait before a transaction is sent again; False when the session has ended.

        As far as this worker knows: in etcd its lease and its key may live on and let claims pass.
        """
        if self._membership.is_active:
            await asyncio.sleep(_READ_BACK_S)
        return self._membership.is_active


def trigger_lease_s(trigger: Trigger, now: datetime) -> int:
    """Seconds a trigger's own lease has to last: 24 h beyond the moment it becomes due."""
    return int(max(0.0, (trigger.not_before - now).total_seconds())) + 86_400
