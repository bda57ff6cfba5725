"""The contract of key-value stores, watches: nothing lost, nothing torn, the past included."""

import asyncio
from contextlib import aclosing

import pytest

from common.domain.errors import Compacted
from common.kv.port import KeyValueStore
from common.kv.values import Changes, Put
from tests.contract.stores import Backend, put, until_changes


async def test_a_watch_first_says_that_it_stands(kv: KeyValueStore, at: str) -> None:
    """The first answer has no items and the revision before the first one asked for."""
    revision = await put(kv, at + "a")
    async with asyncio.timeout(10), aclosing(kv.watch(at, from_revision=revision + 1)) as watch:
        first = await anext(watch)

    assert Changes(revision) == first


async def test_a_watch_tells_the_past_from_its_revision_on(kv: KeyValueStore, at: str) -> None:
    """Nothing between the listing and the watch is lost, and nothing before is told."""
    await put(kv, at + "a", b"0")
    first = await put(kv, at + "a", b"1")
    await put(kv, at + "a", b"2")
    last = (await kv.txn(deletes=[at + "a"])).revision
    await put(kv, at[:-1] + "-elsewhere")
    batches = await until_changes(kv, at, first, 3)

    assert [(b"1", False), (b"2", False), (b"", True)] == [
        (change.kv.value, change.deleted) for batch in batches for change in batch.items
    ]
    assert last == batches[-1].revision


async def test_a_watch_tells_what_happens_in_order(kv: KeyValueStore, at: str) -> None:
    """Every write once, in the order of revisions, each batch complete up to its revision."""
    start = await put(kv, at + "start")
    watching = asyncio.create_task(until_changes(kv, at, start + 1, 50))
    written = [await put(kv, f"{at}{number % 7}") for number in range(50)]
    batches = await watching

    assert written == [change.kv.mod_revision for batch in batches for change in batch.items]
    assert [batch.items[-1].kv.mod_revision for batch in batches] == [batch.revision for batch in batches]


async def test_a_transaction_is_watched_as_a_whole(kv: KeyValueStore, at: str) -> None:
    """The changes of one revision are never torn apart."""
    start = await put(kv, at + "old")
    await kv.txn(puts=[Put(f"{at}{number:03}", b"x" * 1000) for number in range(100)], deletes=[at + "old"])
    batches = await until_changes(kv, at, start + 1, 101)

    assert [101] == [len(batch.items) for batch in batches]


async def test_a_watch_from_a_forgotten_revision_says_so(backend: Backend, at: str) -> None:
    """Compaction is told with the revision the store begins at."""
    kv = backend.store
    first = await put(kv, at + "a")
    last = [await put(kv, at + "a") for _ in range(3)][-1]
    await backend.compact(last)

    with pytest.raises(Compacted) as raised:
        await until_changes(kv, at, first, 4)
    assert last == raised.value.compact_revision


async def test_a_standing_watch_survives_compaction(backend: Backend, at: str) -> None:
    """Who has kept up loses nothing."""
    kv = backend.store
    revision = await put(kv, at + "a")
    async with asyncio.timeout(10), aclosing(kv.watch(at, from_revision=revision + 1)) as watch:
        await anext(watch)
        await backend.compact(revision)
        written = await put(kv, at + "b")
        batch = await anext(watch)

    assert (written, at + "b") == (batch.revision, batch.items[0].key)


async def test_status_tells_the_revision(kv: KeyValueStore, at: str) -> None:
    """The status is that of the store just written to."""
    revision = await put(kv, at + "a")
    status = await kv.status()
    listing = await kv.list(at)

    assert (revision, listing.cluster_id) == (status.revision, status.cluster_id)
    assert status.version.startswith("3.")
