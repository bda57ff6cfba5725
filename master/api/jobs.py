"""Routes of jobs: save, look at, switch, run, kill, delete."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Response

from common.domain.calendar_limits import EpochSeconds, Instant
from common.domain.errors import RevisionConflict
from common.domain.execution import EntryKind
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.job import JobDefinition
from common.domain.records import Document
from common.domain.tracing import accepted_trace_parent
from master.api import examples
from master.api.audited import Draft, DraftDep, audited
from master.api.auth import require
from master.api.bodies import DisableBody, RunBody
from master.api.deps import (
    Editor,
    JobNamePath,
    Namespace,
    NamespaceFilter,
    Operator,
    PageSize,
    PageToken,
    PreconditionDep,
    Services,
    ServicesDep,
    Viewer,
)
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import Explain, Job, JobDetail, JobPage, KillAccepted, LedgerPage, RunAccepted
from master.domain.audit import Action
from master.domain.job_rows import JobOrder, JobQuery, JobRow, JobStatus, RowKey
from master.domain.keyset import KeyPart, decode_page_token, encode_page_token
from master.domain.rights import Right
from master.services.commands import RunRequest
from master.services.job_catalog import DeleteMode, Precondition

router = APIRouter(prefix="/api/v1/job", tags=["Jobs"])

_LABEL = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}(=.{0,128})?$"


@router.post(
    "/save",
    dependencies=[audited(Action.JOB_SAVE)],
    summary="Create or change a job",
    response_model=Job,
    responses=problems(409, 412, 413, 415),
)
async def save_job(
    principal: Editor,
    services: ServicesDep,
    draft: DraftDep,
    precondition: PreconditionDep,
    definition: Annotated[JobDefinition, Body(openapi_examples=examples.JOBS)],
) -> Response:
    """
    Saves the definition as it is sent: a field that is left out has its default, not its old value.

    The schedule is understood before anything is stored, so a text that never comes due is refused here. With
    `If-Match` the save only happens when nobody has changed the job since; without it the last one wins. A
    masked secret value (`{"secret": true, "value": "********"}`) keeps the stored one.
    """
    draft.about(definition.name, definition.namespace)
    require(principal, Right.EDIT, definition.namespace)
    try:
        row = await services.catalog.save(
            definition, precondition, changed_by=principal.name, witness=draft.changed_job
        )
    except RevisionConflict as conflict:
        await attach_current(services, conflict, definition.namespace, definition.name)
        raise
    return await job_answer(services, row)


@router.get("/list", summary="List jobs", response_model=JobPage, responses=problems())
async def list_jobs(
    principal: Viewer,
    services: ServicesDep,
    q: Annotated[
        str | None, Query(max_length=256, description="Words that name, text, command or labels contain.")
    ] = None,
    namespace: NamespaceFilter = None,
    label: Annotated[
        list[Annotated[str, Query(pattern=_LABEL)]] | None,
        Query(
            description="`key=value`, or `key` for any value; given twice, both must match.", max_length=16
        ),
    ] = None,
    enabled: Annotated[bool | None, Query(description="Only enabled or only disabled jobs.")] = None,
    status: Annotated[
        JobStatus | None, Query(description="What they do now, or how they ended last.")
    ] = None,
    order_by: Annotated[JobOrder, Query(description="A minus means descending.")] = JobOrder.NAME,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """Every job with its next tick and its latest executions. Answered from memory; also without MongoDB."""
    query = JobQuery(
        q=q,
        namespaces=principal.within(Right.SEE, namespace),
        labels=tuple(_label(text) for text in label or ()),
        enabled=enabled,
        status=status,
        order_by=order_by,
    )
    identity = query.identity()
    after = _row_key(decode_page_token(identity, page_token, (float, str, str))) if page_token else None
    page = await services.jobs.page(query, after=after, size=page_size)
    return answer(
        {
            "items": page.items,
            "next_page_token": encode_page_token(identity, page.last_key) if page.last_key else None,
            "total": {"count": page.total, "is_exact": True},
        }
    )


@router.get(
    "/{name}",
    summary="Look at a job",
    response_model=JobDetail,
    responses=problems(404),
)
async def get_job(
    _: Viewer, services: ServicesDep, name: JobNamePath, namespace: Namespace = "default"
) -> Response:
    """The definition with its identity, what it does now, its next five ticks, and its schedule in words."""
    row = await services.jobs.find(namespace, name)
    return answer(await services.jobs.detail(row), headers=_etag(row))


@router.delete(
    "/{name}",
    dependencies=[audited(Action.JOB_DELETE)],
    summary="Delete a job",
    status_code=204,
    response_class=Response,
    responses=problems(404, 412),
)
async def delete_job(
    principal: Editor,
    services: ServicesDep,
    draft: DraftDep,
    precondition: PreconditionDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    mode: Annotated[
        DeleteMode,
        Query(description="`wait`: running executions end by themselves; `kill`: they are stopped."),
    ] = DeleteMode.WAIT,
) -> Response:
    """Deletes the job and what waits to run. Its history stays until it expires."""
    try:
        uid = await services.catalog.delete(namespace, name, precondition, witness=draft.changed_job)
    except RevisionConflict as conflict:
        await attach_current(services, conflict, namespace, name)
        raise
    if uid is not None and mode is DeleteMode.KILL:
        await services.commands.kill_all_of(uid, requested_by=principal.name)
    return Response(status_code=204)


@router.post(
    "/run/{name}",
    dependencies=[audited(Action.JOB_RUN)],
    summary="Run a job now",
    status_code=202,
    response_model=RunAccepted,
    responses=problems(404, 409, 413, 415, 429),
)
async def run_job(
    principal: Operator,
    services: ServicesDep,
    draft: DraftDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    body: Annotated[RunBody | None, Body(openapi_examples=examples.RUN)] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1, max_length=255, description="The same key within 24 h answers the same execution."
        ),
    ] = None,
    traceparent: Annotated[
        str | None, Header(description="W3C trace context that the command continues (`TRACEPARENT`).")
    ] = None,
) -> Response:
    """
    Asks for one extra execution, also of a disabled job.

    It obeys the job's overlap policy unless `force` is set. The answer names the execution before it exists:
    a worker takes it within moments, or within 24 h when none may run it now.
    """
    asked = body or RunBody()
    requested = await services.commands.run(
        namespace,
        name,
        RunRequest(
            parameters=asked.parameters,
            worker=asked.worker,
            force=asked.force,
            trace_parent=accepted_trace_parent(traceparent),
        ),
        requested_by=principal.name,
        idempotency_key=idempotency_key,
    )
    # Names of parameters only: their values may be secrets, and nothing marks them.
    parameters = sorted(asked.parameters)
    draft.changed(
        None,
        {
            "execution_id": requested.execution_id,
            "parameters": parameters,
            "worker": asked.worker,
            "force": asked.force,
        },
    )
    return answer(requested, 202)


@router.post(
    "/kill/{name}",
    dependencies=[audited(Action.JOB_KILL)],
    summary="Kill all running executions of a job",
    status_code=202,
    response_model=KillAccepted,
    responses=problems(404),
)
async def kill_job(
    principal: Operator,
    services: ServicesDep,
    draft: DraftDep,
    name: JobNamePath,
    namespace: Namespace = "default",
) -> Response:
    """Asks the workers to stop them: TERM, the job's grace time, KILL. None running is no error."""
    requested = await services.commands.kill_job(namespace, name, requested_by=principal.name)
    draft.changed(None, {"requested": requested})
    return answer({"requested": requested}, 202)


