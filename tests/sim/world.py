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
import functools
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, cast

from common.domain.codec import KillRequest, RunRecord, Trigger, encode_cursor
from common.domain.errors import StoreError
from common.domain.execution import Cause
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from common.kv.values import Change, Changes, KeyValue, Put, absent, modified_at
from common.runtime.clock import new_uid
from tests.fakes.kv import FakeStore
from tests.fakes.kv_client import FakeClient
from tests.faults.evidence import Evidence, Frozen, JobVersion, versions_of
from tests.faults.judging import Rules, Verdict, judge
from tests.sim.chance import seeded_chance
from tests.sim.clocks import EPOCH, SkewedClock, true_time
from tests.sim.history import History
from tests.sim.loop import Host, JumpingLoop
from tests.sim.machine import Behaviour, Machine
from tests.sim.master_node import MasterNode
from tests.sim.node import KEYS, Node, Product, Settings
from tests.sim.program import Program
from tests.sim.trace import Trace, traced_logs

#: How far a clock may be off while its worker claims, and what it may gain between two measurements.
CLOCK_BOUND_S: Final = 2.2

Action = TypeVar("Action", bound=Callable[..., None])


def _in_loop(action: Action) -> Action:
    """Let a fault that is called while time stands still happen inside the loop all the same."""

    @functools.wraps(action)
    def act(w: "World", *args: Any, **options: Any) -> None:
        async def now() -> None:
            action(w, *args, **options)

        if w.loop.is_running():
            action(w, *args, **options)
        else:
            w.loop.run_until_complete(now())

    return cast(Action, act)


