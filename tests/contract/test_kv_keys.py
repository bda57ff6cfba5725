"""The contract of key-value stores, keys and revisions: what a write counts and a listing shows."""

from common.kv.port import KeyValueStore
from common.kv.values import KeyValue, Put
from tests.contract.stores import put, read


async def test_a_put_counts_revisions_and_versions(kv: KeyValueStore, at: str) -> None:
    """A key remembers when it was created and last written, and how often."""
    first = await put(kv, at + "a", b"1")
    second = await put(kv, at + "a", b"2")

    assert KeyValue(at + "a", b"2", first, second, version=2, lease=0) == await read(kv, at + "a")


async def test_a_deleted_key_starts_anew(kv: KeyValueStore, at: str) -> None:
    """A key that is written after its deletion is a new one."""
    await put(kv, at + "a")
    await kv.txn(deletes=[at + "a"])
    again = await put(kv, at + "a")
    found = await read(kv, at + "a")

    assert found is not None
    assert (again, again, 1) == (found.create_revision, found.mod_revision, found.version)


async def test_the_writes_of_a_transaction_share_one_revision(kv: KeyValueStore, at: str) -> None:
    """All writes of one transaction happen at the revision it reports."""
    before = await put(kv, at + "gone")
    result = await kv.txn(puts=[Put(at + "a", b"1"), Put(at + "b", b"2")], deletes=[at + "gone"])
    listing = await kv.list(at)

    assert before + 1 == result.revision
    assert [(at + "a", result.revision), (at + "b", result.revision)] == [
        (item.key, item.mod_revision) for item in listing.items
    ]


async def test_deleting_what_is_not_there_changes_nothing(kv: KeyValueStore, at: str) -> None:
    """A transaction without an effect takes no revision."""
    before = await put(kv, at + "a")
    result = await kv.txn(deletes=[at + "missing"])

    assert (True, before) == (result.succeeded, result.revision)


async def test_a_listing_is_sorted_and_stays_below_its_prefix(kv: KeyValueStore, at: str) -> None:
    """Keys come in order, and neighbours of the prefix do not."""
    for name in ("b", "a/2", "a/1", "a0"):
        await put(kv, at + name)
    listing = await kv.list(at + "a/")

    assert [at + "a/1", at + "a/2"] == [item.key for item in listing.items]


async def test_an_empty_listing_still_tells_the_revision(kv: KeyValueStore, at: str) -> None:
    """The revision of a listing is the store's, so a watch can begin there."""
    before = await put(kv, at + "a")
    listing = await kv.list(at + "nothing/")

    assert (before, ()) == (listing.revision, listing.items)


async def test_a_listing_of_several_pages_is_complete(kv: KeyValueStore, at: str) -> None:
    """More keys than fit a page come once each."""
    keys = [f"{at}{number:05}" for number in range(2500)]
    for start in range(0, len(keys), 100):
        await kv.txn(puts=[Put(key, b"x") for key in keys[start : start + 100]])
    listing = await kv.list(at)

    assert keys == [item.key for item in listing.items]
