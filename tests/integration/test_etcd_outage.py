"""The etcd adapter when etcd goes away, falls silent and comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from common.domain.errors import OutcomeUnknown, StoreUnavailable
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from common.kv.feed import Feed
from common.kv.session import Session
from common.kv.values import Put
from common.runtime.clock import SystemClock
from tests.servers import EtcdServer, find_etcd, free_port, start_etcd

pytestmark = pytest.mark.integration


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EtcdServer]:
    """An etcd of this test's own."""
    server = start_etcd(find_etcd("3.5"), tmp_path)
    yield server
    server.kill()


@pytest.fixture
async def own(server: EtcdServer) -> AsyncIterator[EtcdStore]:
    async with EtcdStore(EtcdSettings(endpoints=(server.endpoint,), call_timeout_s=2.0)) as store:
        yield store


async def seconds_until(attempt: Callable[[], Awaitable[object]], limit_s: float) -> float:
    """How long it takes until *attempt* raises no StoreUnavailable any more."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    while True:
        try:
            await attempt()
        except StoreUnavailable:
            assert loop.time() - start_s < limit_s
            await asyncio.sleep(0.05)
        else:
            return loop.time() - start_s


async def test_an_etcd_that_is_away_is_no_error_until_it_is_asked() -> None:
    """A store can be opened without etcd; calls then say that they surely did not happen."""
    async with EtcdStore(EtcdSettings(endpoints=(f"127.0.0.1:{free_port()}",))) as store:
        for request in (store.list("/"), store.txn(puts=[Put("/a", b"")]), store.grant(5), store.renew(1)):
            with pytest.raises(StoreUnavailable):
                await request
        with pytest.raises(StoreUnavailable):
            await anext(store.watch("/", from_revision=1))


async def test_a_closed_store_says_so() -> None:
    """Calls after the close are refused in words."""
    store = EtcdStore(EtcdSettings(endpoints=("127.0.0.1:1",)))
    await store.open()
    await store.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        await store.list("/")


async def test_a_call_under_way_survives_the_close_as_an_error(server: EtcdServer, own: EtcdStore) -> None:
    """Closing the store cancels nobody: a waiting writer is told that the outcome is unknown."""
    await own.status()
    server.server.freeze()
    waiting = asyncio.create_task(own.txn(puts=[Put("/a", b"1")]))
    await asyncio.sleep(0.2)
    await own.close()

    with pytest.raises(OutcomeUnknown):
        await waiting


@pytest.mark.slow
async def test_calls_work_again_within_a_second_of_an_outage(server: EtcdServer, own: EtcdStore) -> None:
    """However long etcd was away, its clients do not wait longer than it takes to try."""
    await own.status()
    server.kill()
    over_s = asyncio.get_running_loop().time() + 10
    while asyncio.get_running_loop().time() < over_s:
        with pytest.raises((StoreUnavailable, OutcomeUnknown)):
            await own.txn(puts=[Put("/a", b"1")])
        await asyncio.sleep(0.1)
    server.start()

    assert await seconds_until(own.status, 10) < 1.5


async def test_a_frozen_etcd_leaves_a_write_unknown(server: EtcdServer, own: EtcdStore) -> None:
    """Without an answer nobody knows whether the write will happen; a read surely did nothing."""
    await own.status()
    server.server.freeze()
    with pytest.raises(OutcomeUnknown):
        await own.txn(puts=[Put("/a", b"1")])
    with pytest.raises(StoreUnavailable):
        await own.list("/")
    server.server.thaw()
    await seconds_until(own.status, 10)

    assert (await own.txn(puts=[Put("/a", b"2")])).succeeded


async def test_writes_under_way_when_etcd_is_killed_are_unknown_or_undone(
    server: EtcdServer, own: EtcdStore
) -> None:
    """What was confirmed is there, and what surely did not happen is not."""
    confirmed, undone, unknown = set(), set(), set()

    async def write(number: int) -> None:
        key = f"/k/{number:04}"
        try:
            await own.txn(puts=[Put(key, b"1")])
            confirmed.add(key)
        except StoreUnavailable:
            undone.add(key)
        except OutcomeUnknown:
            unknown.add(key)

    await write(0)
    async with asyncio.TaskGroup() as group:
        for number in range(1, 1500):
            group.create_task(write(number))
            if number == 700:
                await asyncio.sleep(0.02)
                server.kill()
    server.start()
    await seconds_until(own.status, 10)
    stored = {item.key for item in (await own.list("/k/")).items}

    assert confirmed <= stored
    assert not undone & stored
    assert stored <= confirmed | unknown
    assert undone


async def test_a_watch_breaks_and_a_feed_goes_on(server: EtcdServer, own: EtcdStore) -> None:
    """Three seconds without etcd: the feed resumes where it was and tells what happened meanwhile."""
    feed = Feed(own, "/jobs/", jitter=lambda: 1.0, name="jobs")
    await own.txn(puts=[Put("/jobs/a", b"1")])
    told: list[str] = []

    async def write(key: str) -> None:
        await own.txn(puts=[Put(key, b"1")])

    async with asyncio.timeout(30), aclosing(feed.events()) as events:
        async for event in events:
            told.extend(change.key for change in event.changes)
            if event.synced:
                server.kill()
                with pytest.raises((StoreUnavailable, OutcomeUnknown)):
                    await write("/jobs/a")
                await asyncio.sleep(3)
                server.start()
                await seconds_until(lambda: write("/jobs/b"), 10)
            if "/jobs/b" in told:
                break

    assert ["/jobs/a", "/jobs/b"] == told
    assert (1, 0, False) == (feed.relist_count, feed.drift_count, feed.rewound.is_set())


async def test_a_feed_notices_a_restored_etcd(server: EtcdServer, own: EtcdStore, tmp_path: Path) -> None:
    """Another etcd with fewer revisions answers at the same address: rewound, and the view follows."""
    feed = Feed(own, "/jobs/", jitter=lambda: 1.0, name="jobs")
    for number in range(20):
        await own.txn(puts=[Put(f"/jobs/{number % 2}", b"1")])
    view: set[str] = set()
    replacement = None
    async with asyncio.timeout(30), aclosing(feed.events()) as events:
        async for event in events:
            for change in event.changes:
                (view.discard if change.deleted else view.add)(change.key)
            if event.synced and replacement is not None:
                break
            if event.synced:
                server.kill()
                port = int(server.endpoint.rpartition(":")[2])
                replacement = start_etcd(find_etcd("3.5"), tmp_path / "restored", port=port)
    replacement.kill()

    assert feed.rewound.is_set()
    assert set() == view


async def test_a_session_survives_a_short_outage(server: EtcdServer, own: EtcdStore) -> None:
    """Three seconds without etcd cost a lease of ten nothing."""
    session = Session(own, SystemClock(), ttl_s=10)
    async with asyncio.timeout(60):
        keeping = asyncio.create_task(session.run())
        await session.opened()
        server.kill()
        await asyncio.sleep(3)
        server.start()
        deadline_s = session.deadline_s
        while session.deadline_s == deadline_s:  # noqa: ASYNC110  # a number of the product, not an event
            await asyncio.sleep(0.05)

    assert 1 == session.epoch
    keeping.cancel()
    await asyncio.wait({keeping})


async def test_a_revoked_session_is_replaced(server: EtcdServer, own: EtcdStore) -> None:
    """Somebody revokes the lease: the session notices with its next renewal and takes a new one."""
    session = Session(own, SystemClock(), ttl_s=5)
    async with asyncio.timeout(30):
        keeping = asyncio.create_task(session.run())
        await session.opened()
        await own.revoke(session.lease_id)
        await session.lost(1)
        epoch = await session.opened()
        ttl_s = await own.renew(session.lease_id)
        await session.close()

    assert (2, 5) == (epoch, ttl_s)
    keeping.cancel()
    await asyncio.wait({keeping})
