"""What every key-value store must do: one suite over the fake, etcd 3.5 and etcd 3.4.

A fake that passes may be trusted by the simulation.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from common.domain.errors import Compacted, InvalidInput, LeaseLost
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from common.kv.port import KeyValueStore
from common.kv.values import (
    Change,
    Changes,
    Compare,
    KeyValue,
    Operator,
    Put,
    Target,
    absent,
    created_at,
    exists,
    modified_at,
    value_below,
    value_is,
)
from tests.fakes.kv import FakeStore
from tests.kv_compaction import compact_etcd

_NO_LEASE = 0x0123456789


@pytest.fixture(
    params=[
        "fake",
        pytest.param("etcd_endpoint", marks=pytest.mark.integration, id="etcd 3.5"),
        pytest.param("etcd34_endpoint", marks=pytest.mark.integration, id="etcd 3.4"),
    ]
)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator["_Backend"]:
    if request.param == "fake":
        fake = FakeStore()
        yield _Backend(fake.client("test"), fake, "")
        return
    endpoint = request.getfixturevalue(request.param)
    async with EtcdStore(EtcdSettings(endpoints=(endpoint,))) as store:
        yield _Backend(store, None, endpoint)


class _Backend:
    def __init__(self, store: KeyValueStore, fake: FakeStore | None, endpoint: str) -> None:
        self.store = store
        self._fake = fake
        self._endpoint = endpoint

    async def compact(self, revision: int) -> None:
        if self._fake is not None:
            self._fake.compact(revision)
        else:
            await compact_etcd(self._endpoint, revision)


@pytest.fixture
def kv(backend: _Backend) -> KeyValueStore:
    return backend.store


@pytest.fixture
def at() -> str:
    """A prefix of this test's own."""
    return f"/contract/{uuid.uuid4().hex}/"


async def _put(kv: KeyValueStore, key: str, value: bytes = b"x", lease: int = 0) -> int:
    return (await kv.txn(puts=[Put(key, value, lease)])).revision


async def _read(kv: KeyValueStore, key: str) -> KeyValue | None:
    return (await kv.txn(reads=[key])).reads[key]


async def _until_changes(kv: KeyValueStore, prefix: str, from_revision: int, count: int) -> list[Changes]:
    """The batches of a watch until they hold *count* changes."""
    batches: list[Changes] = []
    async with asyncio.timeout(20), aclosing(kv.watch(prefix, from_revision=from_revision)) as watch:
        async for batch in watch:
            batches += [batch] if batch.items else []
            if sum(len(seen.items) for seen in batches) >= count:
                break
    return batches


# -- keys and revisions ------------------------------------------------------------------------------------


async def test_a_put_counts_revisions_and_versions(kv: KeyValueStore, at: str) -> None:
    """A key remembers when it was created and last written, and how often."""
    first = await _put(kv, at + "a", b"1")
    second = await _put(kv, at + "a", b"2")

    assert KeyValue(at + "a", b"2", first, second, version=2, lease=0) == await _read(kv, at + "a")


async def test_a_deleted_key_starts_anew(kv: KeyValueStore, at: str) -> None:
    """A key that is written after its deletion is a new one."""
    await _put(kv, at + "a")
    await kv.txn(deletes=[at + "a"])
    again = await _put(kv, at + "a")
    found = await _read(kv, at + "a")

    assert found is not None
    assert (again, again, 1) == (found.create_revision, found.mod_revision, found.version)


async def test_the_writes_of_a_transaction_share_one_revision(kv: KeyValueStore, at: str) -> None:
    """All writes of one transaction happen at the revision it reports."""
    before = await _put(kv, at + "gone")
    result = await kv.txn(puts=[Put(at + "a", b"1"), Put(at + "b", b"2")], deletes=[at + "gone"])
    listing = await kv.list(at)

    assert before + 1 == result.revision
    assert [(at + "a", result.revision), (at + "b", result.revision)] == [
        (item.key, item.mod_revision) for item in listing.items
    ]


async def test_deleting_what_is_not_there_changes_nothing(kv: KeyValueStore, at: str) -> None:
    """A transaction without an effect takes no revision."""
    before = await _put(kv, at + "a")
    result = await kv.txn(deletes=[at + "missing"])

    assert (True, before) == (result.succeeded, result.revision)


