"""What every area stands on: configuration, clock, and the two servers.

Constructors store, nothing connects here: a server that is away delays loops and not the start.
"""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pymongo.asynchronous.database import AsyncDatabase

from common.config.command_line import product_version
from common.domain.keys import Keyspace
from common.domain.records import Document
from common.kv.check import settings_of
from common.kv.etcd import EtcdStore
from common.kv.feed import Feed
from common.kv.port import KeyValueStore
from common.kv.session import Session
from common.kv.timed import TimedStore
from common.mongo.client import connect, durable_database
from common.mongo.command_timings import CommandTimings
from common.runtime.clock import Clock, SystemClock
from common.runtime.timings import Timings
from master.adapters.mongo_history import MongoHistory
from master.config import MasterConfig
from master.services.metrics import Metrics, StoreCalls

_SESSION_TTL_S: Final = 10
Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """
    What a master has before it does anything.

    Attributes:
        name: This master among the others.
        address: Where its API is served.
        session: Outlives all loops, so that the key of a stopping master goes at once.
    """

    config: MasterConfig
    name: str
    address: str
    clock: Clock
    keyspace: Keyspace
    store: KeyValueStore
    database: AsyncDatabase[Document]
    reader: MongoHistory
    session: Session
    metrics: Metrics

    def feed(self, prefix: str, name: str) -> Feed:
        """A feed of everything below *prefix*."""
        feed = Feed(self.store, prefix, name=name)
        count = self.metrics.count
        count("feed_relists", "Full listings of etcd.", lambda: feed.relist_count, feed=name)
        count("feed_drift", "Keys a listing found to differ.", lambda: feed.drift_count, feed=name)
        return feed


@asynccontextmanager
async def open_ground(config: MasterConfig, address: str) -> AsyncIterator[Ground]:
    """The ground of *config*, with both clients open until the context ends."""
    clock = SystemClock()
    timings = Timings()
    metrics = Metrics(product_version())
    metrics.show(StoreCalls(timings))
    client = connect(
        config.mongo_uri.get_secret_value(),
        connect_timeout_ms=config.mongo_connect_timeout_ms,
        app_name="everytick-master",
        listeners=[CommandTimings(timings)],
    )
    async with EtcdStore(settings_of(config)) as etcd, client as mongo:
        store = TimedStore(etcd, clock, timings)
        database = durable_database(mongo, config.mongo_database)
        yield Ground(
            config=config,
            name=config.master_id or f"{socket.gethostname()}-{os.getpid()}",
            address=address,
            clock=clock,
            keyspace=Keyspace(config.key_prefix, config.health_prefix),
            store=store,
            database=database,
            reader=MongoHistory(database),
            session=Session(store, clock, ttl_s=_SESSION_TTL_S, name="master"),
            metrics=metrics,
        )
