"""Routes of execution history: list, the latest of a job, figures."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from common.domain.calendar_limits import Instant
from common.domain.errors import InvalidInput
from common.domain.execution import Cause, Status
from common.domain.ids import NAME_PATTERN, from_epoch_s
from master.api.deps import JobNamePath, Namespace, NamespaceFilter, PageSize, PageToken, ServicesDep, Viewer
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import ExecutionPage, ExecutionWithOutput, JobStatistics
from master.api.schemas_overview import Histogram
from master.domain.keyset import KeyPart, decode_page_token, encode_page_token
from master.domain.rights import Right
from master.ports import ExecutionFilter, ExecutionKey, ExecutionOrder
from master.services.output import OutputQuery

router = APIRouter(prefix="/api/v1/log", tags=["Executions"])

_DEFAULT_SPAN = timedelta(days=7)
_HISTOGRAM_SPAN = timedelta(days=1)
_LONGEST_SPAN = timedelta(days=366)


@router.get("/list", summary="List executions", response_model=ExecutionPage, responses=problems())
async def list_executions(
    principal: Viewer,
    services: ServicesDep,
    job: Annotated[str | None, Query(pattern=f"^{NAME_PATTERN}$", description="Only this job.")] = None,
    namespace: NamespaceFilter = None,
    worker: Annotated[str | None, Query(max_length=128, description="Only on this worker.")] = None,
    status: Annotated[list[Status] | None, Query(description="Any of these.")] = None,
    cause: Annotated[list[Cause] | None, Query(description="Any of these.")] = None,
    since: Annotated[Instant | None, Query(alias="from", description="Due at or after.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Due before.")] = None,
    order_by: Annotated[
        ExecutionOrder, Query(description="`finished_at` leaves out what still runs.")
    ] = ExecutionOrder.SCHEDULED_AT_DESC,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """Executions of all jobs or of one, newest first; running ones included. Output is left out."""
    where = ExecutionFilter(
        # A job's name means one job: the namespace is the default one unless it is given.
        namespaces=principal.within(
            Right.SEE, "default" if job is not None and namespace is None else namespace
        ),
        job=job,
        worker=worker,
        statuses=tuple(status or ()),
        causes=tuple(cause or ()),
        since=since,
        until=until,
    )
    identity: dict[str, object] = {"where": repr(where), "order_by": order_by}
    after = _key(decode_page_token(identity, page_token, (int, str))) if page_token else None
    page = await services.history.page(where, order_by, after=after, size=page_size)
    last = page.last_key
    return answer(
        {
            "items": page.items,
            "next_page_token": encode_page_token(identity, (_epoch_ms(last.at), last.id)) if last else None,
            "total": page.total,
        }
    )


@router.get("/histogram", summary="Executions over time", response_model=Histogram, responses=problems())
async def execution_histogram(
    principal: Viewer,
    services: ServicesDep,
    job: Annotated[str | None, Query(pattern=f"^{NAME_PATTERN}$", description="Only this job.")] = None,
    namespace: NamespaceFilter = None,
    worker: Annotated[str | None, Query(max_length=128, description="Only on this worker.")] = None,
    status: Annotated[list[Status] | None, Query(description="Any of these.")] = None,
    cause: Annotated[list[Cause] | None, Query(description="Any of these.")] = None,
    since: Annotated[
        Instant | None, Query(alias="from", description="A day before `to` if not given.")
    ] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Now if not given.")] = None,
    buckets: Annotated[int, Query(ge=1, le=200, description="At most so many, of equal length.")] = 60,
) -> Response:
    """
    How many came due when, by status, with the filters of the list.

    At most the newest 30,000 are counted where they have to be looked at one by one; `counted_from` says so.
    """
    end = until or services.clock.now()
    begin = since or end - _HISTOGRAM_SPAN
    if not timedelta(0) < end - begin <= _LONGEST_SPAN:
        raise InvalidInput("from must lie before to, by 366 days at most", field="from")
    where = ExecutionFilter(
        namespaces=principal.within(
            Right.SEE, "default" if job is not None and namespace is None else namespace
        ),
        job=job,
        worker=worker,
        statuses=tuple(status or ()),
        causes=tuple(cause or ()),
        since=begin,
        until=end,
    )
    found = await services.histograms.count(where, begin, end, buckets)
    return answer(
        {
            "from": found.since,
            "to": end,
            "bucket_s": found.bucket_s,
            "items": found.items,
            "counted_from": found.counted_from,
        }
    )


@router.get(
    "/{name}",
    summary="The latest execution of a job, with its output",
    response_model=ExecutionWithOutput,
    responses=problems(404),
)
async def latest_execution(
    _: Viewer,
    services: ServicesDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    tail: Annotated[int, Query(ge=1, le=10_000, description="Lines of output, from its end.")] = 1000,
) -> Response:
    """The newest execution, running or ended, with the end of what it wrote."""
    document = await services.history.latest(namespace, name)
    output = await services.output.read(document, OutputQuery(tail=tail))
    return answer({"execution": services.history.shown(document), "output": output})


@router.get(
    "/stats/{name}", summary="Figures of a job", response_model=JobStatistics, responses=problems(404)
)
async def job_statistics(
    _: Viewer,
    services: ServicesDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    since: Annotated[
        Instant | None, Query(alias="from", description="Seven days before `to` if not given.")
    ] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Now if not given.")] = None,
) -> Response:
    """Counts by status and day, success rate, and percentiles of duration and lateness."""
    end = until or services.clock.now()
    begin = since or end - _DEFAULT_SPAN
    if not timedelta(0) < end - begin <= _LONGEST_SPAN:
        raise InvalidInput("from must lie before to, by 366 days at most", field="from")
    where = ExecutionFilter(namespaces=(namespace,), job=name, since=begin, until=end)
    found = await services.history.statistics(where)
    return answer(
        {
            "job": name,
            "namespace": namespace,
            "from": begin,
            "to": end,
            "total": found.total,
            "by_status": found.by_status,
            "success_rate": found.success_rate,
            "duration_ms": found.duration_ms,
            "lateness_ms": found.lateness_ms,
            "per_day": found.per_day,
        }
    )


def _key(parts: tuple[KeyPart, ...]) -> ExecutionKey:
    # Milliseconds, as MongoDB keeps them: text and float would each lose or invent digits.
    return ExecutionKey(from_epoch_s(0) + timedelta(milliseconds=int(parts[0])), str(parts[1]))


def _epoch_ms(instant: datetime) -> int:
    return (instant - from_epoch_s(0)) // timedelta(milliseconds=1)
