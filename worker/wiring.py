"""The one place that names the worker's concrete adapters.

Constructors store, they do not connect: etcd and MongoDB may be away while this runs.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from pymongo.asynchronous.database import AsyncDatabase

from common.config.command_line import product_version
from common.domain.keys import Keyspace
from common.domain.records import Document
from common.kv.check import settings_of
from common.kv.etcd import EtcdStore
from common.kv.port import KeyValueStore
from common.kv.timed import TimedStore
from common.mongo.client import connect, durable_database
from common.mongo.command_timings import CommandTimings
from common.mongo.record_sink import MongoRecordSink
from common.mongo.schema import ensure_schema
from common.runtime.clock import Clock, SystemClock, new_nonce
from common.runtime.collector import LongLived
from common.runtime.timings import Timings
from common.runtime.tzdata import tzdata_version
from worker.adapters.clock_mark import FileClockMark
from worker.adapters.host import HostMetrics, address_towards, host_name
from worker.adapters.hosted import HostedSpawner
from worker.adapters.mongo_reports import MongoReports
from worker.adapters.precedence import go_first
from worker.adapters.run_as import RunAs
from worker.adapters.spool import FileSpool
from worker.adapters.state_files import recover
from worker.assembly import Assembly, Deps, Description, Limits
from worker.config import WorkerConfig
from worker.executors.registry import find_executors
from worker.health_endpoint import HealthEndpoint
from worker.identity import Identity, take_identity
from worker.log_shipper import LogShipper
from worker.metrics import counts, families
from worker.predecessor import predecessor_check
from worker.preparation import HistoryPreparation
from worker.store_watch import FileMark
from worker.supervisor import CommandSupervisor

log: Final = structlog.get_logger(__name__)


@asynccontextmanager
async def build(config: WorkerConfig) -> AsyncIterator[Assembly]:
    """
    A worker made of etcd, MongoDB and this host's processes; everything is open until the context ends.

    Raises:
        ConfigError: A directory, an executor or a file cannot be used as configured.
    """
    identity = take_identity(config)
    try:
        _kill_leftovers(identity)
        clock, timings = SystemClock(), Timings()
        etcd = EtcdStore(settings_of(config))
        mongo = connect(
            config.mongo_uri.get_secret_value(),
            connect_timeout_ms=config.mongo_connect_timeout_ms,
            app_name=f"everytick worker {identity.worker_id}",
            listeners=[CommandTimings(timings)],
        )
        async with etcd, mongo:
            store = TimedStore(etcd, clock, timings)
            database = durable_database(mongo, config.mongo_database)
            async with HostedSpawner(identity.worker_id, identity.state_dir, config.run_as_users) as spawner:
                go_first(config.precedence)
                assembly, spool = _assemble(config, identity, store, database, clock, timings, spawner)
                try:
                    yield assembly
                finally:
                    spool.close()
    finally:
        identity.release()


def _kill_leftovers(identity: Identity) -> None:
    """What an earlier process of this worker left running must not survive unattended (situation 19)."""
    for leftover in recover(identity.state_dir):
        log.warning(
            "execution.left_behind",
            execution=leftover.execution_id,
            killed=leftover.killed,
            survived=leftover.survived,
        )


def _assemble(
    config: WorkerConfig,
    identity: Identity,
    store: KeyValueStore,
    database: AsyncDatabase[Document],
    clock: Clock,
    timings: Timings,
    spawner: HostedSpawner,
) -> tuple[Assembly, FileSpool]:
    spool = FileSpool(identity.spool_dir, max_bytes=config.spool_max_bytes)
    journal = LogShipper(
        spool=spool,
        sink=MongoRecordSink(database),
        batch_size=config.log_batch_size,
        commit_timeout_s=config.log_commit_timeout_ms / 1000,
    )
    executors = find_executors(config.executors or (), http_networks=config.http_allowed_networks)
    run_as = RunAs(frozenset(config.run_as_users))
    host = HostMetrics(identity.state_dir)
    reports = MongoReports(database, clock, identity.worker_id)
    assembly = Assembly(
        Deps(
            store=store,
            keyspace=Keyspace(config.key_prefix, config.health_prefix),
            clock=clock,
            supervisor=CommandSupervisor(
                executors=executors,
                spawner=spawner,
                account_of=run_as.account,
                journal=journal,
                clock=clock,
                output_flush_s=min(0.5, config.log_commit_timeout_ms / 4000),
            ),
            journal=journal,
            reports=reports,
            clock_reference=reports,
            clock_mark=FileClockMark(identity.state_dir / "clock-mark.txt"),
            store_mark=FileMark(identity.state_dir / "store-mark.json"),
            is_predecessor=predecessor_check(host_name()),
            new_nonce=new_nonce,
            metrics=lambda: {**host.sample(), **_backlog(journal)},
        ),
        _description(config, identity, tuple(sorted(executors)), clock),
        Limits(
            lease_ttl_s=config.job_lock_ttl_s,
            heartbeat_s=config.heartbeat_interval_ms / 1000,
            shutdown_grace_s=config.shutdown_grace_s,
            kill_grace_s=config.kill_grace_s,
        ),
        background=(HistoryPreparation(lambda: ensure_schema(database)),),
    )
    assembly.more_state = lambda: {"counts": counts(assembly, journal)}
    assembly.worker.keep_running(LongLived(lambda: len(assembly.plan)))
    assembly.worker.keep_running(spawner)
    if config.health_port is not None:
        assembly.worker.keep_running(
            HealthEndpoint(
                config.health_port, assembly.why_not_ready, lambda: families(assembly, journal, timings)
            )
        )
    return assembly, spool


def _description(
    config: WorkerConfig, identity: Identity, executors: tuple[str, ...], clock: Clock
) -> Description:
    return Description(
        worker_id=identity.worker_id,
        version=product_version(),
        host=host_name(),
        address=address_towards(config.etcd_endpoints),
        pid=os.getpid(),
        labels=config.labels,
        executors=executors,
        slots=config.executor_threads,
        started_at=clock.now(),
        tzdata=tzdata_version(),
    )


def _backlog(journal: LogShipper) -> dict[str, float]:
    """How far history is behind, for the overview."""
    return {"journal_backlog": journal.backlog, "journal_oldest_s": journal.oldest_age_s}