@router.post(
    "/disable/{name}",
    dependencies=[audited(Action.JOB_DISABLE)],
    summary="Pause a job",
    response_model=Job,
    responses=problems(404, 412, 413, 415),
)
async def disable_job(
    principal: Operator,
    services: ServicesDep,
    draft: DraftDep,
    precondition: PreconditionDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    body: Annotated[DisableBody | None, Body(openapi_examples=examples.DISABLE)] = None,
    until: Annotated[Instant | None, Query(description="Like `until` in the body.")] = None,
) -> Response:
    """No tick starts any more; what runs goes on. With `until` the job resumes by itself at that instant."""
    instant = body.until if body and body.until else until
    return await _switch(
        services, draft, principal.name, precondition, namespace, name, enabled=False, until=instant
    )


@router.post(
    "/enable/{name}",
    dependencies=[audited(Action.JOB_ENABLE)],
    summary="Resume a job",
    response_model=Job,
    responses=problems(404, 412),
)
async def enable_job(
    principal: Operator,
    services: ServicesDep,
    draft: DraftDep,
    precondition: PreconditionDep,
    name: JobNamePath,
    namespace: Namespace = "default",
) -> Response:
    """Ticks start again from now on; those of the time it was paused are not caught up."""
    return await _switch(
        services, draft, principal.name, precondition, namespace, name, enabled=True, until=None
    )


