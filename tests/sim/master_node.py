"""A simulated master: the views and the repairs, which is all of a master that ticks depend on."""

import asyncio
from typing import Any

from common.domain.errors import StoreUnavailable
from common.domain.records import Document, Record, WriteReport
from common.kv.feed import Feed
from master.services.abandoned import AbandonedRuns
from master.services.cursor_view import CursorView
from master.services.job_view import JobView
from master.services.live_runs import LiveRuns
from master.services.reconciler import Reconciler
from master.services.roster import Roster
from tests.fakes.kv_client import FakeClient
from tests.sim.clocks import SkewedClock
from tests.sim.history import History
from tests.sim.loop import JumpingLoop
from tests.sim.node import KEYS, Product
from tests.sim.program import Program


class HistoryOfMaster:
    """The database as a reconciler uses it."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def write(self, records: list[Record]) -> WriteReport:
        return await self._history.write(records)

    async def execution(self, execution_id: str) -> Document | None:
        await asyncio.sleep(self._history.delay_s())
        if self._history.is_away:
            raise StoreUnavailable("MongoDB is away")
        found = self._history.executions.get(execution_id)
        return dict(found) if found is not None else None


class MasterNode(Program):
    """One master."""

    def __init__(
        self,
        name: str,
        loop: JumpingLoop,
        client: FakeClient,
        clock: SkewedClock,
        history: History,
        product: Product,
    ) -> None:
        super().__init__(name, loop, client)
        self.clock = clock
        self.reconciler: Reconciler | None = None
        self._history = history
        self._product = product

    async def main(self) -> None:
        history: Any = HistoryOfMaster(self._history)
        jobs = JobView(self._feed(KEYS.jobs), KEYS, self.clock)
        runs = LiveRuns(self._feed(KEYS.runs), KEYS)
        cursors = CursorView(self._feed(KEYS.cursors), KEYS)
        roster = Roster(self._feed(KEYS.health_prefix), KEYS, history, runs)
        abandoned = AbandonedRuns(
            self.client, KEYS, self.clock, jobs, runs, roster, history, history, name=self.name
        )
        self.reconciler = Reconciler(
            self.client, KEYS, self.clock, jobs, cursors, runs, roster, history, name=self.name
        )
        async with asyncio.TaskGroup() as group:
            for part in (jobs, runs, cursors, roster, abandoned, self.reconciler):
                group.create_task(part.run(), name=type(part).__name__)

    def _feed(self, prefix: str) -> Feed:
        return self._product.assembly.feed_type(self.client, prefix, name=f"{self.name} {prefix}")
