"""Every few seconds: how this worker is doing, for the roster and the dashboard.

Kept out of etcd on purpose: the health key is watched by every worker, so it changes only with the state.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import structlog

from common.domain.errors import STORE_FAILURES
from common.runtime.clock import jittered

log: Final = structlog.get_logger(__name__)


class Reports(Protocol):
    async def report(self, state: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        """
        Store the present state.

        Raises:
            StoreUnavailable: It could not be stored; the next report carries everything anyway.
        """
        ...


class Reporter:
    """Sends a report at every heartbeat."""

    def __init__(
        self,
        reports: Reports,
        state: Callable[[], Mapping[str, Any]],
        metrics: Callable[[], Mapping[str, Any]],
        *,
        interval_s: float,
    ) -> None:
        self._reports = reports
        self._state = state
        self._metrics = metrics
        self._interval_s = interval_s
        self._failing = False

    async def run(self) -> None:
        """Report, for ever."""
        while True:
            try:
                await self._reports.report(self._state(), self._metrics())
            except STORE_FAILURES as error:
                if not self._failing:
                    log.warning("report.failed", error=str(error))
                self._failing = True
            else:
                self._failing = False
            await asyncio.sleep(jittered(self._interval_s, 0.1))
