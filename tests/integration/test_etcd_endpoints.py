"""Several endpoints, large listings, and watches that have little to say."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from common.domain.errors import Compacted, StoreUnavailable
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from common.kv.feed import Feed
from common.kv.values import Changes, Put
from tests.kv_compaction import compact_etcd
from tests.servers import EtcdServer, find_etcd, free_port, start_etcd

pytestmark = pytest.mark.integration


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EtcdServer]:
    """An etcd of this test's own."""
    server = start_etcd(find_etcd("3.5"), tmp_path)
    yield server
    server.kill()


async def test_the_first_endpoint_is_dead(etcd_endpoint: str, key_prefix: str) -> None:
    """The very first call goes on to the next endpoint, also when it writes."""
    endpoints = (f"127.0.0.1:{free_port()}", etcd_endpoint)
    async with EtcdStore(EtcdSettings(endpoints=endpoints)) as store:
        result = await store.txn(puts=[Put(key_prefix + "a", b"1")])
        status = await store.status()

    assert (True, etcd_endpoint) == (result.succeeded, status.endpoint)


async def test_every_kind_of_call_finds_the_living_endpoint(etcd_endpoint: str, key_prefix: str) -> None:
    """A fresh store whose first endpoint is dead: leases and watches arrive as well."""
    endpoints = (f"127.0.0.1:{free_port()}", etcd_endpoint)
    async with EtcdStore(EtcdSettings(endpoints=endpoints)) as store:
        lease = await store.grant(5)
        assert 5 == await store.renew(lease.id)
    async with EtcdStore(EtcdSettings(endpoints=endpoints)) as store:
        feed = Feed(store, key_prefix, name="test")
        async with asyncio.timeout(10), aclosing(feed.events()) as events:
            assert (await anext(events)).synced


async def test_a_frozen_endpoint_is_left(server: EtcdServer, etcd_endpoint: str) -> None:
    """A read that got no answer is what moves everybody on; the next call works."""
    settings = EtcdSettings(endpoints=(server.endpoint, etcd_endpoint), call_timeout_s=1.0)
    async with EtcdStore(settings) as store:
        first = (await store.status()).endpoint
        server.server.freeze()
        with pytest.raises(StoreUnavailable):
            await store.list("/")
        second = (await store.status()).endpoint
        server.server.thaw()

    assert (server.endpoint, etcd_endpoint) == (first, second)


async def test_5000_keys_come_from_one_revision(store: EtcdStore, key_prefix: str) -> None:
    """A listing in pages shows one moment, whatever is written while it is read."""
    for start in range(0, 5000, 100):
        keys = [f"{key_prefix}{number:05}" for number in range(start, start + 100)]
        await store.txn(puts=[Put(key, b"old") for key in keys])
    is_listed = asyncio.Event()

    async def disturb() -> None:
        number = 0
        while not is_listed.is_set():
            pair = (f"{key_prefix}{number % 2500:05}", f"{key_prefix}{number % 2500 + 2500:05}")
            await store.txn(puts=[Put(key, b"%d" % number) for key in pair])
            number += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(disturb())
        for _ in range(5):
            listing = await store.list(key_prefix)
            values = [item.value for item in listing.items]

            assert 5000 == len(values)
            assert values[:2500] == values[2500:]
            assert max(item.mod_revision for item in listing.items) <= listing.revision
        is_listed.set()


async def test_values_of_64_kib_come_in_pages(store: EtcdStore, key_prefix: str) -> None:
    """A page of big values is larger than gRPC allows unless told."""
    for number in range(120):
        await store.txn(puts=[Put(f"{key_prefix}{number}", bytes(65_536))])
    listing = await store.list(key_prefix)

    assert 120 * 65_536 == sum(len(item.value) for item in listing.items)


async def test_later_pages_are_cut_by_the_size_of_their_values(store: EtcdStore, key_prefix: str) -> None:
    """A thousand keys in the first page, about 8 MiB in each that follows: every key once, in order."""
    keys = [f"{key_prefix}{number:05}" for number in range(1_700)]
    for start in range(0, len(keys), 50):
        await store.txn(puts=[Put(key, bytes(16 * 1024)) for key in keys[start : start + 50]])
    listing = await store.list(key_prefix)

    assert keys == [item.key for item in listing.items]
    assert {16 * 1024} == {len(item.value) for item in listing.items}


