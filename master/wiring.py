"""The one place that names concrete adapters: configuration in, services and background loops out.

Constructors store, nothing connects here: a server that is away delays its loops and not the start.
"""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from common.config.command_line import product_version
from common.domain.keys import Keyspace
from common.kv.check import settings_of
from common.kv.etcd import EtcdStore
from common.kv.feed import Feed
from common.kv.port import KeyValueStore
from common.kv.session import Session
from common.mongo.client import connect, durable_database
from common.mongo.record_sink import MongoRecordSink
from common.mongo.schema import ensure_schema
from common.runtime.clock import Clock, SystemClock
from master.adapters.mongo_history import MongoHistory
from master.api.deps import Services
from master.config import MasterConfig
from master.ports import HistoryReader
from master.services.admin_token import AdminTokens, read_or_create_token
from master.services.commands import Commands
from master.services.cursor_view import CursorView
from master.services.health import HealthMonitor, View
from master.services.history import History
from master.services.job_catalog import JobCatalog
from master.services.job_list import JobList
from master.services.job_view import JobView
from master.services.kill_watch import KillWatch
from master.services.ledger import Ledger
from master.services.live_runs import LiveRuns
from master.services.metrics import Metrics
from master.services.output import OutputReader
from master.services.presence import MasterPresence, Registration
from master.services.recent import RecentExecutions
from master.services.reconciler import Reconciler
from master.services.roster import Roster

_SESSION_TTL_S: Final = 10
Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Deps:
    """
    What a running master consists of.

    Attributes:
        loops: Background work, each for ever; one that raises ends the process.
        session: Outlives the loops; closed last, so that the key of a stopping master goes at once.
    """

    services: Services
    loops: tuple[Loop, ...]
    session: Session


@asynccontextmanager
async def build_deps(config: MasterConfig, *, address: str = "") -> AsyncIterator[Deps]:
    """
    Everything a master needs, open until the context ends.

    Args:
        address: Where the API is served, for the other masters.

    Raises:
        ConfigError: A file that is named cannot be used.
    """
    clock = SystemClock()
    keyspace = Keyspace(config.key_prefix, config.health_prefix)
    token = read_or_create_token(config.token_file)
    client = connect(
        config.mongo_uri.get_secret_value(),
        connect_timeout_ms=config.mongo_connect_timeout_ms,
        app_name="everytick-master",
    )
    async with EtcdStore(settings_of(config)) as store, client as mongo:
        database = durable_database(mongo, config.mongo_database)
        history = MongoHistory(database)
        session = Session(store, clock, ttl_s=_SESSION_TTL_S, name="master")
        jobs = JobView(Feed(store, keyspace.jobs, name="jobs"), keyspace, clock)
        runs = LiveRuns(Feed(store, keyspace.runs, name="runs"), keyspace)
        cursors = CursorView(Feed(store, keyspace.cursors, name="cursors"), keyspace)
        roster = Roster(Feed(store, keyspace.health_prefix, name="workers"), keyspace, history, runs)
        tokens = AdminTokens(
            token,
            f"{socket.gethostname()}:{config.token_file.resolve()}",
            store,
            keyspace,
            Feed(store, keyspace.admin_tokens, name="admin_tokens"),
        )
        health = HealthMonitor(
            store,
            history,
            {"jobs": jobs, "runs": runs, "workers": roster},
            lambda: ensure_schema(database),
            about={
                "version": product_version(),
                "key_prefix": config.key_prefix,
                "master_id": master_id(config),
            },
        )
        recent = RecentExecutions(history, clock)
        services = _services(
            config, store, keyspace, clock, jobs, runs, roster, recent, history, health, tokens
        )
        _show_gauges(services.metrics, jobs, runs, roster, health)
        reconciler = Reconciler(
            store,
            keyspace,
            clock,
            jobs,
            cursors,
            runs,
            roster,
            MongoRecordSink(database),
            history,
            name=master_id(config),
        )
        kill_watch = KillWatch(Feed(store, keyspace.kills, name="kills"), keyspace, runs)
        _show_repairs(services.metrics, reconciler, kill_watch)
        registration = _registration(config, store, session, keyspace, clock, address)
        yield Deps(
            services=services,
            loops=(
                jobs.run,
                jobs.keep_ticks_fresh,
                runs.run,
                roster.run,
                cursors.run,
                reconciler.run,
                kill_watch.run,
                tokens.run,
                tokens.publish,
                recent.run,
                health.watch_etcd,
                health.watch_mongo,
                registration.run,
            ),
            session=session,
        )


def master_id(config: MasterConfig) -> str:
    """The name of this master among the others: as configured, or its host and process."""
    return config.master_id or f"{socket.gethostname()}-{os.getpid()}"


def _services(
    config: MasterConfig,
    store: KeyValueStore,
    keyspace: Keyspace,
    clock: Clock,
    jobs: JobView,
    runs: LiveRuns,
    roster: Roster,
    recent: RecentExecutions,
    reader: HistoryReader,
    health: HealthMonitor,
    tokens: AdminTokens,
) -> Services:
    catalog = JobCatalog(store, keyspace, jobs, clock, history_days=config.history_days)
    history = History(reader, runs)
    return Services(
        clock=clock,
        catalog=catalog,
        jobs=JobList(catalog, jobs, runs, roster, recent, clock),
        commands=Commands(store, keyspace, catalog, history, roster, clock),
        history=history,
        output=OutputReader(reader),
        ledger=Ledger(reader, runs, roster, clock),
        roster=roster,
        health=health,
        metrics=Metrics(product_version()),
        tokens=tokens,
    )


def _registration(
    config: MasterConfig,
    store: KeyValueStore,
    session: Session,
    keyspace: Keyspace,
    clock: Clock,
    address: str,
) -> Registration:
    name = master_id(config)
    presence = MasterPresence(master=name, address=address, version=product_version(), started_at=clock.now())
    return Registration(store, session, keyspace.master(name), presence)


def _show_gauges(
    metrics: Metrics, jobs: JobView, runs: LiveRuns, roster: Roster, health: HealthMonitor
) -> None:
    metrics.watch("jobs", "Stored jobs.", lambda: jobs.count()[0])
    metrics.watch("jobs_quarantined", "Stored jobs that cannot be read.", lambda: jobs.count()[1])
    metrics.watch("executions_running", "Executions that hold a run record.", lambda: len(runs))
    metrics.watch("workers_live", "Workers whose session is alive.", lambda: len(roster.live()))
    views: dict[str, View] = {"jobs": jobs, "runs": runs, "workers": roster}
    for name, view in views.items():
        metrics.watch("feed_current", "1 while changes arrive as they happen.", _truth(view), feed=name)
    metrics.watch(
        "etcd_db_size_bytes",
        "Size of etcd's database; NaN while it is away.",
        lambda: health.etcd.db_size_bytes if health.etcd else float("nan"),
    )
    metrics.watch(
        "mongodb_up", "1 while MongoDB answers.", lambda: 0.0 if health.mongo_version is None else 1.0
    )


def _show_repairs(metrics: Metrics, reconciler: Reconciler, kill_watch: KillWatch) -> None:
    metrics.watch(
        "executions_closed", "Executions of dead sessions this master closed.", lambda: reconciler.closed
    )
    metrics.watch("ticks_missed", "Missed ticks this master accounted for.", lambda: reconciler.missed)
    metrics.watch(
        "kills_failed", "Kill requests that ended before their execution.", lambda: kill_watch.failed
    )


def _truth(view: View) -> Callable[[], float]:
    return lambda: float(view.is_current)
