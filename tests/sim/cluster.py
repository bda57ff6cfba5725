"""The simulated cluster: who is there, how time passes, and what is watched at every commit.

The things that can be done to it stand in `people` (jobs and requests) and `disasters` (faults); `world` puts
everything together.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from common.domain.codec import RunRecord
from common.domain.errors import StoreError
from common.domain.job import JobSpec
from common.kv.values import Change, Changes, KeyValue
from tests.fakes.kv import FakeStore
from tests.fakes.kv_client import FakeClient
from tests.faults.evidence import Frozen
from tests.sim.clocks import SkewedClock, true_time
from tests.sim.history import History
from tests.sim.loop import JumpingLoop
from tests.sim.machine import Machine
from tests.sim.master_node import MasterNode
from tests.sim.node import KEYS, Node, Product, Settings
from tests.sim.program import Program
from tests.sim.trace import Trace


class Cluster:
    """Workers on machines, masters, a store and a database, on one virtual clock."""

    def __init__(self, loop: JumpingLoop, chance: random.Random, *, product: Product) -> None:
        self.loop = loop
        self.chance = chance
        self.product = product
        self.trace = Trace(loop.time)
        self.store = FakeStore()
        self.history = History()
        self.nodes: dict[str, Node] = {}
        self.masters: dict[str, MasterNode] = {}
        self.specs: dict[str, list[JobSpec]] = {}
        self.deleted_at: dict[str, float] = {}
        self.frozen: list[Frozen] = []
        self.stalls: list[Frozen] = []
        self.stepped_hosts: set[str] = set()
        self.kills: set[str] = set()
        self.lease_violations: list[str] = []
        self._disturbed: list[tuple[str, float]] = []
        self._locks: dict[str, str] = {}
        self._uid_at: dict[str, str] = {}
        self._operator = self.store.client("operator")
        self._offsets_ms: dict[str, int] = {}
        self._errands: set[asyncio.Task[Any]] = set()
        self._written_s: dict[str, float] = {}
        self.store.observers.append(self._observe)

    # who is there

    def add_worker(
        self, name: str, *, offset_s: float = 0.0, drift: float = 0.0, settings: Settings | None = None
    ) -> Node:
        """A machine with a worker on it that runs."""
        machine = Machine(name, self.loop, SkewedClock(self.loop, offset_s, drift), self.trace)
        client = self._client(name)
        node = Node(machine, client, self.history, self._offsets_ms, settings or Settings(), self.product)
        self.nodes[name] = node
        self._soon(self._start(node))
        return node

    def add_master(self, name: str) -> MasterNode:
        """A master that reconciles."""
        clock = SkewedClock(self.loop)
        master = MasterNode(name, self.loop, self._client(name), clock, self.history, self.product)
        self.masters[name] = master
        self._soon(self._start(master))
        return master

    def _client(self, name: str) -> FakeClient:
        client = self.store.client(name)
        client.delay_s = lambda: self.chance.uniform(0.0005, 0.003)
        return client

    async def _start(self, program: Program) -> None:
        program.start()

    def program(self, name: str) -> Node | MasterNode:
        return self.nodes[name] if name in self.nodes else self.masters[name]

    def note_fault(self, kind: str, target: str, **fields: Any) -> None:
        """Put a fault into the trace."""
        self._disturbed.append((target, self.now().timestamp()))
        self.trace.note(f"fault.{kind}", target=target, **fields)

    def note_revoked(self, name: str) -> None:
        """Somebody ends the session of *name*: its commands cannot have been stopped before."""
        now_s = self.now().timestamp()
        self.frozen.append(Frozen(name, now_s - 1.0, now_s + 15.0))

    def was_disturbed(self, host: str, at: float) -> bool:
        """Whether *host* may have been cut off at that time (epoch seconds)."""
        return any(target in (host, "etcd") and since <= at + 2 for target, since in self._disturbed)

    def was_struck(self, host: str, at: float, within_s: float) -> bool:
        """Whether a fault of *host* or of etcd began at most *within_s* before *at* (epoch seconds)."""
        return any(t in (host, "etcd") and at - within_s <= since <= at for t, since in self._disturbed)

    def clients(self) -> list[FakeClient]:
        """The connections of all programs."""
        return [program.client for program in [*self.nodes.values(), *self.masters.values()]]

    def _observe(self, client: str, changes: Changes) -> None:
        """Watch every commit: when were keys written, and did a lock end while its command was alive?"""
        for change in changes.items:
            self._written_s[change.key] = self.loop.time()
            if change.key.startswith(KEYS.jobs):
                self._note_job(change)
            if change.key.startswith(KEYS.runs) and change.kv.version == 1:
                self._check_claim(change.kv)
            if not change.key.startswith(KEYS.locks):
                continue
            if not change.deleted:
                self._locks[change.key] = change.kv.value.decode()
            elif client == "" and (execution := self._locks.pop(change.key, None)) is not None:
                self._check_lock_end(execution)

    def _note_job(self, change: Change) -> None:
        """What is stored counts, whatever whoever saved it was told: answers get lost."""
        uid = self._uid_at.pop(change.key, None)
        if change.deleted or change.kv.value.startswith(b"{nonsense"):
            if uid is not None:
                self.deleted_at[uid] = self.now().timestamp()
                self.trace.note("job.deleted", job=change.key, uid=uid)
            return
        spec = JobSpec.model_validate_json(change.kv.value)
        self._uid_at[change.key] = spec.uid
        self.specs.setdefault(spec.uid, []).append(spec)
        self.trace.note("job.saved", job=spec.name, uid=spec.uid, generation=spec.generation)

    def _check_claim(self, kv: KeyValue) -> None:
        """A claim may only be made under a session that is alive at that very revision."""
        record = RunRecord.decode(kv.key, kv.value)
        health = self.store.get(KEYS.health(record.worker))
        if health is None or f"{health.lease:x}" != record.session:
            self.lease_violations.append(f"{kv.key} was claimed by {record.worker} without a session")

    def _check_lock_end(self, execution: str) -> None:
        """A lease has ended: the exclusive command under it must not be alive (frozen workers excepted)."""
        for node in self.nodes.values():
            for process in node.machine.processes.values():
                if process.execution == execution and not self._stood_still(node.name):
                    text = f"{execution} on {node.name} is alive past its lease at {self.loop.time():.3f}"
                    self.lease_violations.append(text)

    def _stood_still(self, name: str) -> bool:
        now_s = self.now().timestamp()
        return any(still.host == name and still.since <= now_s <= still.until for still in self.frozen)

    # time

    def now(self) -> datetime:
        return true_time(self.loop)

    def at(self, seconds: float, action: Callable[..., object], *args: Any, **options: Any) -> None:
        """Call *action* when *seconds* have passed since the beginning."""
        self.loop.call_at(seconds, lambda: action(*args, **options))

    def run(self, *, seconds: float = 0.0, minutes: float = 0.0) -> None:
        """Let time pass."""
        self.loop.run_until_complete(asyncio.sleep(seconds + 60 * minutes))
        self._raise_failures()

    def _soon(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do *work* now, or as a task when time is running already."""
        if not self.loop.is_running():
            self.loop.run_until_complete(work)
            return
        task = self.loop.create_task(work, name="errand")
        self._errands.add(task)

    def _raise_failures(self) -> None:
        for task in [task for task in self._errands if task.done()]:
            self._errands.discard(task)
            error = task.exception()
            if isinstance(error, StoreError):
                # An API call that met an outage: its caller got a 503.
                self.trace.note("request.refused", error=error)
            elif error is not None:
                raise error
        for program in [*self.nodes.values(), *self.masters.values()]:
            for error in program.failures:
                raise AssertionError(f"{program.name} ended by itself: {error!r}") from error

    def uid(self, name: str) -> str:
        """Of the newest job of that name."""
        uids = [uid for uid, specs in self.specs.items() if specs[0].name == name]
        if not uids:
            raise KeyError(f"no job {name!r} was saved")
        return uids[-1]
