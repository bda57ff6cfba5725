"""Area: what etcd says at this moment, kept in memory."""

from dataclasses import dataclass

from master.assembly.ground import Ground, Loop
from master.services.cursor_view import CursorView
from master.services.job_view import JobView
from master.services.live_runs import LiveRuns
from master.services.recent import RecentExecutions
from master.services.roster import Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What all other areas read."""

    jobs: JobView
    runs: LiveRuns
    cursors: CursorView
    roster: Roster
    recent: RecentExecutions

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (
            self.jobs.run,
            self.jobs.keep_ticks_fresh,
            self.runs.run,
            self.roster.run,
            self.cursors.run,
            self.recent.run,
        )


def make_views(ground: Ground) -> Views:
    """The views over *ground*."""
    keyspace = ground.keyspace
    runs = LiveRuns(ground.feed(keyspace.runs, "runs"), keyspace)
    return Views(
        jobs=JobView(ground.feed(keyspace.jobs, "jobs"), keyspace, ground.clock),
        runs=runs,
        cursors=CursorView(ground.feed(keyspace.cursors, "cursors"), keyspace),
        roster=Roster(ground.feed(keyspace.health_prefix, "workers"), keyspace, ground.reader, runs),
        recent=RecentExecutions(ground.reader, ground.clock, runs.of_job, runs.has_run),
    )
