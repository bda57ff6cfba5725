"""Kill requests that nobody carried out (situation 33).

A request lives 120 s. If its key goes while the execution still holds its run record, no worker was there to
hear it: that is said, and counted.
"""

from contextlib import aclosing
from typing import Final

import structlog

from common.domain.errors import InvalidInput
from common.domain.keys import Keyspace
from common.kv.feed import Feed
from master.services.live_runs import LiveRuns

log: Final = structlog.get_logger(__name__)


class KillWatch:
    """Follows `/cron/kills/` for requests that run out."""

    def __init__(self, feed: Feed, keyspace: Keyspace, runs: LiveRuns) -> None:
        self._feed = feed
        self._keys = keyspace
        self._runs = runs
        self.failed = 0

    async def run(self) -> None:
        """Follow the requests, for ever."""
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                for change in event.changes:
                    if change.deleted:
                        self._ended(change.key)

    def _ended(self, key: str) -> None:
        try:
            execution_id = str(self._keys.parse_kill(key))
        except (InvalidInput, ValueError):
            return
        run = self._runs.find(execution_id)
        if run is not None:
            self.failed += 1
            log.error("kill.failed", execution=execution_id, worker=run.record.worker)
