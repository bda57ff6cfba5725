"""What has to happen once MongoDB answers for the first time: the collections and their indexes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from common.domain.errors import STORE_FAILURES

log: Final = structlog.get_logger(__name__)

_RETRY_S: Final = 2.0


class HistoryPreparation:
    """Prepares the collections; a worker starts and runs commands without them."""

    def __init__(self, prepare: Callable[[], Awaitable[None]]) -> None:
        self._prepare = prepare

    async def run(self) -> None:
        """Try until it works."""
        told = False
        while True:
            try:
                await self._prepare()
            except STORE_FAILURES as error:
                if not told:
                    log.warning(
                        "mongodb.away", reason=str(error), action="records wait in the spool until it answers"
                    )
                told = True
                await asyncio.sleep(_RETRY_S)
            else:
                log.info("mongodb.reached")
                return
