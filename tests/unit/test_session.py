"""The session on virtual time, over the fake store."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from common.kv.session import Session
from common.kv.values import Put
from tests.fakes.kv import FakeStore
from tests.fakes.kv_client import FakeClient
from tests.sim.clocks import SkewedClock
from tests.sim.loop import Host, JumpingLoop
from tests.sim.playing import play

TTL_S = 10


class Scene:
    """One session that runs, its connection, and the store behind it."""

    def __init__(self, loop: JumpingLoop) -> None:
        self.loop = loop
        self.host = Host(loop, "worker")
        self.clock = SkewedClock(loop)
        self.store = FakeStore()
        self.session = Session(self.client, self.clock, ttl_s=TTL_S)

    @property
    def client(self) -> FakeClient:
        return self.store.client("worker")

    @asynccontextmanager
    async def running(self):
        running = self.host.start(self.session.run(), name="session")
        await self.session.opened()
        yield self
        running.cancel()
        await asyncio.wait({running})

    def is_lease_alive(self) -> bool:
        return self.session.lease_id in self.store.lease_ids


def on_virtual_time(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run *story* on a loop whose time jumps."""

    def test() -> None:
        play(lambda loop: story(Scene(loop)))

    test.__name__, test.__doc__ = story.__name__, story.__doc__
    return test


@on_virtual_time
async def test_a_session_lives_as_long_as_it_is_renewed(scene: Scene) -> None:
    """An undisturbed session keeps its first lease."""
    async with scene.running() as s:
        await asyncio.sleep(3600)

        assert (1, True) == (s.session.epoch, s.is_lease_alive())
        assert s.session.remaining_s() > TTL_S / 2


@on_virtual_time
async def test_it_renews_at_a_third_of_the_ttl(scene: Scene) -> None:
    """Ten seconds make three renewals each."""
    async with scene.running() as s:
        await asyncio.sleep(100)

        assert 29 <= s.store.calls["worker", "renew"] <= 30


@on_virtual_time
async def test_the_deadline_counts_from_the_sending(scene: Scene) -> None:
    """A slow answer does not make the lease live longer."""
    scene.client.delay_s = lambda: 0.75
    sent_at_s = scene.clock.uptime_s()
    async with scene.running() as s:
        assert sent_at_s + TTL_S == pytest.approx(s.session.deadline_s)
        await asyncio.sleep(60)

        renewed_at_s = s.session.deadline_s - TTL_S
        assert 0 == s.session.deadline_s or renewed_at_s <= s.clock.uptime_s() - 1.5 + TTL_S / 3


@on_virtual_time
async def test_the_ttl_of_the_store_counts(scene: Scene) -> None:
    """A store may grant more than was asked for."""
    scene.session = Session(scene.client, scene.clock, ttl_s=1)
    async with scene.running() as s:
        assert 2 == s.session.ttl_s


@on_virtual_time
async def test_a_revoked_lease_is_replaced(scene: Scene) -> None:
    """Losing the lease is told with its epoch, and a new one is granted."""
    async with scene.running() as s:
        lost = asyncio.create_task(s.session.lost(1))
        await asyncio.sleep(1)
        is_early = lost.done()
        s.store.expire(s.session.lease_id)
        await lost
        epoch = await s.session.opened()

        assert (False, 2) == (is_early, epoch)
        assert s.is_lease_alive()


@on_virtual_time
async def test_a_loss_of_the_past_is_told_at_once(scene: Scene) -> None:
    """Who asks too late does not wait for ever."""
    async with scene.running() as s:
        s.store.expire(s.session.lease_id)
        await s.session.lost(1)
        await s.session.opened()
        async with asyncio.timeout(1):
            await s.session.lost(1)


@on_virtual_time
async def test_a_partitioned_session_ends_before_its_lease(scene: Scene) -> None:
    """The loss is known here no later than the lease ends at the store."""
    async with scene.running() as s:
        s.store.observers.append(lambda client, _: ended.append(s.loop.time()) if not client else None)
        ended: list[float] = []
        await s.client.txn(puts=[Put("/health", b"x", s.session.lease_id)])
        await asyncio.sleep(7)
        s.client.partitioned = True
        with capture_logs() as logs:
            await s.session.lost(1)
        told_at_s = s.loop.time()
        await asyncio.sleep(TTL_S)

        assert told_at_s <= ended[0]
        assert ["session.lost"] == [entry["event"] for entry in logs if entry["log_level"] == "warning"]


@on_virtual_time
async def test_a_short_outage_costs_nothing(scene: Scene) -> None:
    """Renewals that fail are repeated quickly enough for the lease to live on."""
    async with scene.running() as s:
        for _ in range(20):
            s.client.partitioned = True
            await asyncio.sleep(3.5)
            s.client.partitioned = False
            await asyncio.sleep(4)

        assert (1, True) == (s.session.epoch, s.is_lease_alive())


@on_virtual_time
async def test_lost_answers_cost_nothing(scene: Scene) -> None:
    """Two of three answers to renewals are lost, and the lease lives on."""
    numbers = iter(range(1, 1_000_000))
    async with scene.running() as s:
        s.client.lose_answer = lambda kind: kind == "renew" and next(numbers) % 3 != 0
        await asyncio.sleep(600)

        assert 1 == s.session.epoch


@on_virtual_time
async def test_a_session_comes_back_after_a_long_outage(scene: Scene) -> None:
    """The store is away for a minute: lost in time, opened again within two seconds or so."""
    async with scene.running() as s:
        s.store.away = True
        await s.session.lost(1)
        lost_after_s = s.loop.time()
        await asyncio.sleep(60 - lost_after_s)
        s.store.away = False
        epoch = await s.session.opened()

        assert 2 == epoch
        assert (lost_after_s <= TTL_S, s.loop.time() <= 62.5) == (True, True)


@on_virtual_time
async def test_a_frozen_process_finds_its_session_lost(scene: Scene) -> None:
    """It wakes up after the lease, and never takes the old lease for alive."""
    async with scene.running() as s:
        s.host.freeze()
        await asyncio.sleep(30)
        remaining_s = s.session.remaining_s()
        s.host.thaw()
        await s.session.lost(1)
        epoch = await s.session.opened()

        assert remaining_s < 0
        assert 2 == epoch


@on_virtual_time
async def test_closing_gives_the_lease_back(scene: Scene) -> None:
    """Others need not wait for the end of the lease, and no new one is taken."""
    async with scene.running() as s:
        await s.session.close()
        await asyncio.sleep(60)

        assert [] == s.store.lease_ids
        assert 0 == s.session.lease_id


@on_virtual_time
async def test_closing_does_not_wait_for_a_dead_link(scene: Scene) -> None:
    """Giving the lease back is best effort, two seconds at most."""
    async with scene.running() as s:
        s.client.partitioned = True
        before_s = s.loop.time()
        await s.session.close()

        assert 2.0 == pytest.approx(s.loop.time() - before_s)
