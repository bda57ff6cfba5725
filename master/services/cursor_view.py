"""Where the cursor of every job stands, as this master sees it."""

import asyncio
from contextlib import aclosing
from typing import Final

import structlog

from common.domain.codec import decode_cursor
from common.domain.errors import CorruptValue
from common.domain.ids import epoch_s
from common.domain.keys import Keyspace
from common.kv.feed import Feed

log: Final = structlog.get_logger(__name__)


class CursorView:
    """
    Cursors by uid, in epoch seconds.

    Attributes:
        synced: Set once all cursors have been seen.
        unreadable: Cursors that are garbage, by uid, with the reason.
    """

    def __init__(self, feed: Feed, keyspace: Keyspace) -> None:
        self._feed = feed
        self._keys = keyspace
        self._cursors: dict[str, int] = {}
        self.unreadable: dict[str, str] = {}
        self.synced = asyncio.Event()

    @property
    def is_current(self) -> bool:
        return self.synced.is_set() and self._feed.is_current

    def cursor(self, uid: str) -> int | None:
        return self._cursors.get(uid)

    def uids(self) -> set[str]:
        """Jobs that have a cursor, readable or not."""
        return {*self._cursors, *self.unreadable}

    async def run(self) -> None:
        """Follow the store, for ever."""
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                for change in event.changes:
                    self._apply(change.key, change.kv.value, deleted=change.deleted)
                if event.synced:
                    self.synced.set()

    def _apply(self, key: str, value: bytes, *, deleted: bool) -> None:
        uid = self._keys.parse_last(key, self._keys.cursors)
        self._cursors.pop(uid, None)
        self.unreadable.pop(uid, None)
        if deleted:
            return
        try:
            self._cursors[uid] = epoch_s(decode_cursor(key, value))
        except CorruptValue as error:
            self.unreadable[uid] = str(error)
            log.error("cursor.unreadable", key=key, reason=str(error))
