"""What operations are handed: the services, the namespace, the preconditions of a change."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Header, Path, Query, Request

from common.domain.errors import InvalidInput
from common.domain.ids import NAME_PATTERN
from common.runtime.clock import Clock
from master.api.auth import needs
from master.config import MasterConfig
from master.domain.rights import Principal, Right
from master.services.audit import AuditTrail
from master.services.cluster import Cluster
from master.services.commands import Commands
from master.services.event_hub import EventHub
from master.services.health import HealthMonitor
from master.services.histogram import Histograms
from master.services.history import History
from master.services.job_catalog import JobCatalog, Precondition
from master.services.job_list import JobList
from master.services.job_versions import JobVersions
from master.services.ledger import Ledger
from master.services.metrics import Metrics
from master.services.output import OutputReader
from master.services.overview import Overview
from master.services.people import People
from master.services.roster import Roster
from master.services.test_runs import TestRuns
from master.services.timeline import Timeline
from master.services.worker_orders import WorkerOrders
from master.workers_port import WorkerRecords

_ETAG: Final = re.compile(r'(?:W/)?"?([0-9]{1,19})"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the routes use; made by the wiring, handed out per request. One field per new area."""

    clock: Clock
    catalog: JobCatalog
    jobs: JobList
    commands: Commands
    history: History
    output: OutputReader
    ledger: Ledger
    roster: Roster
    health: HealthMonitor
    metrics: Metrics
    people: People
    events: EventHub
    overview: Overview
    timeline: Timeline
    versions: JobVersions
    audit: AuditTrail
    histograms: Histograms
    test_runs: TestRuns
    config: MasterConfig
    worker_orders: WorkerOrders
    worker_records: WorkerRecords
    cluster: Cluster


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep: TypeAlias = Annotated[Services, Depends(_services)]

Viewer: TypeAlias = Annotated[Principal, needs(Right.SEE)]
Operator: TypeAlias = Annotated[Principal, needs(Right.OPERATE)]
Editor: TypeAlias = Annotated[Principal, needs(Right.EDIT)]
Administrator: TypeAlias = Annotated[Principal, needs(Right.ADMINISTER)]

_FULL_NAME: Final = f"^{NAME_PATTERN}$"
Namespace: TypeAlias = Annotated[str, Query(pattern=_FULL_NAME, description="Namespace of the job.")]
NamespaceFilter: TypeAlias = Annotated[
    str | None, Query(pattern=_FULL_NAME, description="Only this namespace.")
]
JobNamePath: TypeAlias = Annotated[str, Path(pattern=_FULL_NAME, description="Name of the job.")]
ExecutionIdPath: TypeAlias = Annotated[
    str, Path(max_length=128, description="Id of the execution.", examples=["kq3x5h2m9w1abc.1774746000.1"])
]
WorkerIdPath: TypeAlias = Annotated[str, Path(max_length=128, description="Id of the worker.")]
PageSize: TypeAlias = Annotated[int, Query(ge=1, le=1000, description="Rows per page.")]
PageToken: TypeAlias = Annotated[
    str | None, Query(max_length=1024, description="`next_page_token` of the page before.")
]


def _precondition(
    if_match: Annotated[
        str | None,
        Header(description="ETag of the version that is to be changed; another one is refused with 412."),
    ] = None,
    if_none_match: Annotated[
        str | None, Header(description="`*`: create only; an existing job is refused with 409.")
    ] = None,
) -> Precondition:
    if if_none_match is not None and if_none_match.strip() != "*":
        raise InvalidInput("If-None-Match can only be * here", field="if-none-match")
    return Precondition(revision=_revision(if_match), must_be_new=if_none_match is not None)


def _revision(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidInput('If-Match must be the ETag of a job, such as "1234"', field="if-match")
    return int(found[1])


PreconditionDep: TypeAlias = Annotated[Precondition, Depends(_precondition)]
