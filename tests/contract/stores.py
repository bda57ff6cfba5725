"""The key-value stores under contract, and short ways to write, read and watch them."""

import asyncio
from contextlib import aclosing

from common.kv.port import KeyValueStore
from common.kv.values import Changes, KeyValue, Put
from tests.fakes.kv import FakeStore
from tests.kv_compaction import compact_etcd


class Backend:
    def __init__(self, store: KeyValueStore, fake: FakeStore | None, endpoint: str) -> None:
        self.store = store
        self._fake = fake
        self._endpoint = endpoint

    async def compact(self, revision: int) -> None:
        if self._fake is not None:
            self._fake.compact(revision)
        else:
            await compact_etcd(self._endpoint, revision)


async def put(kv: KeyValueStore, key: str, value: bytes = b"x", lease: int = 0) -> int:
    return (await kv.txn(puts=[Put(key, value, lease)])).revision


async def read(kv: KeyValueStore, key: str) -> KeyValue | None:
    return (await kv.txn(reads=[key])).reads[key]


async def until_changes(kv: KeyValueStore, prefix: str, from_revision: int, count: int) -> list[Changes]:
    """The batches of a watch until they hold *count* changes."""
    batches: list[Changes] = []
    async with asyncio.timeout(20), aclosing(kv.watch(prefix, from_revision=from_revision)) as watch:
        async for batch in watch:
            batches += [batch] if batch.items else []
            if sum(len(seen.items) for seen in batches) >= count:
                break
    return batches
