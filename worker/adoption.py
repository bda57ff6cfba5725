"""Running executions that outlived their session take the new one (situation 22).

Commands of jobs that may overlap go on when the lease is lost. Their run records still name the old session,
which a reconciler reads as "the worker is gone"; as soon as the worker is registered again it says that it
is not. Updating the record keeps its create_revision, so the fence stays what it was.
"""

import asyncio
from typing import Final

import structlog

from common.domain.errors import STORE_FAILURES
from common.domain.keys import Keyspace
from common.kv.port import KeyValueStore
from common.kv.values import Put, created_at
from worker.registration import Membership
from worker.running import RunningExecution, RunningExecutions

log: Final = structlog.get_logger(__name__)

_LOOK_S: Final = 1.0


class Adoption:
    """Keeps the run records of what runs here under the present session."""

    def __init__(
        self, store: KeyValueStore, keyspace: Keyspace, membership: Membership, running: RunningExecutions
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._membership = membership
        self._running = running
        self._adopted: dict[str, str] = {}

    async def run(self) -> None:
        """Look every second, for ever; nothing happens while the session stays."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if not self._membership.is_active:
                continue
            current = self._membership.session
            for running in self._running:
                if self._adopted.get(running.id, running.assignment.session) != current:
                    await self._adopt(running, current)
            self._adopted = {
                execution_id: session
                for execution_id, session in self._adopted.items()
                if self._running.get(execution_id) is not None
            }

    async def _adopt(self, running: RunningExecution, session: str) -> None:
        key = self._keys.run(running.assignment.execution)
        record = running.record.model_copy(update={"session": session})
        try:
            await self._store.txn(
                compares=[created_at(key, running.assignment.fence)], puts=[Put(key, record.encode())]
            )
        except STORE_FAILURES as error:
            log.debug("execution.adoption_postponed", execution=running.id, error=str(error))
            return
        self._adopted[running.id] = session
        log.info("execution.adopted", execution=running.id, session=session)
