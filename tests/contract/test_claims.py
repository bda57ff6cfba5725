"""The transactions that decide ticks, on the fake and on real etcd: each answer means what it says."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from common.domain.codec import MissedTicks, RunRecord, Trigger, encode_cursor, encode_job
from common.domain.errors import CorruptValue, OutcomeUnknown
from common.domain.execution import Cause
from common.domain.ids import ExecutionId, from_epoch_s
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.kv.port import KeyValueStore
from common.kv.values import Put
from common.runtime.clock import SystemClock, new_nonce, new_uid
from tests.builders import spec_of
from worker.claims import Blocked, Claims, CursorMoved, Done, NoSession, Stale, Tick, TriggerClaim, Won
from worker.registration import Membership

TICK = 1_772_445_600
LATER = timedelta(seconds=2)


@dataclass
class Scene:
    """One stored job with its cursor a minute before TICK, and registered workers."""

    store: KeyValueStore
    keys: Keyspace
    spec: JobSpec
    job_revision: int

    async def worker(self, name: str = "worker-1", store: KeyValueStore | None = None) -> Claims:
        lease = await self.store.grant(60)
        membership = Membership(name, self.keys.health(name))
        result = await self.store.txn(puts=[Put(membership.health_key, b"{}", lease.id)])
        membership.activate(lease.id, result.revision)
        return Claims(store or self.store, self.keys, SystemClock(), membership, new_nonce)

    def tick(self, tick: int = TICK, cursor: int = TICK - 60, **fields: object) -> Tick:
        return Tick(
            spec=self.spec,
            job_key=self.keys.job(self.spec.namespace, self.spec.name),
            job_revision=self.job_revision,
            cursor=cursor,
            tick=tick,
            **fields,
        )

    async def read(self, key: str) -> bytes | None:
        kv = (await self.store.txn(reads=[key])).reads[key]
        return kv.value if kv else None


async def scene_of(store: KeyValueStore, **fields: object) -> Scene:
    keys = Keyspace(f"/claims/{new_uid()}/", f"/health/{new_uid()}/")
    spec = spec_of(uid=new_uid(), **fields)
    result = await store.txn(
        puts=[
            Put(keys.job(spec.namespace, spec.name), encode_job(spec)),
            Put(keys.cursor(spec.uid), encode_cursor(from_epoch_s(TICK - 60))),
        ]
    )
    return Scene(store, keys, spec, result.revision)


@pytest.fixture
async def scene(kv: KeyValueStore) -> Scene:
    return await scene_of(kv)


def deadline():
    return SystemClock().now() + LATER


async def test_a_claim_moves_the_cursor_and_leaves_run_record_and_lock(scene):
    """Two keys that stay, one that hangs on the session."""
    claims = await scene.worker()

    result = await claims.claim(scene.tick(), deadline=deadline())

    assert isinstance(result, Won)
    execution = ExecutionId.of_tick(scene.spec.uid, TICK)
    assert encode_cursor(from_epoch_s(TICK)) == await scene.read(scene.keys.cursor(scene.spec.uid))
    assert str(execution).encode() == await scene.read(scene.keys.lock(scene.spec.uid))
    run = await scene.read(scene.keys.run(execution))
    assert run is not None
    assert "worker-1" == RunRecord.decode("run", run).worker


async def test_the_same_tick_is_never_taken_twice(scene):
    """The second worker learns where the cursor stands."""
    first, second = await scene.worker("worker-1"), await scene.worker("worker-2")
    await first.claim(scene.tick(), deadline=deadline())

    assert CursorMoved(TICK) == await second.claim(scene.tick(), deadline=deadline())


async def test_the_next_tick_is_blocked_while_the_lock_is_held(scene):
    """The answer names the execution in the way."""
    claims = await scene.worker()
    await claims.claim(scene.tick(), deadline=deadline())

    result = await claims.claim(scene.tick(TICK + 60, cursor=TICK), deadline=deadline())

    assert Blocked(f"{scene.spec.uid}.{TICK}.1") == result


async def test_overlap_allow_takes_no_lock(kv):
    """Situation 1: the next tick starts regardless."""
    scene = await scene_of(kv, overlap="allow")
    claims = await scene.worker()
    await claims.claim(scene.tick(), deadline=deadline())

    result = await claims.claim(scene.tick(TICK + 60, cursor=TICK), deadline=deadline())

    assert isinstance(result, Won)
    assert await scene.read(scene.keys.lock(scene.spec.uid)) is None


async def test_an_edited_job_is_stale(scene):
    """Situation 27: what was planned is no longer what is stored."""
    claims = await scene.worker()
    key = scene.keys.job(scene.spec.namespace, scene.spec.name)
    await scene.store.txn(puts=[Put(key, encode_job(scene.spec.model_copy(update={"generation": 2})))])

    assert Stale() == await claims.claim(scene.tick(), deadline=deadline())


async def test_without_its_health_key_a_worker_claims_nothing(scene):
    """The session is part of the transaction, not of an earlier check."""
    claims = await scene.worker()
    await scene.store.txn(deletes=[scene.keys.health("worker-1")])

    assert NoSession() == await claims.claim(scene.tick(), deadline=deadline())


async def test_a_garbage_cursor_is_reported(scene):
    """The job stops rather than run at random."""
    claims = await scene.worker()
    await scene.store.txn(puts=[Put(scene.keys.cursor(scene.spec.uid), b"yesterday")])

    with pytest.raises(CorruptValue, match="must be 12 digits"):
        await claims.claim(scene.tick(), deadline=deadline())


async def test_a_lost_answer_is_read_back(scene):
    """The transaction was made, the answer was not heard: the nonce tells that the tick is ours."""
    claims = await scene.worker(store=_DeafOnce(scene.store))

    result = await claims.claim(scene.tick(), deadline=deadline())

    assert isinstance(result, Won)
    execution = ExecutionId.of_tick(scene.spec.uid, TICK)
    run = await scene.store.txn(reads=[scene.keys.run(execution)])
    kv = run.reads[scene.keys.run(execution)]
    assert kv is not None
    assert kv.create_revision == result.fence


async def test_missed_ticks_travel_in_the_run_record(scene):
    """So that they are accounted for even if the worker dies now."""
    claims = await scene.worker()
    missed = MissedTicks(first=TICK - 30, last=TICK - 10, count=3)

    result = await claims.claim(scene.tick(missed=missed), deadline=deadline())

    assert isinstance(result, Won)
    run = await scene.read(scene.keys.run(ExecutionId.of_tick(scene.spec.uid, TICK)))
    assert run is not None
    assert missed == RunRecord.decode("run", run).missed


async def test_a_skip_moves_the_cursor_alone(scene):
    """A slower worker cannot start the tick afterwards."""
    first, second = await scene.worker("worker-1"), await scene.worker("worker-2")

    assert Done() == await first.skip(scene.tick(), deadline=deadline())
    assert CursorMoved(TICK) == await second.claim(scene.tick(), deadline=deadline())
    assert await scene.read(scene.keys.run(ExecutionId.of_tick(scene.spec.uid, TICK))) is None


async def test_finish_releases_run_and_lock_and_puts_the_retry(scene):
    """After it the next tick can be claimed, and the next attempt is stored."""
    claims = await scene.worker()
    won = await claims.claim(scene.tick(), deadline=deadline())
    execution = ExecutionId.of_tick(scene.spec.uid, TICK)
    now = SystemClock().now()
    retry = Trigger(cause=Cause.RETRY, tick=TICK, attempt=2, not_before=now, expires_at=now, scheduled_at=now)

    assert isinstance(won, Won)
    assert await claims.finish(execution, won.fence, exclusive=True, retry=(f"{TICK}.2", retry))
    assert await scene.read(scene.keys.run(execution)) is None
    assert await scene.read(scene.keys.lock(scene.spec.uid)) is None
    assert await scene.read(scene.keys.trigger(scene.spec.uid, f"{TICK}.2")) is not None
    assert not await claims.finish(execution, won.fence, exclusive=True, retry=None)


async def test_finish_leaves_a_lock_that_is_not_its_own(scene):
    """Situation 21: the lease ended, another execution holds the job by now."""
    claims = await scene.worker()
    won = await claims.claim(scene.tick(), deadline=deadline())
    lock = scene.keys.lock(scene.spec.uid)
    await scene.store.txn(puts=[Put(lock, b"another")])

    assert isinstance(won, Won)
    execution = ExecutionId.of_tick(scene.spec.uid, TICK)
    assert await claims.finish(execution, won.fence, exclusive=True, retry=None)
    assert b"another" == await scene.read(lock)


async def test_a_trigger_is_claimed_once(scene):
    """Its key is the guard; the second worker finds it gone."""
    first, second = await scene.worker("worker-1"), await scene.worker("worker-2")
    now = SystemClock().now()
    trigger = Trigger(cause=Cause.MANUAL, not_before=now, expires_at=now, scheduled_at=now)
    key = scene.keys.trigger(scene.spec.uid, "abc")
    put = await scene.store.txn(puts=[Put(key, trigger.encode())])
    claim = TriggerClaim(
        spec=scene.spec,
        job_key=scene.keys.job(scene.spec.namespace, scene.spec.name),
        job_revision=scene.job_revision,
        trigger=trigger,
        trigger_key=key,
        trigger_revision=put.revision,
        execution=ExecutionId.of_trigger(scene.spec.uid, "abc"),
    )

    assert isinstance(await first.claim_trigger(claim, deadline=deadline()), Won)
    assert Stale() == await second.claim_trigger(claim, deadline=deadline())


async def test_only_the_first_blocked_tick_is_queued(scene):
    """Situation 3: while one waits, the next is told so."""
    claims = await scene.worker()
    now = SystemClock().now()
    trigger = Trigger(cause=Cause.QUEUED, tick=TICK, not_before=now, expires_at=now, scheduled_at=now)
    lease = await scene.store.grant(60)

    first = await claims.queue(scene.tick(), trigger, lease_id=lease.id, deadline=deadline())
    second = await claims.queue(
        scene.tick(TICK + 60, cursor=TICK), trigger, lease_id=lease.id, deadline=deadline()
    )

    assert Done() == first
    assert isinstance(second, Blocked)


class _DeafOnce:
    """A connection that loses the answer of the first transaction with writes."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self._is_deaf = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def txn(self, **parts: object) -> object:
        result = await self._store.txn(**parts)
        if self._is_deaf and parts.get("puts"):
            self._is_deaf = False
            raise OutcomeUnknown
        return result
