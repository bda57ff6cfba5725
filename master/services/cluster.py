"""The installation as it is now: the masters, the two servers behind them, the clock, the settings."""

from datetime import datetime
from typing import Final, Protocol

from common.domain.errors import STORE_FAILURES, CorruptValue, CronError
from common.domain.keys import Keyspace
from common.domain.records import Document
from common.kv.port import KeyValueStore
from common.runtime.clock import Clock
from master.config import MasterConfig
from master.services.presence import MasterPresence

#: etcd's own default; what it was started with cannot be asked for.
_DEFAULT_QUOTA_BYTES: Final = 2 * 1024 * 1024 * 1024


class DatabaseClock(Protocol):
    async def version(self) -> str:
        """The server's version; StoreUnavailable when it is away."""
        ...

    async def now(self) -> datetime:
        """The server's clock; StoreUnavailable when it is away."""
        ...


class Cluster:
    """Asks everybody now; who does not answer is part of the answer."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        database: DatabaseClock,
        config: MasterConfig,
        clock: Clock,
        *,
        name: str,
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._database = database
        self._config = config
        self._clock = clock
        self._name = name

    async def look(self) -> Document:
        """Everything; parts that are away say why."""
        config = self._config
        masters, etcd = await self._etcd()
        mongodb, offset_ms = await self._mongodb()
        return {
            "masters": masters,
            "etcd": etcd,
            "mongodb": mongodb,
            "clock": {"offset_ms": offset_ms},
            "retention": {"history_days": config.history_days, "audit_days": config.audit_days},
            "config": [
                {"key": key, "value": value, "origin": origin} for key, value, origin in config.effective
            ],
        }

    async def clock_offset_ms(self) -> int:
        """How far this master's clock is ahead of MongoDB's; raises StoreUnavailable."""
        before_s, server_now = self._clock.uptime_s(), await self._database.now()
        round_trip_s = self._clock.uptime_s() - before_s
        # The server read its clock somewhere within the round trip; the middle is the best guess.
        own_s = self._clock.now().timestamp() - round_trip_s / 2
        return round((own_s - server_now.timestamp()) * 1000)

    async def _etcd(self) -> tuple[list[Document], Document]:
        shown: Document = {
            "version": None,
            "endpoints": list(self._config.etcd_endpoints),
            "db_size_bytes": None,
            "quota_bytes": _DEFAULT_QUOTA_BYTES,
            "revision": None,
            "ok": False,
            "detail": None,
        }
        try:
            status = await self._store.status()
            listing = await self._store.list(self._keys.masters)
        except STORE_FAILURES as error:
            return [], {**shown, "detail": str(error)}
        masters = []
        for kv in listing.items:
            try:
                masters.append(self._master(MasterPresence.decode(kv.key, kv.value)))
            except CorruptValue:
                # A master of another release: it is there, and cannot be shown.
                continue
        shown |= {
            "version": status.version,
            "db_size_bytes": status.db_size_bytes,
            "revision": listing.revision,
            "ok": True,
        }
        return masters, shown

    def _master(self, presence: MasterPresence) -> Document:
        return {
            "id": presence.master,
            "address": presence.address,
            "version": presence.version,
            "started_at": presence.started_at,
            "self": presence.master == self._name,
        }

    async def _mongodb(self) -> tuple[Document, int | None]:
        database = self._config.mongo_database
        try:
            version, offset_ms = await self._database.version(), await self.clock_offset_ms()
        except CronError as error:
            return {"version": None, "ok": False, "detail": str(error), "database": database}, None
        return {"version": version, "ok": True, "detail": None, "database": database}, offset_ms
