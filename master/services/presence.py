"""This master among the others: its key below `/cron/masters/`, on its session's lease."""

import structlog
from pydantic import AwareDatetime

from common.domain.codec import StoredValue
from common.domain.errors import LeaseLost
from common.kv.port import KeyValueStore
from common.kv.session import Session
from common.kv.values import Put
from common.runtime.retrying import background_loop

log = structlog.get_logger()


class MasterPresence(StoredValue):
    """What a live master says of itself."""

    master: str
    address: str
    version: str
    started_at: AwareDatetime


class Registration:
    """Keeps the key there as long as the session lives."""

    def __init__(self, store: KeyValueStore, session: Session, key: str, presence: MasterPresence) -> None:
        self._store = store
        self._session = session
        self._key = key
        self._value = presence.encode()

    async def run(self) -> None:
        """Register under every new session, for ever."""
        while True:
            epoch = await self._session.opened()
            try:
                async for attempt in background_loop("master.register"):
                    with attempt:
                        await self._store.txn(puts=[Put(self._key, self._value, self._session.lease_id)])
            except LeaseLost:
                # The session ended between its opening and our put; the next one is on its way.
                await self._session.lost(epoch)
                continue
            log.info("master.registered", key=self._key)
            await self._session.lost(epoch)
