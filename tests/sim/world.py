"""A whole cluster in one process: workers, reconcilers, a store, a database, machines with clocks, and time.

    with world(workers=2, seed=7) as w:
        w.save_job("slow", every_s=60, duration_s=300, overlap="skip")
        w.at(90, w.partition, "worker-1")
        w.run(minutes=10)
    assert [] == w.overlaps("slow")

Whatever is called outside of `run` happens at once; `at` puts it off to a moment of virtual time. Times are
seconds since the beginning of the world. A failure carries the seed and the trace.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from tests.faults.evidence import Evidence, JobVersion, Mark, Phase, versions_of
from tests.faults.judging import Rules, Verdict, judge
from tests.sim.chance import seeded_chance
from tests.sim.clocks import EPOCH
from tests.sim.disasters import Disasters
from tests.sim.loop import JumpingLoop
from tests.sim.node import Product, Settings
from tests.sim.trace import traced_logs

#: How far a clock may be off while its worker claims: 2 s from the median of its peers, which are off by up
#: to half a second themselves, and what it may gain between two measurements.
CLOCK_BOUND_S: Final = 2.6


class World(Disasters):
    """The cluster, everything that can be done to it, and what came of it; made by `world()`."""

    @property
    def beginning(self) -> int:
        """The epoch second at which the world began."""
        return int(EPOCH.timestamp())

    def starts(self, name: str) -> list[float]:
        """When the commands of the job started, in seconds since the beginning."""
        return sorted(
            mark.seen_at - EPOCH.timestamp() for mark in self._marks(name) if mark.phase is Phase.START
        )

    def overlaps(self, name: str) -> list[str]:
        """Overlapping executions of the job, in words; those of frozen workers included."""
        verdict = self.judge()
        return [str(f) for f in verdict.findings if "overlap" in f.kind and f.job == f"default/{name}"]

    def spec_of(self, execution: str, generation: int) -> JobSpec | None:
        """The version of the job an execution ran."""
        uid = ExecutionId.parse(execution).uid
        return next((spec for spec in self.specs.get(uid, ()) if spec.generation == generation), None)

    def newest_spec(self, execution: str) -> JobSpec | None:
        """The newest version of the job of an execution."""
        specs = self.specs.get(ExecutionId.parse(execution).uid)
        return specs[-1] if specs else None

    def age_of(self, key: str) -> float:
        """Seconds since *key* was written."""
        return self.loop.time() - self._written_s.get(key, 0.0)

    def ledger_row(self, uid: str, tick: int) -> dict[str, Any] | None:
        """What the ledger says about a tick."""
        for row in self.history.ledger.values():
            if row["uid"] == uid and row["tick"] <= tick <= row["last_tick"]:
                return row
        return None

    def ledger(self, name: str) -> list[tuple[float, float, str]]:
        """(first, last, "kind: reason") of what did not run, in seconds since the beginning."""
        base, uid = EPOCH.timestamp(), self.uid(name)
        rows = [row for row in self.history.ledger.values() if row["uid"] == uid]
        return sorted(
            (row["tick"] - base, row["last_tick"] - base, f"{row['kind']}: {row['reason']}") for row in rows
        )

    def executions(self, name: str) -> list[dict[str, Any]]:
        """Documents of the job's executions, by their claims."""
        uid = self.uid(name)
        documents = [document for document in self.history.executions.values() if document["uid"] == uid]
        return sorted(documents, key=lambda document: document["fence"])

    def statuses(self, name: str) -> list[str]:
        """`status` or `status: reason` of each execution."""
        return [
            f"{document['status']}: {document['reason']}" if document.get("reason") else document["status"]
            for document in self.executions(name)
        ]

    def _marks(self, name: str) -> list[Mark]:
        uid = self.uid(name)
        return [mark for mark in self.marks() if mark.execution.startswith(f"{uid}.")]

    def marks(self) -> list[Mark]:
        return [mark for node in self.nodes.values() for mark in node.machine.marks]

    def versions(self) -> list[JobVersion]:
        return [
            version
            for uid, specs in self.specs.items()
            for version in versions_of(specs, deleted_at=self.deleted_at.get(uid))
        ]

    def evidence(self) -> Evidence:
        return Evidence(
            versions=self.versions(),
            marks=self.marks(),
            executions=self.history.executions,
            ledger=list(self.history.ledger.values()),
            since=EPOCH.timestamp(),
            until=self.now().timestamp(),
            frozen=self.frozen,
            stalls=self.stalls,
        )

    def judge(self, rules: Rules | None = None) -> Verdict:
        """The checker's verdict on all there is."""
        return judge(self.evidence(), rules or Rules(clock_bound_s=CLOCK_BOUND_S))

    def close(self) -> None:
        """End everything; nothing that belongs to the world is left in the loop."""
        self.store.away = False
        for program in [*self.nodes.values(), *self.masters.values()]:
            program.client.partitioned = False
            program.dispose()
        for task in self._errands:
            task.cancel()
        self.loop.run_until_complete(_all_ended())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


async def _all_ended() -> None:
    """Cancel what is left until nothing is; a task may need several cancellations (nested groups)."""
    for _ in range(20):
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if not rest:
            return
        for task in rest:
            task.cancel()
        await asyncio.wait(rest, timeout=20)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """A world keeps nearly all it makes until its end; looking for garbage takes a sixth of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def world(
    *,
    workers: int = 2,
    masters: int = 1,
    seed: int = 0,
    product: Product | None = None,
    settings: Settings | None = None,
) -> Iterator[World]:
    """A fresh cluster of worker-1, worker-2, ... and master-1, ...; closed at the end of the block."""
    with seeded_chance(seed) as chance, _collector_at_rest():
        loop = JumpingLoop()
        w = World(loop, chance, product=product or Product())
        with traced_logs(w.trace):
            try:
                for number in range(1, workers + 1):
                    w.add_worker(f"worker-{number}", settings=settings)
                for number in range(1, masters + 1):
                    w.add_master(f"master-{number}")
                yield w
            except Exception as error:
                error.add_note(f"seed {seed}; trace:\n{w.trace.text()}")
                raise
            finally:
                w.close()
