"""Configuration in, services and background loops out: the areas of `assembly/`, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from common.kv.session import Session
from master.api.deps import Services
from master.assembly.audit import open_audit
from master.assembly.figures import make_figures
from master.assembly.ground import Loop, open_ground
from master.assembly.jobs import make_jobs
from master.assembly.live import make_live
from master.assembly.people import make_people
from master.assembly.repairs import make_repairs
from master.assembly.system import make_system
from master.assembly.views import make_views
from master.assembly.workers import make_workers
from master.config import MasterConfig


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
    async with open_ground(config, address) as ground, open_audit(ground) as audit:
        views = make_views(ground)
        people = make_people(ground)
        jobs = make_jobs(ground, views)
        figures = make_figures(ground, views, jobs)
        workers = make_workers(ground, views)
        system = make_system(ground, views)
        repairs = make_repairs(ground, views)
        live = make_live(ground, views)
        services = Services(
            clock=ground.clock,
            metrics=ground.metrics,
            health=system.health,
            catalog=jobs.catalog,
            jobs=jobs.jobs,
            commands=jobs.commands,
            history=jobs.history,
            output=jobs.output,
            ledger=jobs.ledger,
            roster=views.roster,
            people=people,
            events=live.hub,
            overview=figures.overview,
            timeline=figures.timeline,
            versions=figures.versions,
            audit=audit.trail,
            histograms=figures.histograms,
            test_runs=figures.test_runs,
            config=config,
            worker_orders=workers.orders,
            worker_records=workers.records,
            cluster=workers.cluster,
        )
        yield Deps(
            services=services,
            loops=(
                *views.loops,
                *people.loops,
                *figures.loops,
                *audit.loops,
                *workers.loops,
                *system.loops,
                *repairs.loops,
                *live.loops,
            ),
            session=ground.session,
        )
