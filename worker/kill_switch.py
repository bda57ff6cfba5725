"""Kill requests from etcd to the switch of the execution they name.

A request names one execution by its id, so it can never hit a later one; it ends with its own lease. One
that arrives before its execution has started here is kept until then (situation 31).
"""

from contextlib import aclosing
from typing import Final

import structlog

from common.domain.codec import KillRequest
from common.domain.errors import CorruptValue, InvalidInput
from common.domain.keys import Keyspace
from common.kv.feed import Feed
from worker.domain.assignment import StopCause
from worker.running import RunningExecution, RunningExecutions

log: Final = structlog.get_logger(__name__)


class KillSwitch:
    """Follows `/cron/kills/`."""

    def __init__(self, feed: Feed, keyspace: Keyspace, running: RunningExecutions) -> None:
        self._feed = feed
        self._keys = keyspace
        self._running = running
        self._requests: dict[str, KillRequest] = {}

    async def run(self) -> None:
        """Follow the requests, for ever."""
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                for change in event.changes:
                    self._apply(change.key, change.kv.value, deleted=change.deleted)

    def check(self, running: RunningExecution) -> None:
        """Apply a request that came before this execution was known here."""
        request = self._requests.get(running.id)
        if request is not None:
            self._press(running, request)

    def _apply(self, key: str, value: bytes, *, deleted: bool) -> None:
        try:
            execution_id = str(self._keys.parse_kill(key))
            if deleted:
                self._requests.pop(execution_id, None)
                return
            request = KillRequest.decode(key, value)
        except (CorruptValue, InvalidInput, ValueError) as error:
            log.warning("kill.unreadable", key=key, error=str(error))
            return
        self._requests[execution_id] = request
        running = self._running.get(execution_id)
        if running is not None:
            self._press(running, request)

    def _press(self, running: RunningExecution, request: KillRequest) -> None:
        replaced = request.reason == StopCause.REPLACED.value
        cause = StopCause.REPLACED if replaced else StopCause.REQUESTED
        log.info("kill.received", execution=running.id, by=request.requested_by, cause=cause.value)
        running.switch.press(cause, by=request.requested_by)
