"""The contract of key-value stores, transactions: comparisons, reads, limits."""

import asyncio

import pytest

from common.domain.errors import InvalidInput
from common.kv.port import KeyValueStore
from common.kv.values import (
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
from tests.contract.stores import put, read


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
    revision = await put(kv, at + "a", b"005")
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
    revision = await put(kv, at + "a", b"1")
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
    await put(kv, at + "a", b"1")
    await put(kv, at + "b", b"2")
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

    assert await read(kv, at + "a") is None


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
