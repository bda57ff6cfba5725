"""Area: the master itself: how it and its servers are, and that the others know of it."""

from collections.abc import Callable
from dataclasses import dataclass

from common.config.command_line import product_version
from common.mongo.schema import ensure_schema
from master.adapters.mongo_calls import ensure_account_schema
from master.assembly.ground import Ground, Loop
from master.assembly.views import Views
from master.services.health import HealthMonitor, View
from master.services.job_series import JobSeries
from master.services.metrics import Metrics
from master.services.presence import MasterPresence, Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Health and presence of this master."""

    health: HealthMonitor
    registration: Registration

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (self.health.watch_etcd, self.health.watch_mongo, self.registration.run)


def make_system(ground: Ground, views: Views) -> System:
    """Health over *views*, with its figures in the metrics."""
    followed: dict[str, View] = {"jobs": views.jobs, "runs": views.runs, "workers": views.roster}
    config = ground.config

    async def prepare() -> None:
        await ensure_schema(ground.database)
        await ensure_account_schema(ground.database)

    health = HealthMonitor(
        ground.store,
        ground.reader,
        followed,
        prepare,
        about={
            "version": product_version(),
            "key_prefix": config.key_prefix,
            "master_id": ground.name,
        },
    )
    _show_views(ground.metrics, views, followed, config.metrics_jobs)
    _show_servers(ground.metrics, health)
    presence = MasterPresence(
        master=ground.name,
        address=ground.address,
        version=product_version(),
        started_at=ground.clock.now(),
    )
    key = ground.keyspace.master(ground.name)
    return System(health=health, registration=Registration(ground.store, ground.session, key, presence))


def _show_views(metrics: Metrics, views: Views, followed: dict[str, View], limit: int) -> None:
    metrics.watch("jobs", "Stored jobs.", lambda: views.jobs.count()[0])
    metrics.watch("jobs_quarantined", "Stored jobs that cannot be read.", lambda: views.jobs.count()[1])
    metrics.watch("executions_running", "Executions that hold a run record.", lambda: len(views.runs))
    metrics.watch("workers_live", "Workers whose session is alive.", lambda: len(views.roster.live()))
    metrics.show(JobSeries(views.jobs, views.recent, limit))
    for name, view in followed.items():
        metrics.watch("feed_current", "1 while changes arrive as they happen.", _truth(view), feed=name)


def _show_servers(metrics: Metrics, health: HealthMonitor) -> None:
    metrics.watch(
        "etcd_db_size_bytes",
        "Size of etcd's database; NaN while it is away.",
        lambda: health.etcd.db_size_bytes if health.etcd else float("nan"),
    )
    metrics.watch(
        "mongodb_up", "1 while MongoDB answers.", lambda: 0.0 if health.mongo_version is None else 1.0
    )


def _truth(view: View) -> Callable[[], float]:
    return lambda: float(view.is_current)
