"""The order to drain, as masters write it and a worker follows it, over a real etcd."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from common.domain.codec import DrainOrder
from common.domain.keys import Keyspace
from common.kv.etcd import EtcdStore
from common.kv.feed import Feed
from common.kv.values import Put
from worker.drain_switch import DrainSwitch
from worker.gate import Bar, Gate

pytestmark = pytest.mark.integration

ORDER = DrainOrder(requested_by="admin", requested_at=datetime(2026, 3, 1, tzinfo=UTC))


class Watched:
    """A drain switch that runs, and how often it told others."""

    def __init__(self, store: EtcdStore, keys: Keyspace, worker: str) -> None:
        self.gate = Gate()
        self.gate.open(Bar.SESSION)
        self.told = 0
        feed = Feed(store, keys.drain(worker), name="drains")
        self.switch = DrainSwitch(feed, keys.drain(worker), self.gate, self._tell)

    def _tell(self) -> None:
        self.told += 1

    async def until_open(self, is_open: bool) -> None:
        async with asyncio.timeout(5):
            while self.gate.is_open is not is_open:  # noqa: ASYNC110 - a gate has no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watched(store: EtcdStore, keys: Keyspace, worker: str) -> AsyncIterator[Watched]:
    found = Watched(store, keys, worker)
    task = asyncio.create_task(found.switch.run())
    try:
        yield found
    finally:
        task.cancel()


@pytest.fixture
def keys(key_prefix: str) -> Keyspace:
    return Keyspace(f"{key_prefix}cron/", f"{key_prefix}health/")


async def test_the_gate_follows_the_key(store: EtcdStore, keys: Keyspace):
    """Closed as long as the key is there, with who wants it; told to the others both times."""
    async with watched(store, keys, "w1") as found:
        await found.until_open(True)
        await store.txn(puts=[Put(keys.drain("w1"), ORDER.encode())])
        await found.until_open(False)
        words = found.gate.words
        await store.txn(deletes=[keys.drain("w1")])
        await found.until_open(True)

    assert ("drained by admin", 2) == (words, found.told)


async def test_a_restarted_worker_is_drained_before_it_claims(store: EtcdStore, keys: Keyspace):
    """The gate is closed until the order has been looked for, and stays closed when there is one."""
    await store.txn(puts=[Put(keys.drain("w1"), ORDER.encode())])
    async with watched(store, keys, "w1") as found:
        was_open_at_first = found.gate.is_open
        async with asyncio.timeout(5):
            while found.gate.is_barred_by(Bar.ORDERS):
                assert not found.gate.is_open
                await asyncio.sleep(0.01)

        assert not was_open_at_first
        assert found.gate.is_barred_by(Bar.DRAINING)


async def test_an_order_for_another_worker_is_not_ours(store: EtcdStore, keys: Keyspace):
    """worker-1 is not worker-10, though its name begins the other's."""
    async with watched(store, keys, "w1") as found:
        await found.until_open(True)
        await store.txn(puts=[Put(keys.drain("w10"), ORDER.encode())])
        await store.txn(puts=[Put(keys.drain("w1"), b"garbage")])
        await found.until_open(False)

    assert (1, "drained by an unreadable order") == (found.told, found.gate.words)