async def test_a_listing_is_sorted_and_stays_below_its_prefix(kv: KeyValueStore, at: str) -> None:
    """Keys come in order, and neighbours of the prefix do not."""
    for name in ("b", "a/2", "a/1", "a0"):
        await _put(kv, at + name)
    listing = await kv.list(at + "a/")

    assert [at + "a/1", at + "a/2"] == [item.key for item in listing.items]


async def test_an_empty_listing_still_tells_the_revision(kv: KeyValueStore, at: str) -> None:
    """The revision of a listing is the store's, so a watch can begin there."""
    before = await _put(kv, at + "a")
    listing = await kv.list(at + "nothing/")

    assert (before, ()) == (listing.revision, listing.items)


async def test_a_listing_of_several_pages_is_complete(kv: KeyValueStore, at: str) -> None:
    """More keys than fit a page come once each."""
    keys = [f"{at}{number:05}" for number in range(2500)]
    for start in range(0, len(keys), 100):
        await kv.txn(puts=[Put(key, b"x") for key in keys[start : start + 100]])
    listing = await kv.list(at)

    assert keys == [item.key for item in listing.items]


# -- transactions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda key, _: absent(key), False, id="absent"),
        pytest.param(lambda key, _: exists(key), True, id="exists"),
        pytest.param(created_at, True, id="created at its revision"),
        pytest.param(lambda key, revision: created_at(key, revision - 1), False, id="created at another"),
        pytest.param(modified_at, True, id="modified at its revision"),
        pytest.param(lambda key, _: modified_at(key, 0), False, id="modified at 0"),
        pytest.param(lambda key, _: value_is(key, b"005"), True, id="value is"),
        pytest.param(lambda key, _: value_is(key, b"006"), False, id="value is not"),
        pytest.param(lambda key, _: value_below(key, b"006"), True, id="value below"),
        pytest.param(lambda key, _: value_below(key, b"005"), False, id="value below itself"),
        pytest.param(
            lambda key, _: Compare(key, Target.VALUE, Operator.GREATER, b"004"), True, id="value above"
        ),
        pytest.param(
            lambda key, _: Compare(key, Target.VALUE, Operator.NOT_EQUAL, b"004"), True, id="value differs"
        ),
        pytest.param(
            lambda key, revision: Compare(key, Target.MOD_REVISION, Operator.LESS, revision + 1),
            True,
            id="modified before",
        ),
    ],
)
async def test_compare_an_existing_key(kv: KeyValueStore, at: str, make, expected: bool) -> None:
    """Comparisons with a key that holds 005."""
    revision = await _put(kv, at + "a", b"005")
    result = await kv.txn(compares=[make(at + "a", revision)], puts=[Put(at + "b", b"x")])

    assert expected == result.succeeded


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(absent, True, id="absent"),
        pytest.param(exists, False, id="exists"),
        pytest.param(lambda key: created_at(key, 0), True, id="created at 0"),
        pytest.param(lambda key: modified_at(key, 0), True, id="modified at 0"),
        pytest.param(lambda key: value_is(key, b""), False, id="value is empty"),
        pytest.param(lambda key: value_below(key, b"9"), False, id="value below"),
        pytest.param(
            lambda key: Compare(key, Target.VALUE, Operator.NOT_EQUAL, b"9"), False, id="value differs"
        ),
        pytest.param(lambda key: Compare(key, Target.VALUE, Operator.GREATER, b""), False, id="value above"),
    ],
)
async def test_compare_a_missing_key(kv: KeyValueStore, at: str, make, expected: bool) -> None:
    """Numbers of a missing key are 0; no comparison with its value is true."""
    result = await kv.txn(compares=[make(at + "missing")], puts=[Put(at + "b", b"x")])

    assert expected == result.succeeded


async def test_one_false_comparison_stops_everything(kv: KeyValueStore, at: str) -> None:
    """A transaction that does not succeed writes nothing and answers its reads."""
    revision = await _put(kv, at + "a", b"1")
    result = await kv.txn(
        compares=[exists(at + "a"), absent(at + "a")],
        puts=[Put(at + "a", b"2")],
        reads=[at + "a", at + "missing"],
    )

    assert (False, revision) == (result.succeeded, result.revision)
    assert {
        at + "a": KeyValue(at + "a", b"1", revision, revision, version=1, lease=0),
        at + "missing": None,
    } == result.reads


async def test_reads_are_answered_when_there_is_nothing_to_write(kv: KeyValueStore, at: str) -> None:
    """A transaction of reads only is a consistent read."""
    await _put(kv, at + "a", b"1")
    await _put(kv, at + "b", b"2")
    result = await kv.txn(reads=[at + "b", at + "a"])

    assert result.succeeded
    assert [b"2", b"1"] == [found.value for found in result.reads.values() if found]


