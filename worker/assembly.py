"""How a worker's parts fit together, whatever stands behind the ports.

`wiring` calls it with etcd, MongoDB and processes; the simulation with fakes on virtual time. Nothing here
connects or starts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.domain.codec import WorkerHealth
from common.domain.keys import Keyspace
from common.kv.feed import Feed
from common.kv.port import KeyValueStore
from common.kv.session import Session
from common.runtime.clock import Clock
from worker.adoption import Adoption
from worker.claims import Claims
from worker.clock_watch import ClockMark, ClockReference, ClockWatch
from worker.dispatcher import Dispatcher
from worker.domain.plan import Plan
from worker.domain.slots import Slots
from worker.drain_switch import DrainSwitch
from worker.fencing import LeaseWatchdog
from worker.gate import Bar, Gate
from worker.job_feed import JobFeed
from worker.kill_switch import KillSwitch
from worker.launcher import Launcher
from worker.ports import Supervisor
from worker.registration import IsPredecessor, Registration
from worker.reporter import Reporter, Reports
from worker.roster import Roster
from worker.runner import Runner
from worker.running import RunningExecutions
from worker.self_audit import SelfAudit
from worker.service import Background, Parts, RunningJournal, Worker
from worker.store_watch import StoreMark, StoreWatch
from worker.tick_taker import TickTaker
from worker.trigger_desk import TriggerDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a worker says of itself, apart from its session and state."""

    worker_id: str
    version: str
    host: str
    address: str
    pid: int
    labels: Mapping[str, str]
    executors: tuple[str, ...]
    slots: int
    started_at: datetime
    tzdata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything from outside a worker needs."""

    store: KeyValueStore
    keyspace: Keyspace
    clock: Clock
    supervisor: Supervisor
    journal: RunningJournal
    reports: Reports
    clock_reference: ClockReference
    clock_mark: ClockMark
    store_mark: StoreMark
    is_predecessor: IsPredecessor
    new_nonce: Callable[[], str]
    metrics: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How a worker behaves, in seconds."""

    lease_ttl_s: int = 10
    heartbeat_s: float = 3.0
    shutdown_grace_s: float = 60.0
    kill_grace_s: float = 10.0


