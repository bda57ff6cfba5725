"""Stored requests for one execution: run now, retries, and ticks that waited for the one before.

Every worker follows the triggers; the same ranks as for ticks keep all but the first from trying. The trigger
key is the guard: whoever deletes it in a claim has the execution, and nobody else ever will.
"""

import asyncio
import heapq
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from common.domain.codec import Trigger
from common.domain.errors import STORE_FAILURES, CorruptValue, InvalidInput
from common.domain.execution import Cause, Reason
from common.domain.ids import ExecutionId, epoch_s
from common.domain.keys import Keyspace
from common.domain.policy import Overlap
from common.domain.preference import RANK_DELAY_S
from common.domain.retry import execution_of
from common.kv.feed import Feed
from common.kv.port import KeyValueStore
from common.kv.values import modified_at
from common.runtime.clock import Clock
from common.runtime.wakeup import Wakeup
from worker.claims import Blocked, Claims, TriggerClaim, Won
from worker.domain.accounts import skipped_row
from worker.domain.assignment import StopCause
from worker.gate import Gate
from worker.job_feed import JobFeed, KnownJob
from worker.launcher import Launcher
from worker.ports import Journal
from worker.roster import Roster

log: Final = structlog.get_logger(__name__)

_NAP_S: Final = 1.0
_RETRY_S: Final = 0.5
#: Claims under way at once; more only queue up inside the client.
_TRIES_AT_ONCE: Final = 64


@dataclass(slots=True)
class WaitingTrigger:
    """One stored trigger."""

    key: str
    revision: int
    uid: str
    trigger: Trigger
    execution: ExecutionId
    entry: int = 0
    is_tried: bool = False