async def test_news_that_came_meanwhile_come_together(store: EtcdStore, key_prefix: str) -> None:
    """Who was busy elsewhere catches up in one step, every change once and in order."""
    start = (await store.txn(puts=[Put(key_prefix + "start", b"")])).revision
    keys = [f"{key_prefix}{number:03}" for number in range(200)]
    told: list[Changes] = []
    async with aclosing(store.watch(key_prefix, from_revision=start + 1)) as watch:
        told.append(await anext(watch))
        step = asyncio.create_task(anext(watch))  # begins to read
        for key in keys:
            await store.txn(puts=[Put(key, b"")])
        told.append(await step)
        while sum(len(batch.items) for batch in told) < len(keys):
            await asyncio.sleep(0.2)
            told.append(await anext(watch))

    assert keys == [change.kv.key for batch in told for change in batch.items]
    assert told[-1].revision == told[-1].items[-1].kv.mod_revision
    assert len(told) < 10


async def test_a_silent_watch_asks_for_progress(etcd_endpoint: str, key_prefix: str) -> None:
    """A watch with nothing to say reports progress, and is not believed before a second report."""
    settings = EtcdSettings(endpoints=(etcd_endpoint,), progress_after_s=0.2, silence_limit_s=2.0)
    async with EtcdStore(settings) as store:
        start = (await store.txn(puts=[Put(key_prefix + "a", b"1")])).revision
        async with asyncio.timeout(10), aclosing(store.watch(key_prefix, from_revision=start + 1)) as watch:
            stands = await anext(watch)
            elsewhere = (await store.txn(puts=[Put(key_prefix[:-1] + "-elsewhere", b"1")])).revision
            first, second = await anext(watch), await anext(watch)

    assert [Changes(start), Changes(start)] == [stands, first]
    assert (True, ()) == (second.revision >= elsewhere, second.items)


async def test_a_watch_that_falls_silent_is_given_up(server: EtcdServer) -> None:
    """No sign of life although asked for one: the stream counts as broken."""
    settings = EtcdSettings(endpoints=(server.endpoint,), progress_after_s=0.2, silence_limit_s=1.0)
    async with EtcdStore(settings) as store, aclosing(store.watch("/", from_revision=1)) as watch:
        await anext(watch)
        server.server.freeze()
        with pytest.raises(StoreUnavailable, match="silent"):
            await asyncio.wait_for(_drain(watch), 10)
        server.server.thaw()


async def _drain(watch: AsyncIterator[Changes]) -> None:
    async for _ in watch:
        pass


async def test_a_feed_goes_over_compaction(server: EtcdServer) -> None:
    """The history is gone while etcd was away for the feed: it lists again and tells the difference."""
    async with EtcdStore(EtcdSettings(endpoints=(server.endpoint,))) as store:
        await store.txn(puts=[Put("/jobs/kept", b"1"), Put("/jobs/gone", b"1")])
        feed = Feed(store, "/jobs/", jitter=lambda: 1.0, name="jobs")
        told: list[tuple[str, bool]] = []
        async with asyncio.timeout(30), aclosing(feed.events()) as events:
            await anext(events)
            # Everything below happens before the feed has begun to watch.
            await store.txn(puts=[Put("/jobs/new", b"1")], deletes=["/jobs/gone"])
            last = (await store.txn(puts=[Put("/jobs/new", b"2")])).revision
            await compact_etcd(server.endpoint, last)
            async for event in events:
                told.extend((change.key, change.deleted) for change in event.changes)
                if event.synced:
                    break

    assert [("/jobs/new", False), ("/jobs/gone", True)] == told
    assert (2, 0) == (feed.relist_count, feed.drift_count)


async def test_a_closed_watch_ends_at_the_server(server: EtcdServer) -> None:
    """Opening and closing watches leaves nothing behind."""
    async with EtcdStore(EtcdSettings(endpoints=(server.endpoint,))) as store:
        for _ in range(50):
            async with aclosing(store.watch("/", from_revision=1)) as watch:
                await anext(watch)
        await _until_no_watchers(server.endpoint)


async def _until_no_watchers(endpoint: str) -> None:
    import urllib.request

    async with asyncio.timeout(10):
        while True:
            page = await asyncio.to_thread(
                lambda: urllib.request.urlopen(f"http://{endpoint}/metrics", timeout=5).read().decode()
            )
            if "\netcd_debugging_mvcc_watcher_total 0\n" in page:
                return
            await asyncio.sleep(0.1)


async def test_a_watch_from_a_compacted_revision(server: EtcdServer) -> None:
    """The error carries the revision etcd begins at."""
    async with EtcdStore(EtcdSettings(endpoints=(server.endpoint,))) as store:
        for _ in range(5):
            last = (await store.txn(puts=[Put("/a", b"1")])).revision
        await compact_etcd(server.endpoint, last)
        with pytest.raises(Compacted) as raised:
            async for _ in store.watch("/", from_revision=2):
                pass

    assert last == raised.value.compact_revision
