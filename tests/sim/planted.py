"""Ten mistakes somebody could make, as subclasses of the real parts: the simulation must find every one.

A suite that never fails proves nothing. Each mistake leaves everything else as it is, and is switched on by
giving its `Product` to a simulation.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

from common.domain.errors import OutcomeUnknown
from common.domain.job import JobSpec
from common.domain.records import OutputChunk, Record
from common.kv.feed import Feed
from common.kv.port import KeyValueStore
from common.kv.session import Session
from common.kv.values import Changes, Compare, Put, TxnResult
from tests.sim.disk import Disk
from tests.sim.history import History
from tests.sim.node import KEYS, Product
from worker.assembly import Assembly
from worker.claims import Claims, Done, SkipResult, Tick
from worker.domain.due import Due
from worker.domain.plan import PlannedJob
from worker.kill_switch import KillSwitch
from worker.log_shipper import LogShipper
from worker.running import RunningExecution
from worker.service import RunningJournal
from worker.tick_taker import Again, TickTaker


class ClaimsWithoutCursor(Claims):
    """The claim does not ask where the cursor stands."""

    def _cursor_compares(self, tick: Tick) -> list[Compare]:
        return [c for c in super()._cursor_compares(tick) if not c.key.startswith(KEYS.cursors)]


class ClaimsWithLastingLock(Claims):
    """The lock hangs on no lease, so it outlives its worker."""

    async def _decide(
        self,
        compares: list[Compare],
        puts: list[Put],
        deletes: tuple[str, ...],
        reads: tuple[str, ...],
        deadline: datetime,
    ) -> TxnResult | None:
        lasting = [replace(put, lease=0) if put.key.startswith(KEYS.locks) else put for put in puts]
        return await super()._decide(compares, lasting, deletes, reads, deadline)


class ClaimsWithoutSession(Claims):
    """The claim does not ask whether the worker's session is alive."""

    def _cursor_compares(self, tick: Tick) -> list[Compare]:
        return [c for c in super()._cursor_compares(tick) if not c.key.startswith(KEYS.health_prefix)]


class ClaimsThatHope(Claims):
    """A claim whose answer was lost counts as made, without reading back."""

    async def _decide(
        self,
        compares: list[Compare],
        puts: list[Put],
        deletes: tuple[str, ...],
        reads: tuple[str, ...],
        deadline: datetime,
    ) -> TxnResult | None:
        try:
            return await self._store.txn(compares=compares, puts=puts, deletes=deletes, reads=reads)
        except OutcomeUnknown:
            return TxnResult(True, 1_000_000)


class ClaimsThatSkipInMind(Claims):
    """A skipped tick is recorded, and the cursor stays where it is."""

    async def skip(self, tick: Tick, *, deadline: datetime) -> SkipResult:
        return Done()


class SessionFromAnswer(Session):
    """The deadline counts from the moment the answer came, not from the moment the renewal was sent."""

    @property
    def deadline_s(self) -> float:
        return self._until_s

    @deadline_s.setter
    def deadline_s(self, value: float) -> None:
        self._until_s = self._clock.uptime_s() + self.ttl_s if value else 0.0


class FeedFromNow(Feed):
    """The watch begins with whatever comes next, not with the revision after the listing."""

    def __init__(self, store: Any, prefix: str, **options: Any) -> None:
        super().__init__(cast(KeyValueStore, _WatchFromNow(store)), prefix, **options)


class _WatchFromNow:
    def __init__(self, store: Any) -> None:
        self._store = store
        self.list, self.txn = store.list, store.txn

    async def watch(self, prefix: str, *, from_revision: int) -> AsyncGenerator[Changes, None]:
        newest = (await self._store.txn(reads=[prefix])).revision
        async for changes in self._store.watch(prefix, from_revision=newest + 1):
            yield changes


class KillSwitchByJob(KillSwitch):
    """A kill hits whatever of the job runs now, as one by a stored pid would."""

    def check(self, running: RunningExecution) -> None:
        for execution_id, request in self._requests.items():
            if execution_id.split(".")[0] == running.assignment.execution.uid:
                self._press(running, request)


class JournalThatForgets(LogShipper):
    """Records that come while the queue is full are dropped."""

    def record(self, record: Record) -> None:
        if self.backlog < 8 or isinstance(record, OutputChunk):
            super().record(record)

    async def record_durably(self, record: Record) -> None:
        if self.backlog < 8:
            await super().record_durably(record)


class TickTakerFromNow(TickTaker):
    """After an outage the worker goes on from now: ticks that were missed are nobody's."""

    async def _claim(self, job: PlannedJob, spec: JobSpec, due: Due, start_at: datetime) -> Again:
        return await super()._claim(job, spec, replace(due, missed=None), start_at)

    async def _account_for_missed(self, job: PlannedJob, spec: JobSpec, due: Due) -> Again:
        assert due.missed is not None
        tick = self._tick(job, spec, due.missed.last, due)
        return await self._skip(job, spec, tick, deadline=self._clock.now())


def _product(**parts: Any) -> Product:
    return Product(assembly=type("PlantedAssembly", (Assembly,), parts))


def _forgetful(disk: Disk, history: History) -> RunningJournal:
    return JournalThatForgets(spool=disk, sink=history, commit_timeout_s=1.0)


#: Name of each mistake, the product that makes it, and seeds that are known to find it (tried first).
PLANTED: Final[Sequence[tuple[str, Callable[[], Product], tuple[int, ...]]]] = (
    ("no cursor compare", lambda: _product(claims_type=ClaimsWithoutCursor), (2, 1)),
    ("lock without lease", lambda: _product(claims_type=ClaimsWithLastingLock), (1, 5)),
    ("deadline from the receive time", lambda: _product(session_type=SessionFromAnswer), (52, 11)),
    ("watch without a revision", lambda: _product(feed_type=FeedFromNow), (5,)),
    ("no read-back after an unknown outcome", lambda: _product(claims_type=ClaimsThatHope), (0, 2)),
    ("kill by pid", lambda: _product(kill_switch_type=KillSwitchByJob), (3, 7)),
    ("dropping records when the queue is full", lambda: Product(journal=_forgetful), (0, 3)),
    ("no session compare", lambda: _product(claims_type=ClaimsWithoutSession), (38, 41)),
    ("catch-up from now", lambda: _product(taker_type=TickTakerFromNow), (5, 2)),
    ("skip without moving the cursor", lambda: _product(claims_type=ClaimsThatSkipInMind), (1, 5)),
)
