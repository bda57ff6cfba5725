"""The order to drain: while it stands in etcd, this worker takes nothing new and says so.

What runs goes on. The order outlives the worker, so one that is started anew claims nothing before it has
looked; the others see `draining` in its health key and take its ranks.
"""

from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import structlog

from common.domain.codec import DrainOrder
from common.domain.errors import CorruptValue
from common.kv.feed import Feed
from common.kv.values import Change
from worker.gate import Bar, Gate

log: Final = structlog.get_logger(__name__)


class DrainSwitch:
    """Follows the one key below `/cron/drains/` that names this worker."""

    def __init__(self, feed: Feed, key: str, gate: Gate, announce: Callable[[], None]) -> None:
        self._feed = feed
        self._key = key
        self._gate = gate
        self._announce = announce
        gate.close(Bar.ORDERS, "not known yet whether it is drained")

    async def run(self) -> None:
        """Follow the order, for ever."""
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                for change in event.changes:
                    # The feed is about a prefix: worker-1 also sees the key of worker-10.
                    if change.key == self._key:
                        self._obey(change)
                if event.synced:
                    self._gate.open(Bar.ORDERS)

    def _obey(self, change: Change) -> None:
        if change.deleted:
            self._gate.open(Bar.DRAINING)
            log.info("worker.resumed")
        else:
            by = _who(change)
            self._gate.close(Bar.DRAINING, f"drained by {by}")
            log.info("worker.drained", by=by)
        self._announce()


def _who(change: Change) -> str:
    """Who wants it; an order nobody can read is still an order."""
    try:
        return DrainOrder.decode(change.key, change.kv.value).requested_by
    except CorruptValue as error:
        log.warning("drain.unreadable", key=change.key, error=str(error))
        return "an unreadable order"