@router.get(
    "/{name}/ledger", summary="Every tick of a job", response_model=LedgerPage, responses=problems(404)
)
async def job_ledger(
    _: Viewer,
    services: ServicesDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    kind: Annotated[EntryKind | None, Query(description="Only what became this.")] = None,
    since: Annotated[Instant | None, Query(alias="from", description="First tick.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Ticks before this instant.")] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """Each tick that came due, newest first: what it became, why, and how late it was."""
    row = await services.jobs.find(namespace, name)
    identity: dict[str, object] = {"ledger": row.uid, "kind": kind, "from": since, "to": until}
    before = epoch_s(until) if until else None
    if page_token:
        before = int(decode_page_token(identity, page_token, (int,))[0])
    if row.uid is None:
        return answer({"items": [], "next_page_token": None, "total": {"count": 0, "is_exact": True}})
    first = epoch_s(since) if since else None
    page = await services.ledger.page(row.uid, kind=kind, first=first, before=before, size=page_size)
    more = page.next_before
    return answer(
        {
            "items": page.entries,
            "next_page_token": encode_page_token(identity, (more,)) if more is not None else None,
            "total": {"count": len(page.entries), "is_exact": more is None and page_token is None},
        }
    )


@router.get(
    "/{name}/explain", summary="Why a tick ran or did not", response_model=Explain, responses=problems(404)
)
async def explain_tick(
    _: Viewer,
    services: ServicesDep,
    name: JobNamePath,
    tick: Annotated[
        EpochSeconds | Instant,
        Query(description="Epoch seconds or RFC 3339.", examples=["2026-03-29T01:00:00Z"]),
    ],
    namespace: Namespace = "default",
) -> Response:
    """For a past tick what became of it and why; for a future one where it will run and what stands in the
    way."""
    row = await services.jobs.find(namespace, name)
    instant = _instant(tick)
    report = await services.ledger.explain(row, instant)
    return answer(
        {
            "tick": epoch_s(instant),
            "at": instant,
            "verdict": report.explanation.verdict,
            "sentence": report.explanation.sentence,
            "facts": report.explanation.facts,
            "execution": report.execution,
            "ledger": report.entry,
            "candidates": report.candidates,
        }
    )


async def _switch(
    services: Services,
    draft: Draft,
    changed_by: str,
    precondition: Precondition,
    namespace: str,
    name: str,
    *,
    enabled: bool,
    until: datetime | None,
) -> Response:
    try:
        row = await services.catalog.switch(
            namespace,
            name,
            enabled=enabled,
            until=until,
            precondition=precondition,
            changed_by=changed_by,
            witness=draft.changed_job,
        )
    except RevisionConflict as conflict:
        await attach_current(services, conflict, namespace, name)
        raise
    return await job_answer(services, row)


async def job_answer(services: Services, row: JobRow) -> Response:
    """The job as every change of it is answered."""
    return answer(await services.jobs.shown(row), headers=_etag(row))


async def attach_current(services: Services, conflict: RevisionConflict, namespace: str, name: str) -> None:
    """Put the present version into a refusal, so that a client can compare without asking again."""
    if conflict.details.get("actual"):
        current: Document = await services.jobs.shown(await services.catalog.read(namespace, name))
        conflict.details["current"] = current


def _row_key(parts: tuple[KeyPart, ...]) -> RowKey:
    return float(parts[0]), str(parts[1]), str(parts[2])


def _etag(row: JobRow) -> dict[str, str]:
    return {"ETag": f'"{row.revision}"'}


def _label(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    return name, value if equals else None


def _instant(tick: int | datetime) -> datetime:
    return from_epoch_s(tick if isinstance(tick, int) else epoch_s(tick))
