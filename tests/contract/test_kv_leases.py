"""The contract of key-value stores, leases: what hangs on them, and their end."""

import asyncio

import pytest

from common.domain.errors import LeaseLost
from common.kv.port import KeyValueStore
from common.kv.values import Change, Put, absent
from tests.contract.stores import put, read, until_changes

_NO_LEASE = 0x0123456789


async def test_revoking_deletes_the_keys_at_one_revision(kv: KeyValueStore, at: str) -> None:
    """The end of a lease is one change of the store."""
    lease = await kv.grant(30)
    revision = await put(kv, at + "a", b"1", lease.id)
    last = await put(kv, at + "b", b"2", lease.id)
    await kv.revoke(lease.id)
    batches = await until_changes(kv, at, last + 1, 2)

    assert revision + 1 == last
    assert [(at + "a", True, last + 1), (at + "b", True, last + 1)] == [
        (change.key, change.deleted, change.kv.mod_revision) for batch in batches for change in batch.items
    ]


async def test_a_lease_that_is_not_renewed_ends(kv: KeyValueStore, at: str) -> None:
    """Its keys vanish by themselves, and its renewal says that it is lost."""
    lease = await kv.grant(2)
    revision = await put(kv, at + "a", b"1", lease.id)
    batches = await until_changes(kv, at, revision + 1, 1)

    assert [Change(batches[0].items[0].kv, deleted=True)] == list(batches[0].items)
    with pytest.raises(LeaseLost):
        await kv.renew(lease.id)


async def test_a_renewed_lease_lives_on(kv: KeyValueStore, at: str) -> None:
    """Renewals answer with the granted TTL and keep the keys past the first end of the lease."""
    lease = await kv.grant(2)
    await put(kv, at + "a", b"1", lease.id)
    loop = asyncio.get_running_loop()
    over_s = loop.time() + lease.ttl_s * 1.6
    while loop.time() < over_s:
        assert lease.ttl_s == await kv.renew(lease.id)
        await asyncio.sleep(0.4)

    assert await read(kv, at + "a") is not None
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
    await put(kv, at + "a")
    result = await kv.txn(compares=[absent(at + "a")], puts=[Put(at + "a", b"1", _NO_LEASE)])

    assert not result.succeeded


async def test_a_put_without_the_lease_detaches_the_key(kv: KeyValueStore, at: str) -> None:
    """The key outlives the lease it once hung on."""
    lease = await kv.grant(30)
    await put(kv, at + "a", b"1", lease.id)
    await put(kv, at + "a", b"2")
    await kv.revoke(lease.id)
    found = await read(kv, at + "a")

    assert found is not None
    assert (b"2", 0) == (found.value, found.lease)