async def test_a_successful_write_answers_no_reads(kv: KeyValueStore, at: str) -> None:
    """Reads are the explanation of a failure."""
    result = await kv.txn(compares=[absent(at + "a")], puts=[Put(at + "a", b"1")], reads=[at + "a"])

    assert (True, {}) == (result.succeeded, result.reads)


@pytest.mark.parametrize(
    ("puts", "deletes"),
    [
        pytest.param(["a", "a"], [], id="put twice"),
        pytest.param(["a"], ["a"], id="put and deleted"),
    ],
)
async def test_a_key_is_written_once_per_transaction(
    kv: KeyValueStore, at: str, puts: list[str], deletes: list[str]
) -> None:
    """The same key twice in one transaction is refused, and nothing is written."""
    with pytest.raises(InvalidInput):
        await kv.txn(puts=[Put(at + key, b"x") for key in puts], deletes=[at + key for key in deletes])

    assert await _read(kv, at + "a") is None


@pytest.mark.parametrize(("count", "is_allowed"), [(128, True), (129, False)])
async def test_a_transaction_has_at_most_128_operations(
    kv: KeyValueStore, at: str, count: int, is_allowed: bool
) -> None:
    """The limit is etcd's."""
    puts = [Put(f"{at}{number}", b"x") for number in range(count)]
    if is_allowed:
        assert (await kv.txn(puts=puts)).succeeded
    else:
        with pytest.raises(InvalidInput):
            await kv.txn(puts=puts)


async def test_only_one_of_many_claims_wins(kv: KeyValueStore, at: str) -> None:
    """Concurrent transactions that require absence: exactly one succeeds."""
    results = await asyncio.gather(
        *(kv.txn(compares=[absent(at + "lock")], puts=[Put(at + "lock", b"%d" % n)]) for n in range(20))
    )

    assert 1 == sum(result.succeeded for result in results)


# -- leases ------------------------------------------------------------------------------------------------


async def test_revoking_deletes_the_keys_at_one_revision(kv: KeyValueStore, at: str) -> None:
    """The end of a lease is one change of the store."""
    lease = await kv.grant(30)
    revision = await _put(kv, at + "a", b"1", lease.id)
    last = await _put(kv, at + "b", b"2", lease.id)
    await kv.revoke(lease.id)
    batches = await _until_changes(kv, at, last + 1, 2)

    assert revision + 1 == last
    assert [(at + "a", True, last + 1), (at + "b", True, last + 1)] == [
        (change.key, change.deleted, change.kv.mod_revision) for batch in batches for change in batch.items
    ]


async def test_a_lease_that_is_not_renewed_ends(kv: KeyValueStore, at: str) -> None:
    """Its keys vanish by themselves, and its renewal says that it is lost."""
    lease = await kv.grant(2)
    revision = await _put(kv, at + "a", b"1", lease.id)
    batches = await _until_changes(kv, at, revision + 1, 1)

    assert [Change(batches[0].items[0].kv, deleted=True)] == list(batches[0].items)
    with pytest.raises(LeaseLost):
        await kv.renew(lease.id)


async def test_a_renewed_lease_lives_on(kv: KeyValueStore, at: str) -> None:
    """Renewals answer with the granted TTL and keep the keys past the first end of the lease."""
    lease = await kv.grant(2)
    await _put(kv, at + "a", b"1", lease.id)
    loop = asyncio.get_running_loop()
    over_s = loop.time() + lease.ttl_s * 1.6
    while loop.time() < over_s:
        assert lease.ttl_s == await kv.renew(lease.id)
        await asyncio.sleep(0.4)

    assert await _read(kv, at + "a") is not None
    await kv.revoke(lease.id)


async def test_an_ended_lease_cannot_be_renewed_but_revoked(kv: KeyValueStore) -> None:
    """Renewing is an error of its own, revoking twice is none."""
    lease = await kv.grant(30)
    await kv.revoke(lease.id)
    await kv.revoke(lease.id)

    with pytest.raises(LeaseLost):
        await kv.renew(lease.id)


async def test_a_put_with_an_unknown_lease_aborts_the_transaction(kv: KeyValueStore, at: str) -> None:
    """Nothing is written, not even what names no lease."""
    with pytest.raises(LeaseLost):
        await kv.txn(puts=[Put(at + "a", b"1"), Put(at + "b", b"2", _NO_LEASE)])

    assert () == (await kv.list(at)).items


