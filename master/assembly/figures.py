"""Area: overview, timeline, versions, test runs: what goes beyond the jobs and executions themselves."""

from dataclasses import dataclass

from master.adapters.mongo_figures import MongoFigures
from master.adapters.mongo_versions import MongoVersions
from master.assembly.ground import Ground, Loop
from master.assembly.jobs import Jobs
from master.assembly.views import Views
from master.domain.job_rows import Activity
from master.services.day_figures import DayFigures
from master.services.histogram import Histograms
from master.services.job_versions import JobVersions
from master.services.load_forecast import LoadForecast
from master.services.overview import Overview
from master.services.test_runs import TestRuns
from master.services.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Services over the views and over history; `day` and `forecast` count aside."""

    day: DayFigures
    forecast: LoadForecast
    overview: Overview
    timeline: Timeline
    versions: JobVersions
    histograms: Histograms
    test_runs: TestRuns

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (self.day.run, self.forecast.run, self.versions.run, self.test_runs.run)


def make_figures(ground: Ground, views: Views, jobs: Jobs) -> Figures:
    """The figures over *views*; *jobs* tells every version it has saved."""
    clock = ground.clock
    reader = MongoFigures(ground.database, ground.reader)
    day = DayFigures(reader, clock)
    forecast = LoadForecast(views.jobs, clock)
    versions = JobVersions(
        MongoVersions(ground.database, ground.reader),
        views.jobs,
        clock,
        kept_days=ground.config.history_days,
    )
    jobs.catalog.on_saved(versions.remember)
    activity = Activity(running=views.runs.running_uids, last=views.recent.all_last)
    return Figures(
        day=day,
        forecast=forecast,
        overview=Overview(views.jobs, views.runs, views.roster, views.recent, day, clock),
        timeline=Timeline(reader, views.jobs, views.runs, views.roster, day, forecast, activity, clock),
        versions=versions,
        histograms=Histograms(reader, day, clock),
        test_runs=TestRuns(jobs.catalog, jobs.commands, views.jobs, views.runs, ground.reader, clock),
    )
