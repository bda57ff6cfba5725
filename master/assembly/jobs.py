"""Area: jobs and their executions, as people look at them and change them."""

from dataclasses import dataclass

from master.assembly.ground import Ground
from master.assembly.views import Views
from master.services.commands import Commands
from master.services.history import History
from master.services.job_catalog import JobCatalog
from master.services.job_list import JobList
from master.services.ledger import Ledger
from master.services.output import OutputReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Services without loops of their own."""

    catalog: JobCatalog
    jobs: JobList
    commands: Commands
    history: History
    output: OutputReader
    ledger: Ledger


def make_jobs(ground: Ground, views: Views) -> Jobs:
    """The services of jobs over *views*."""
    store, keyspace, clock, roster = ground.store, ground.keyspace, ground.clock, views.roster
    catalog = JobCatalog(store, keyspace, views.jobs, clock, history_days=ground.config.history_days)
    history = History(ground.reader, views.runs)
    return Jobs(
        catalog=catalog,
        jobs=JobList(catalog, views.jobs, views.runs, roster, views.recent, clock),
        commands=Commands(store, keyspace, catalog, history, roster, clock),
        history=history,
        output=OutputReader(ground.reader, clock),
        ledger=Ledger(ground.reader, views.runs, roster, clock),
    )
