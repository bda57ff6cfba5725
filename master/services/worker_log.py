"""The log of each worker: written by the masters from what they see, once however many masters there are."""

import asyncio
from collections import deque
from datetime import timedelta
from typing import Final

import structlog

from common.domain.codec import WorkerHealth
from common.domain.errors import StoreUnavailable
from common.kv.values import Change
from common.runtime.clock import Clock
from master.domain.worker_events import WorkerEvent, events_of
from master.workers_port import WorkerRecords

log: Final = structlog.get_logger(__name__)

_WAITING: Final = 10_000
_BATCH: Final = 500
_WRITE_EVERY_S: Final = 0.5
_KEPT: Final = timedelta(days=30)


class WorkerLog:
    """Takes changes of health keys and writes what they mean; while MongoDB is away they wait."""

    def __init__(self, records: WorkerRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._waiting: deque[WorkerEvent] = deque(maxlen=_WAITING)

    def changed(
        self, worker: str, before: WorkerHealth | None, after: WorkerHealth | None, change: Change
    ) -> None:
        """A health key has changed."""
        self._waiting.extend(events_of(worker, before, after, change.kv.mod_revision, self._clock.now()))

    async def run(self) -> None:
        """Write what waits, for ever."""
        while True:
            await asyncio.sleep(_WRITE_EVERY_S)
            try:
                while self._waiting:
                    batch = [self._waiting[index] for index in range(min(_BATCH, len(self._waiting)))]
                    await self._records.put_events(batch, self._clock.now() + _KEPT)
                    for event in batch:
                        if self._waiting and self._waiting[0] is event:
                            self._waiting.popleft()
            except StoreUnavailable as error:
                log.debug("worker_log.postponed", waiting=len(self._waiting), error=str(error))
