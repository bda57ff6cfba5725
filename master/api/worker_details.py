"""Routes about one worker beside its state: orders, curves, log, the jobs that depend on it, adding one."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from common.config.addresses import masked_mongo_uri
from common.domain.calendar_limits import Instant
from common.domain.errors import InvalidInput
from common.domain.ids import from_epoch_s
from common.domain.records import Document
from master.api import schemas_workers as schemas
from master.api.audited import audited
from master.api.deps import Administrator, PageSize, PageToken, ServicesDep, Viewer, WorkerIdPath
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import Worker
from master.domain.audit import Action
from master.domain.job_rows import JobRow
from master.domain.keyset import decode_page_token, encode_page_token
from master.domain.rights import Right
from master.services.worker_setup import Installation, worker_setup
from master.workers_port import EventKey

router = APIRouter(prefix="/api/v1/worker", tags=["Workers"])

_DAY: Final = timedelta(days=1)
#: As long as metrics are kept.
_LONGEST: Final = timedelta(days=7)
_JOBS_SHOWN: Final = 1_000


@router.get("/setup", summary="How to add a worker", response_model=schemas.WorkerSetup, responses=problems())
async def setup_worker(_: Administrator, services: ServicesDep) -> Response:
    """The configuration of a worker of this installation, and the commands that start it. No passwords."""
    config = services.config
    found = Installation(
        etcd_endpoints=config.etcd_endpoints,
        etcd_username=config.etcd_username,
        etcd_ca_cert=str(config.etcd_ca_cert) if config.etcd_ca_cert else None,
        etcd_cert=str(config.etcd_cert) if config.etcd_cert else None,
        mongo_uri=masked_mongo_uri(config.mongo_uri.get_secret_value()),
        mongo_database=config.mongo_database,
        key_prefix=config.key_prefix,
        health_prefix=config.health_prefix,
    )
    return answer(worker_setup(found))


@router.post(
    "/{worker_id}/drain",
    dependencies=[audited(Action.WORKER_DRAIN)],
    summary="Drain a worker",
    response_model=Worker,
    responses=problems(404),
)
async def drain_worker(principal: Administrator, services: ServicesDep, worker_id: WorkerIdPath) -> Response:
    """
    It takes nothing new, also after a restart, until it is resumed; what runs goes on.

    The answer may still say `online`: the worker itself says when it has understood, within moments.
    """
    await services.worker_orders.drain(worker_id, requested_by=principal.name)
    return answer(await services.roster.worker(worker_id, principal.within(Right.SEE, None)))


@router.post(
    "/{worker_id}/resume",
    dependencies=[audited(Action.WORKER_RESUME)],
    summary="Resume a worker",
    response_model=Worker,
    responses=problems(404),
)
async def resume_worker(principal: Administrator, services: ServicesDep, worker_id: WorkerIdPath) -> Response:
    """Takes the order to drain back; without one nothing happens."""
    await services.worker_orders.resume(worker_id, requested_by=principal.name)
    return answer(await services.roster.worker(worker_id, principal.within(Right.SEE, None)))


@router.delete(
    "/{worker_id}",
    dependencies=[audited(Action.WORKER_DELETE)],
    summary="Forget a worker",
    status_code=204,
    response_class=Response,
    responses=problems(404, 409),
)
async def delete_worker(
    _: Administrator,
    services: ServicesDep,
    worker_id: WorkerIdPath,
    force: Annotated[bool, Query(description="Also when jobs name this worker.")] = False,
) -> Response:
    """
    Removes a worker that is gone: its report, metrics and log. The executions it ran stay.

    409 `worker_online` while it is alive; 409 `worker_pinned` when jobs name it, unless `force`.
    """
    await services.worker_orders.forget(worker_id, force=force)
    return Response(status_code=204)


@router.get(
    "/{worker_id}/metrics",
    summary="A worker's metrics over time",
    response_model=schemas.WorkerCurve,
    responses=problems(404),
)
async def worker_metrics(
    _: Viewer,
    services: ServicesDep,
    worker_id: WorkerIdPath,
    since: Annotated[
        Instant | None, Query(alias="from", description="A day before `to` if not given.")
    ] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Now if not given.")] = None,
    points: Annotated[int, Query(ge=1, le=1_000, description="At most so many, evenly spaced.")] = 200,
) -> Response:
    """Means of CPU, memory, disk, load and running executions; kept for seven days."""
    end = until or services.clock.now()
    begin = since or end - _DAY
    if not timedelta(0) < end - begin <= _LONGEST:
        raise InvalidInput("from must lie before to, by 7 days at most", field="from")
    await services.roster.worker(worker_id)
    bucket_s = max(1, -(-int((end - begin).total_seconds()) // points))
    curve = await services.worker_records.curve(worker_id, begin, end, bucket_s)
    return answer({"items": [_point(found) for found in curve]})


@router.get(
    "/{worker_id}/jobs",
    summary="Jobs that depend on a worker",
    response_model=schemas.WorkerJobs,
    responses=problems(404),
)
async def worker_jobs(principal: Viewer, services: ServicesDep, worker_id: WorkerIdPath) -> Response:
    """Jobs that name it, and jobs that no other live worker may run: what to mind before it is drained."""
    await services.roster.worker(worker_id)
    found = services.worker_orders.dependents(worker_id, principal.within(Right.SEE, None))
    return answer({"only_here": _names(found.only_here), "pinned": _names(found.pinned)})


@router.get(
    "/{worker_id}/log",
    summary="What happened to a worker",
    response_model=schemas.WorkerEventPage,
    responses=problems(404),
)
async def worker_log(
    _: Viewer,
    services: ServicesDep,
    worker_id: WorkerIdPath,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """It came and went, was drained and resumed, distrusted its clock: newest first."""
    await services.roster.worker(worker_id)
    identity: dict[str, object] = {"worker_log": worker_id}
    after = None
    if page_token:
        ms, event_id = decode_page_token(identity, page_token, (int, str))
        after = EventKey(from_epoch_s(0) + timedelta(milliseconds=int(ms)), str(event_id))
    found = await services.worker_records.events(worker_id, after, page_size + 1)
    page, has_more = found[:page_size], len(found) > page_size
    token = None
    if has_more:
        token = encode_page_token(identity, (_epoch_ms(page[-1]["at"]), page[-1]["_id"]))
    return answer(
        {
            "items": [{name: event.get(name) for name in ("at", "event", "detail")} for event in page],
            "next_page_token": token,
            "total": {"count": await services.worker_records.count_events(worker_id), "is_exact": True},
        }
    )


def _point(found: Document) -> Document:
    return {
        "at": found["at"],
        "cpu_percent": _rounded(found.get("cpu_percent")),
        "memory_percent": _rounded(found.get("memory")),
        "disk_percent": _rounded(found.get("disk")),
        "load_1m": _rounded(found.get("load_1")),
        "running": _rounded(found.get("running")),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _names(rows: list[JobRow]) -> list[Document]:
    return [{"namespace": row.namespace, "name": row.name} for row in rows[:_JOBS_SHOWN]]


def _epoch_ms(instant: datetime) -> int:
    return (instant - from_epoch_s(0)) // timedelta(milliseconds=1)
