"""Area: workers as people handle them, and the installation as a whole."""

from dataclasses import dataclass

from master.adapters.mongo_workers import MongoWorkers
from master.assembly.ground import Ground, Loop
from master.assembly.views import Views
from master.services.cluster import Cluster
from master.services.worker_log import WorkerLog
from master.services.worker_orders import WorkerOrders


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Orders to workers, their log and curves."""

    orders: WorkerOrders
    records: MongoWorkers
    log: WorkerLog
    cluster: Cluster

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (self.log.run,)


def make_workers(ground: Ground, views: Views) -> Workers:
    """The services of workers; the roster tells every change to their log."""
    records = MongoWorkers(ground.database, ground.reader)
    log = WorkerLog(records, ground.clock)
    views.roster.on_health(log.changed)
    return Workers(
        orders=WorkerOrders(ground.store, ground.keyspace, views.roster, views.jobs, records, ground.clock),
        records=records,
        log=log,
        cluster=Cluster(
            ground.store, ground.keyspace, ground.reader, ground.config, ground.clock, name=ground.name
        ),
    )