async def test_a_failed_comparison_is_told_before_an_unknown_lease(kv: KeyValueStore, at: str) -> None:
    """A lost race is a value, also for one whose session has ended meanwhile."""
    await _put(kv, at + "a")
    result = await kv.txn(compares=[absent(at + "a")], puts=[Put(at + "a", b"1", _NO_LEASE)])

    assert not result.succeeded


async def test_a_put_without_the_lease_detaches_the_key(kv: KeyValueStore, at: str) -> None:
    """The key outlives the lease it once hung on."""
    lease = await kv.grant(30)
    await _put(kv, at + "a", b"1", lease.id)
    await _put(kv, at + "a", b"2")
    await kv.revoke(lease.id)
    found = await _read(kv, at + "a")

    assert found is not None
    assert (b"2", 0) == (found.value, found.lease)


# -- watches -----------------------------------------------------------------------------------------------


async def test_a_watch_first_says_that_it_stands(kv: KeyValueStore, at: str) -> None:
    """The first answer has no items and the revision before the first one asked for."""
    revision = await _put(kv, at + "a")
    async with asyncio.timeout(10), aclosing(kv.watch(at, from_revision=revision + 1)) as watch:
        first = await anext(watch)

    assert Changes(revision) == first


async def test_a_watch_tells_the_past_from_its_revision_on(kv: KeyValueStore, at: str) -> None:
    """Nothing between the listing and the watch is lost, and nothing before is told."""
    await _put(kv, at + "a", b"0")
    first = await _put(kv, at + "a", b"1")
    await _put(kv, at + "a", b"2")
    last = (await kv.txn(deletes=[at + "a"])).revision
    await _put(kv, at[:-1] + "-elsewhere")
    batches = await _until_changes(kv, at, first, 3)

    assert [(b"1", False), (b"2", False), (b"", True)] == [
        (change.kv.value, change.deleted) for batch in batches for change in batch.items
    ]
    assert last == batches[-1].revision


async def test_a_watch_tells_what_happens_in_order(kv: KeyValueStore, at: str) -> None:
    """Every write once, in the order of revisions, each batch complete up to its revision."""
    start = await _put(kv, at + "start")
    watching = asyncio.create_task(_until_changes(kv, at, start + 1, 50))
    written = [await _put(kv, f"{at}{number % 7}") for number in range(50)]
    batches = await watching

    assert written == [change.kv.mod_revision for batch in batches for change in batch.items]
    assert [batch.items[-1].kv.mod_revision for batch in batches] == [batch.revision for batch in batches]


async def test_a_transaction_is_watched_as_a_whole(kv: KeyValueStore, at: str) -> None:
    """The changes of one revision are never torn apart."""
    start = await _put(kv, at + "old")
    await kv.txn(puts=[Put(f"{at}{number:03}", b"x" * 1000) for number in range(100)], deletes=[at + "old"])
    batches = await _until_changes(kv, at, start + 1, 101)

    assert [101] == [len(batch.items) for batch in batches]


async def test_a_watch_from_a_forgotten_revision_says_so(backend: _Backend, at: str) -> None:
    """Compaction is told with the revision the store begins at."""
    kv = backend.store
    first = await _put(kv, at + "a")
    last = [await _put(kv, at + "a") for _ in range(3)][-1]
    await backend.compact(last)

    with pytest.raises(Compacted) as raised:
        await _until_changes(kv, at, first, 4)
    assert last == raised.value.compact_revision


async def test_a_standing_watch_survives_compaction(backend: _Backend, at: str) -> None:
    """Who has kept up loses nothing."""
    kv = backend.store
    revision = await _put(kv, at + "a")
    async with asyncio.timeout(10), aclosing(kv.watch(at, from_revision=revision + 1)) as watch:
        await anext(watch)
        await backend.compact(revision)
        written = await _put(kv, at + "b")
        batch = await anext(watch)

    assert (written, at + "b") == (batch.revision, batch.items[0].key)


async def test_status_tells_the_revision(kv: KeyValueStore, at: str) -> None:
    """The status is that of the store just written to."""
    revision = await _put(kv, at + "a")
    status = await kv.status()
    listing = await kv.list(at)

    assert (revision, listing.cluster_id) == (status.revision, status.cluster_id)
    assert status.version.startswith("3.")
