"""Area: what masters close and account for after workers that died."""

from dataclasses import dataclass

from common.mongo.record_sink import MongoRecordSink
from master.assembly.ground import Ground, Loop
from master.assembly.views import Views
from master.services.abandoned import AbandonedRuns
from master.services.kill_watch import KillWatch
from master.services.reconciler import Reconciler


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """Work without questions: nobody asks these services for anything but their figures."""

    abandoned: AbandonedRuns
    reconciler: Reconciler
    kill_watch: KillWatch

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (self.abandoned.run, self.reconciler.run, self.kill_watch.run)


def make_repairs(ground: Ground, views: Views) -> Repairs:
    """The repairs, with their figures in the metrics."""
    records = MongoRecordSink(ground.database)
    abandoned = AbandonedRuns(
        ground.store,
        ground.keyspace,
        ground.clock,
        views.jobs,
        views.runs,
        views.roster,
        records,
        ground.reader,
        name=ground.name,
    )
    reconciler = Reconciler(
        ground.store,
        ground.keyspace,
        ground.clock,
        views.jobs,
        views.cursors,
        views.runs,
        views.roster,
        records,
        name=ground.name,
    )
    kills = ground.feed(ground.keyspace.kills, "kills")
    kill_watch = KillWatch(kills, ground.keyspace, views.runs)
    metrics = ground.metrics
    metrics.watch(
        "executions_closed", "Executions of dead sessions this master closed.", lambda: abandoned.closed
    )
    metrics.watch("ticks_missed", "Missed ticks this master accounted for.", lambda: reconciler.missed)
    metrics.watch(
        "kills_failed", "Kill requests that ended before their execution.", lambda: kill_watch.failed
    )
    return Repairs(abandoned=abandoned, reconciler=reconciler, kill_watch=kill_watch)