class TriggerDesk:
    """Follows `/cron/triggers/` and starts what is due."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        clock: Clock,
        feed: Feed,
        job_feed: JobFeed,
        roster: Roster,
        claims: Claims,
        launcher: Launcher,
        journal: Journal,
        gate: Gate,
        worker_id: str,
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._clock = clock
        self._feed = feed
        self._job_feed = job_feed
        self._roster = roster
        self._claims = claims
        self._launcher = launcher
        self._journal = journal
        self._gate = gate
        self._worker_id = worker_id
        self._waiting: dict[str, WaitingTrigger] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._entries = 0
        self._wake = Wakeup()
        self._tries = 0
        self._tries_at_once = asyncio.Semaphore(_TRIES_AT_ONCE)
        self._idle = asyncio.Event()
        self._idle.set()
        launcher.on_end(self._job_ended)

    async def run(self) -> None:
        """Follow and dispatch, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="trigger_desk.follow")
            while True:
                await self._nap()
                for waiting in self._pop_due():
                    if self._gate.is_open:
                        self._tries += 1
                        self._idle.clear()
                        group.create_task(self._try_once(waiting), name=f"trigger.{waiting.execution}")
                    else:
                        self._again(waiting, _RETRY_S)

    async def settled(self) -> None:
        """Return when no claim is under way; close the gate first."""
        await self._idle.wait()

    async def _try_once(self, waiting: WaitingTrigger) -> None:
        waiting.is_tried = True
        try:
            async with self._tries_at_once:
                if self._waiting.get(waiting.key) is waiting:
                    await self._try(waiting)
        finally:
            waiting.is_tried = False
            self._tries -= 1
            if not self._tries:
                self._idle.set()

    async def _follow(self) -> None:
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                for change in event.changes:
                    self._waiting.pop(change.key, None)
                    if not change.deleted:
                        self._learn(change.key, change.kv.value, change.kv.mod_revision)
                self._wake.set()

    def _learn(self, key: str, value: bytes, revision: int) -> None:
        try:
            uid, trigger_id = self._keys.parse_trigger(key)
            trigger = Trigger.decode(key, value)
            execution = execution_of(uid, trigger_id, trigger)
        except (CorruptValue, InvalidInput, ValueError) as error:
            log.error("trigger.unreadable", key=key, error=str(error))
            return
        waiting = WaitingTrigger(key, revision, uid, trigger, execution)
        self._put(waiting, trigger.not_before)

    def _put(self, waiting: WaitingTrigger, at: datetime) -> None:
        self._entries += 1
        waiting.entry = self._entries
        self._waiting[waiting.key] = waiting
        heapq.heappush(self._heap, (at.timestamp(), waiting.entry, waiting.key))

    def _again(self, waiting: WaitingTrigger, delay_s: float) -> None:
        """Look at it again in a while, unless it was claimed or changed meanwhile: then the feed knows."""
        if self._waiting.get(waiting.key) is waiting:
            self._put(waiting, self._clock.now() + timedelta(seconds=delay_s))

    def _forget(self, waiting: WaitingTrigger) -> None:
        """
        The key of *waiting* was deleted.

        Queued ticks share a key, and the news of the next may be here before the late answer about this one.
        Forgetting that one, too, would leave it in the store for a day, and its job without a queue.
        """
        if self._waiting.get(waiting.key) is waiting:
            del self._waiting[waiting.key]

    def _pop_due(self) -> list[WaitingTrigger]:
        now = self._clock.now().timestamp()
        due: list[WaitingTrigger] = []
        while self._heap and self._heap[0][0] <= now:
            _, entry, key = heapq.heappop(self._heap)
            waiting = self._waiting.get(key)
            if waiting is not None and waiting.entry == entry:
                due.append(waiting)
        return due

    async def _nap(self) -> None:
        ahead_s = _NAP_S if not self._heap else self._heap[0][0] - self._clock.now().timestamp()
        self._wake.clear()
        await self._wake.wait(min(max(ahead_s, 0.01), _NAP_S))

    def _job_ended(self, uid: str) -> None:
        """An execution of this job ended here: what waited for it may start now."""
        now = self._clock.now()
        for waiting in list(self._waiting.values()):
            if waiting.uid == uid and not waiting.is_tried and waiting.trigger.not_before <= now:
                self._put(waiting, now)
        self._wake.set()

    async def _try(self, waiting: WaitingTrigger) -> None:
        """Claim one due trigger, or say when to try again."""
        now = self._clock.now()
        known = self._job_feed.job(waiting.uid)
        delay_s = self._delay_s(waiting, known)
        if known is None or delay_s is None:
            self._again(waiting, _NAP_S)
            return
        if now >= waiting.trigger.expires_at:
            # Nobody could run it in its time (the worker slept, all were full): it must not start now.
            await self._drop(waiting, known, None)
            return
        # Later ranks wait their turn once; afterwards the retry interval spaces everybody.
        due_for = (now - waiting.trigger.not_before).total_seconds()
        if due_for < delay_s:
            self._again(waiting, delay_s - due_for)
            return
        if not self._launcher.slots.try_reserve():
            self._again(waiting, _RETRY_S)
            return
        started = False
        try:
            started = await self._claim(waiting, known)
        finally:
            if not started:
                self._launcher.slots.release()

    def _delay_s(self, waiting: WaitingTrigger, known: KnownJob | None) -> float | None:
        """How long after its time this worker tries; None when it is not its business."""
        if known is None:
            return None
        if waiting.trigger.worker is not None:
            return 0.0 if waiting.trigger.worker == self._worker_id else None
        rank = self._roster.rank(waiting.uid, known.requirement, known.spec)
        return None if rank is None else rank * RANK_DELAY_S

    async def _claim(self, waiting: WaitingTrigger, known: KnownJob) -> bool:
        spec = known.spec()
        now = self._clock.now()
        claim = TriggerClaim(
            spec=spec,
            job_key=known.key,
            job_revision=known.revision,
            trigger=waiting.trigger,
            trigger_key=waiting.key,
            trigger_revision=waiting.revision,
            execution=waiting.execution,
        )
        deadline = now + timedelta(seconds=spec.start_deadline_s)
        result = await self._claims.claim_trigger(claim, deadline=deadline)
        if isinstance(result, Won):
            self._forget(waiting)
            waited = self._clock.now() - waiting.trigger.scheduled_at
            self._launcher.launch(
                result,
                execution=waiting.execution,
                spec=spec,
                job_revision=known.revision,
                start_not_before=min(waiting.trigger.not_before, self._clock.now()),
                queued_ms=max(0, round(waited.total_seconds() * 1000)),
            )
            return True
        if self._waiting.get(waiting.key) is not waiting:
            return False
        if isinstance(result, Blocked):
            await self._blocked(waiting, known, result.by)
        else:
            self._again(waiting, _RETRY_S)
        return False

    async def _blocked(self, waiting: WaitingTrigger, known: KnownJob, blocker: str) -> None:
        """The job still runs: wait, replace it, or give the request up when it has waited long enough."""
        spec = known.spec()
        now = self._clock.now()
        trigger = waiting.trigger
        give_up = trigger.expires_at
        if trigger.cause is Cause.MANUAL:
            give_up = min(give_up, trigger.not_before + timedelta(seconds=spec.start_deadline_s))
        if now >= give_up:
            await self._drop(waiting, known, blocker)
            return
        if spec.overlap is Overlap.REPLACE:
            await self._replace(blocker)
        self._again(waiting, _RETRY_S)

    async def _replace(self, blocker: str) -> None:
        local = self._launcher.running.get(blocker)
        if local is not None:
            local.switch.press(StopCause.REPLACED, by="overlap policy")
            return
        try:
            await self._claims.request_kill(blocker, by="overlap policy", reason=StopCause.REPLACED.value)
        except (*STORE_FAILURES, InvalidInput) as error:
            log.debug("trigger.replace_postponed", blocker=blocker, error=str(error))

    async def _drop(self, waiting: WaitingTrigger, known: KnownJob, blocker: str | None) -> None:
        """Record that the request was not run, then delete it; a claim that was faster keeps it."""
        trigger = waiting.trigger
        row = skipped_row(
            known.spec(),
            trigger.tick if trigger.tick is not None else epoch_s(trigger.scheduled_at),
            Reason.OVERLAP if blocker is not None or trigger.cause is Cause.QUEUED else Reason.DEADLINE,
            self._clock.now(),
            self._worker_id,
            blocked_by=blocker,
            trigger=_own_name(waiting),
        )
        await self._journal.record_durably(row)
        try:
            await self._store.txn(
                compares=[modified_at(waiting.key, waiting.revision)], deletes=[waiting.key]
            )
        except STORE_FAILURES:
            self._again(waiting, _RETRY_S)
            return
        self._forget(waiting)
        log.info("trigger.dropped", execution=str(waiting.execution), behind=blocker)


def _own_name(waiting: WaitingTrigger) -> str | None:
    """What tells the row of a dropped request from the account of a tick; None for a tick that waited."""
    execution = waiting.execution
    if waiting.trigger.tick is None:
        return execution.tick.removeprefix("m")
    # The tick of a retry has its account: the attempt before.
    return f"{execution.tick}.{execution.attempt}" if execution.attempt > 1 else None