class World:
    """The cluster and everything that can be done to it; made by `world()`."""

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

    # jobs and requests, as a master would store them

    def save_job(
        self,
        name: str,
        *,
        every_s: int | None = None,
        duration_s: float = 0.05,
        behaviour: Behaviour | None = None,
        **fields: Any,
    ) -> None:
        """Create the job, or save its next version; *fields* are those of the job."""
        behaviour = behaviour or Behaviour(duration_s=duration_s)
        if every_s is not None:
            fields["schedule"] = f"@every {every_s}s"
        self._soon(self._save(name, {"command": behaviour.words(), **fields}))

    def change_job(self, name: str, **fields: Any) -> None:
        """Save the next version with *fields* changed."""
        self._soon(self._save(name, fields))

    def disable(self, name: str) -> None:
        self.change_job(name, enabled=False)

    def enable(self, name: str) -> None:
        self.change_job(name, enabled=True)

    async def _save(self, name: str, fields: dict[str, Any]) -> None:
        now = true_time(self.loop)
        key = KEYS.job("default", name)
        stored = self.store.get(key)
        if stored is None and "command" not in fields:
            return  # a change of a job that is gone: the API answers 404
        if stored is None:
            spec = JobSpec(name=name, uid=new_uid(), created_at=now, changed_at=now, **fields)
            cursor = Put(KEYS.cursor(spec.uid), encode_cursor(spec.changed_at))
            compares, puts = [absent(key)], [cursor]
        else:
            before = JobSpec.model_validate_json(stored.value)
            known = before.model_dump(exclude={"generation", "changed_at"})
            spec = JobSpec(generation=before.generation + 1, changed_at=now, **(known | fields))
            compares, puts = [modified_at(key, stored.mod_revision)], []
        puts.append(Put(key, spec.model_dump_json(exclude_none=True).encode()))
        await self._operator.txn(compares=compares, puts=puts)

    def delete_job(self, name: str) -> None:
        self._soon(self._delete(name))

    async def _delete(self, name: str) -> None:
        key = KEYS.job("default", name)
        stored = self.store.get(key)
        if stored is None:
            return
        uid = JobSpec.model_validate_json(stored.value).uid
        await self._operator.txn(
            compares=[modified_at(key, stored.mod_revision)], deletes=[key, KEYS.cursor(uid)]
        )

    def run_job(self, name: str, **parameters: str) -> None:
        """Run now."""
        self._soon(self._run_now(name, parameters))

    async def _run_now(self, name: str, parameters: dict[str, str]) -> None:
        now = true_time(self.loop)
        trigger = Trigger(
            cause=Cause.MANUAL,
            not_before=now,
            expires_at=now + timedelta(hours=24),
            scheduled_at=now,
            parameters=parameters,
            requested_by="somebody",
        )
        lease = await self._operator.grant(86_400)
        key = KEYS.trigger(self.uid(name), new_uid())
        await self._operator.txn(puts=[Put(key, trigger.encode(), lease=lease.id)])
        self.trace.note("job.requested", job=name, key=key)

    def kill_running(self, name: str) -> None:
        """Kill every execution of the job that has a run record now."""
        self._soon(self._kill(name))

    async def _kill(self, name: str) -> None:
        for key in self.store.keys(KEYS.runs_of(self.uid(name))):
            execution = KEYS.parse_run(key)
            self.kills.add(str(execution))
            lease = await self._operator.grant(120)
            request = KillRequest(requested_by="somebody", requested_at=true_time(self.loop))
            await self._operator.txn(puts=[Put(KEYS.kill(execution), request.encode(), lease=lease.id)])
            self.trace.note("kill.requested", execution=execution)

    def put_garbage(self, name: str) -> None:
        """Somebody writes nonsense over a stored job by hand."""
        key = KEYS.job("default", name)
        self._soon(self._operator.txn(puts=[Put(key, b"{nonsense")]))

    # faults

    @_in_loop
    def crash(self, name: str) -> None:
        """kill -9 of a worker; its service manager kills the commands with it."""
        self.note_fault("crash", name)
        program = self.program(name)
        if isinstance(program, Node):
            program.kill(kept_records=self.chance.randrange(3))
        else:
            program.kill()

    @_in_loop
    def start(self, name: str) -> None:
        self.note_fault("start", name)
        self.program(name).start()

    @_in_loop
    def stop(self, name: str) -> None:
        """SIGTERM."""
        self.note_fault("stop", name)
        self.nodes[name].stop()

    @_in_loop
    def freeze(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after *seconds*; the commands go on."""
        node = self.nodes[name]
        if not node.is_running or node.is_frozen:
            return
        self.note_fault("freeze", name, seconds=seconds)
        host = node.hosts[-1]
        host.freeze()
        now_s = self.now().timestamp()
        if seconds > node.settings.limits.lease_ttl_s / 2:
            # Even after the thaw its commands need a moment to die.
            self.frozen.append(Frozen(name, now_s, now_s + seconds + 2.0))
        self.loop.call_later(seconds, self._thaw, host)

    def _thaw(self, host: Host) -> None:
        self.note_fault("thaw", host.name)
        host.thaw()

    @_in_loop
    def partition(self, name: str, seconds: float | None = None) -> None:
        """Messages between the store and *name* vanish, until `heal` or for *seconds*."""
        self.note_fault("partition", name, seconds=seconds)
        self.store.client(name).partitioned = True
        if seconds is not None:
            self.loop.call_later(seconds, self.heal, name)

    @_in_loop
    def heal(self, name: str) -> None:
        self.note_fault("heal", name)
        self.store.client(name).partitioned = False

    @_in_loop
    def step_clock(self, name: str, seconds: float) -> None:
        """Set the wall clock of a machine."""
        self.stepped_hosts.add(name)
        self.note_fault("clock_step", name, seconds=seconds)
        self.nodes[name].machine.clock.step(seconds)

    @_in_loop
    def etcd_away(self, seconds: float) -> None:
        self.note_fault("etcd_away", "etcd", seconds=seconds)
        self.store.away = True
        self.loop.call_later(seconds, self._etcd_back)

    def _etcd_back(self) -> None:
        self.note_fault("etcd_back", "etcd")
        self.store.away = False

    @_in_loop
    def etcd_without_leader(self, seconds: float) -> None:
        self.note_fault("leader_pause", "etcd", seconds=seconds)
        self.store.paused = True
        self.loop.call_later(seconds, self._leader_back)

    def _leader_back(self) -> None:
        self.note_fault("leader_back", "etcd")
        self.store.paused = False

    @_in_loop
    def mongo_away(self, seconds: float) -> None:
        self.note_fault("mongo_away", "mongodb", seconds=seconds)
        self.history.is_away = True
        self.loop.call_later(seconds, self._mongo_back)

    def _mongo_back(self) -> None:
        self.note_fault("mongo_back", "mongodb")
        self.history.is_away = False

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

    # what came of it

    @property
    def beginning(self) -> int:
        """The epoch second at which the world began."""
        return int(EPOCH.timestamp())

    def uid(self, name: str) -> str:
        """Of the newest job of that name."""
        uids = [uid for uid, specs in self.specs.items() if specs[0].name == name]
        if not uids:
            raise KeyError(f"no job {name!r} was saved")
        return uids[-1]

    def starts(self, name: str) -> list[float]:
        """When the commands of the job started, in seconds since the beginning."""
        return sorted(mark.seen_at - EPOCH.timestamp() for mark in self._marks(name) if mark.phase == "start")

    def overlaps(self, name: str) -> list[str]:
        """Overlapping executions of the job, in words; those of frozen workers included."""
        verdict = self.judge()
        return [str(f) for f in verdict.findings if "overlap" in f.kind and f.job == f"default/{name}"]

    def spec_of(self, execution: str, generation: int) -> JobSpec | None:
        """The version of the job an execution ran."""
        uid = ExecutionId.parse(execution).uid
        return next((spec for spec in self.specs.get(uid, ()) if spec.generation == generation), None)

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

    def _marks(self, name: str) -> list[Any]:
        uid = self.uid(name)
        return [mark for mark in self.marks() if mark.execution.startswith(f"{uid}.")]

    def marks(self) -> list[Any]:
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
def world(
    *,
    workers: int = 2,
    masters: int = 1,
    seed: int = 0,
    product: Product | None = None,
    settings: Settings | None = None,
) -> Iterator[World]:
    """A fresh cluster of worker-1, worker-2, ... and master-1, ...; closed at the end of the block."""
    with seeded_chance(seed) as chance:
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
