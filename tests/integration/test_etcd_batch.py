"""Transactions that share a request are still made or refused one by one."""

import asyncio

import pytest

from common.domain.errors import LeaseLost
from common.kv.values import Put, absent, value_is

pytestmark = pytest.mark.integration


async def test_each_keeps_its_own_comparisons(store, key_prefix):
    """Of two hundred at once, those whose key exists are refused, the others are made."""
    for number in range(0, 200, 2):
        await store.txn(puts=[Put(f"{key_prefix}{number}", b"old")])

    results = await asyncio.gather(
        *(
            store.txn(
                compares=[absent(f"{key_prefix}{number}")],
                puts=[Put(f"{key_prefix}{number}", b"new")],
                reads=[f"{key_prefix}{number}"],
            )
            for number in range(200)
        )
    )

    assert [number % 2 == 1 for number in range(200)] == [result.succeeded for result in results]
    refused = results[0].reads[f"{key_prefix}0"]
    assert refused is not None
    assert b"old" == refused.value


async def test_those_that_write_the_same_key_come_one_after_the_other(store, key_prefix):
    """A counter that fifty raise by one, each from what it read, ends at fifty."""
    key = f"{key_prefix}counter"
    await store.txn(puts=[Put(key, b"0")])

    async def raise_by_one() -> None:
        while True:
            stored = (await store.txn(reads=[key])).reads[key].value
            result = await store.txn(
                compares=[value_is(key, stored)], puts=[Put(key, b"%d" % (int(stored) + 1))]
            )
            if result.succeeded:
                return

    await asyncio.gather(*(raise_by_one() for _ in range(50)))

    assert b"50" == (await store.txn(reads=[key])).reads[key].value


async def test_one_with_a_dead_lease_does_not_harm_the_others(store, key_prefix):
    """etcd refuses such a request as a whole; the others are made all the same."""
    results = await asyncio.gather(
        *(
            store.txn(puts=[Put(f"{key_prefix}{number}", b"x", 0x1234567 if number == 3 else 0)])
            for number in range(10)
        ),
        return_exceptions=True,
    )

    assert [number == 3 for number in range(10)] == [isinstance(result, LeaseLost) for result in results]
    assert 9 == len((await store.list(key_prefix)).items)


async def test_the_revision_is_the_one_the_keys_carry(store, key_prefix):
    """It is the fence of an execution: the run record's create_revision must equal it."""
    results = await asyncio.gather(
        *(store.txn(puts=[Put(f"{key_prefix}{number:02}", b"x")]) for number in range(50))
    )

    listing = await store.list(key_prefix)
    assert [result.revision for result in results] == [kv.create_revision for kv in listing.items]


async def test_many_at_once_need_few_revisions(store, key_prefix):
    """The point of it: what is ready together is written together."""
    before = (await store.list(key_prefix)).revision
    await asyncio.gather(*(store.txn(puts=[Put(f"{key_prefix}{number}", b"x")]) for number in range(500)))

    assert (await store.list(key_prefix)).revision - before <= 50