class Assembly:
    """
    The parts of one worker, and the worker made of them.

    The classes that decide about ticks are named here once, so that the simulation can plant a mistake in one
    of them and prove that it would be found.
    """

    session_type: type[Session] = Session
    feed_type: type[Feed] = Feed
    claims_type: type[Claims] = Claims
    taker_type: type[TickTaker] = TickTaker
    job_feed_type: type[JobFeed] = JobFeed
    kill_switch_type: type[KillSwitch] = KillSwitch

    def __init__(
        self,
        deps: Deps,
        description: Description,
        limits: Limits,
        *,
        background: tuple[Background, ...] = (),
    ) -> None:
        """*background* are further loops that only have to be kept running."""
        self.deps = deps
        self.description = description
        self.gate = Gate()
        self.feeds: list[Feed] = []
        #: What else the worker reports of itself at every heartbeat.
        self.more_state: Callable[[], Mapping[str, Any]] = dict
        self.running = RunningExecutions()
        self.slots = Slots(description.slots)
        self.plan = Plan()
        self.session = self.session_type(
            deps.store, deps.clock, ttl_s=limits.lease_ttl_s, name=description.worker_id
        )
        self.registration = Registration(
            deps.store,
            deps.keyspace,
            self.session,
            self.describe,
            deps.is_predecessor,
            description.worker_id,
        )
        self.claims = self.claims_type(
            deps.store, deps.keyspace, deps.clock, self.registration.membership, deps.new_nonce
        )
        self._make_coordination(limits)
        self.worker = Worker(
            self._parts(limits, background),
            shutdown_grace_s=limits.shutdown_grace_s,
            kill_grace_s=limits.kill_grace_s,
        )

    def describe(self, session: str) -> WorkerHealth:
        """The health key's value under *session*."""
        description = self.description
        leaving = self.gate.is_barred_by(Bar.STOPPING) or self.gate.is_barred_by(Bar.DRAINING)
        return WorkerHealth(
            worker=description.worker_id,
            session=session,
            status="draining" if leaving else "online",
            version=description.version,
            host=description.host,
            address=description.address,
            pid=description.pid,
            labels=dict(description.labels),
            executors=description.executors,
            slots=description.slots,
            started_at=description.started_at,
            tzdata=description.tzdata,
            claims_paused=self.gate.words_of(Bar.CLOCK, Bar.STORE),
        )

    def why_not_ready(self) -> str | None:
        """What keeps this worker from taking ticks; None when nothing does."""
        if not self.gate.is_open:
            return self.gate.words
        if not self.job_feed.is_current:
            return "the jobs in etcd are not followed at present"
        return None

    def state(self) -> dict[str, Any]:
        """What the worker reports of itself at every heartbeat."""
        health = self.describe(self.registration.membership.session)
        return {
            **health.model_dump(exclude={"v", "worker"}),
            "running": len(self.running),
            "parked": self.dispatcher.parked,
            "planned": len(self.plan),
            "quarantined": len(self.job_feed.quarantined),
            "clock_offset_ms": self.clock_watch.offset_ms,
            **self.more_state(),
        }

    def _metrics(self) -> dict[str, Any]:
        """One point of the worker's curves: the host's figures, and how many executions run."""
        return {**self.deps.metrics(), "running": len(self.running)}

    def _make_coordination(self, limits: Limits) -> None:
        deps, keys, worker_id = self.deps, self.deps.keyspace, self.description.worker_id
        membership = self.registration.membership
        self.watchdog = LeaseWatchdog(self.session, membership, self.running, self.gate)
        self.gate.look_first(self.watchdog.look)
        self.roster = Roster(self._feed(keys.health_prefix, "health"), keys, worker_id)
        self.drain_switch = DrainSwitch(
            self._feed(keys.drain(worker_id), "drains"),
            keys.drain(worker_id),
            self.gate,
            self.registration.announce,
        )
        self.kill_switch = self.kill_switch_type(self._feed(keys.kills, "kills"), keys, self.running)
        runner = Runner(
            self.claims,
            deps.supervisor,
            deps.journal,
            deps.clock,
            self.running,
            self._current_revision,
            self.watchdog.look_before_start,
            self.watchdog.start_by,
        )
        self.launcher = Launcher(runner, self.running, self.slots, self.kill_switch, membership, deps.clock)
        self.dispatcher = Dispatcher(deps.store, keys, deps.clock, self.plan, self.gate, self.launcher)
        self.job_feed = self.job_feed_type(
            deps.store,
            keys,
            self._feed(keys.jobs, "jobs"),
            self.roster,
            self.plan,
            self.dispatcher.replan,
        )
        taker = self.taker_type(deps.store, self.claims, deps.journal, self.launcher, deps.clock, worker_id)
        self.dispatcher.connect(taker, self.job_feed)
        self.trigger_desk = TriggerDesk(
            deps.store,
            keys,
            deps.clock,
            self._feed(keys.triggers, "triggers"),
            self.job_feed,
            self.roster,
            self.claims,
            self.launcher,
            deps.journal,
            self.gate,
            worker_id,
        )
        self.clock_watch = ClockWatch(
            deps.clock,
            self.gate,
            deps.clock_reference,
            deps.clock_mark,
            interval_s=limits.heartbeat_s,
            on_step=self.dispatcher.look_again,
            announce=self.registration.announce,
        )

    def _parts(self, limits: Limits, background: tuple[Background, ...]) -> Parts:
        deps, keys = self.deps, self.deps.keyspace
        membership = self.registration.membership
        return Parts(
            session=self.session,
            registration=self.registration,
            journal=deps.journal,
            gate=self.gate,
            roster=self.roster,
            job_feed=self.job_feed,
            dispatcher=self.dispatcher,
            trigger_desk=self.trigger_desk,
            kill_switch=self.kill_switch,
            drain_switch=self.drain_switch,
            launcher=self.launcher,
            running=self.running,
            watchdog=self.watchdog,
            clock_watch=self.clock_watch,
            store_watch=StoreWatch(
                deps.store,
                self.gate,
                deps.store_mark,
                keys.accepted_store,
                deps.clock,
                self.registration.announce,
            ),
            self_audit=SelfAudit(
                deps.store,
                keys,
                deps.clock,
                membership,
                self.running,
                self.claims,
                deps.journal,
                self.job_feed,
            ),
            adoption=Adoption(deps.store, keys, membership, self.running),
            background=(
                Reporter(deps.reports, self.state, self._metrics, interval_s=limits.heartbeat_s),
                *background,
            ),
        )

    def _feed(self, prefix: str, name: str) -> Feed:
        feed = self.feed_type(self.deps.store, prefix, name=name)
        self.feeds.append(feed)
        return feed

    def _current_revision(self, uid: str) -> int | None:
        known = self.job_feed.job(uid)
        return known.revision if known is not None else None
