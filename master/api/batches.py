"""Routes that do one thing to many jobs or executions; each item has a result of its own."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from common.domain.errors import JobNotFound, NotAllowed
from common.domain.records import Document
from master.api import examples
from master.api.audited import Draft, DraftDep, audited
from master.api.auth import check_found
from master.api.bodies import ExecutionAction, ExecutionBatchBody, JobAction, JobBatchBody, JobRef
from master.api.deps import Operator, Services, ServicesDep, Viewer
from master.api.errors import code_of
from master.api.execution_access import check_execution
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas_jobs import ExecutionBatchResult, JobBatchResult
from master.domain.audit import Action, Outcome
from master.domain.rights import Principal, Right
from master.services.batch import ItemResult, each
from master.services.commands import RunRequest
from master.services.job_catalog import DeleteMode, Precondition

router = APIRouter(prefix="/api/v1")


@router.post(
    "/job/batch",
    dependencies=[audited(Action.JOB_BATCH)],
    tags=["Jobs"],
    summary="Do one thing to many jobs",
    response_model=JobBatchResult,
    responses=problems(413, 415),
)
async def batch_jobs(
    principal: Viewer,
    services: ServicesDep,
    draft: DraftDep,
    body: Annotated[JobBatchBody, Body(openapi_examples=examples.JOB_BATCH)],
) -> Response:
    """
    Enables, disables, runs, kills or deletes up to 1,000 jobs, each by itself.

    `delete` needs the right to edit in the namespace of each job, everything else the right to operate. The
    answer is 200 also when every item was refused; `ok` says so for each.
    """

    async def act(job: JobRef) -> str | None:
        return await _act(services, principal, body, job)

    results = await each(body.jobs, act)
    for job, result in zip(body.jobs, results, strict=True):
        _record(draft, Action(f"job.{body.action}"), job.name, job.namespace, result)
    items = [
        {"namespace": job.namespace, "name": job.name, **_shown(result)}
        for job, result in zip(body.jobs, results, strict=True)
    ]
    return answer({"items": items})


@router.post(
    "/execution/batch",
    dependencies=[audited(Action.EXECUTION_BATCH)],
    tags=["Executions"],
    summary="Do one thing to many executions",
    response_model=ExecutionBatchResult,
    responses=problems(413, 415),
)
async def batch_executions(
    principal: Operator,
    services: ServicesDep,
    draft: DraftDep,
    body: Annotated[ExecutionBatchBody, Body(openapi_examples=examples.EXECUTION_BATCH)],
) -> Response:
    """Retries or kills up to 1,000 executions, each by itself; `ok` says for each whether it was done."""

    async def act(execution_id: str) -> str | None:
        await check_execution(services, principal, Right.OPERATE, execution_id)
        if body.action is ExecutionAction.RETRY:
            requested = await services.commands.retry(execution_id, requested_by=principal.name)
            return requested.execution_id
        await services.commands.kill(execution_id, requested_by=principal.name)
        return None

    results = await each(body.ids, act)
    for execution_id, result in zip(body.ids, results, strict=True):
        _record(draft, Action(f"execution.{body.action}"), execution_id, None, result)
    items = [
        {"id": execution_id, **_shown(result)} for execution_id, result in zip(body.ids, results, strict=True)
    ]
    return answer({"items": items})


async def _act(services: Services, principal: Principal, body: JobBatchBody, job: JobRef) -> str | None:
    namespace, name, by = job.namespace, job.name, principal.name
    right = Right.EDIT if body.action is JobAction.DELETE else Right.OPERATE
    check_found(principal, right, namespace, JobNotFound(f"there is no job {namespace}/{name}"))
    match body.action:
        case JobAction.ENABLE | JobAction.DISABLE:
            await services.catalog.switch(
                namespace,
                name,
                enabled=body.action is JobAction.ENABLE,
                until=body.until if body.action is JobAction.DISABLE else None,
                precondition=Precondition(),
                changed_by=by,
            )
        case JobAction.RUN:
            requested = await services.commands.run(
                namespace, name, RunRequest(parameters={}), requested_by=by
            )
            return requested.execution_id
        case JobAction.KILL:
            await services.commands.kill_job(namespace, name, requested_by=by)
        case JobAction.DELETE:
            uid = await services.catalog.delete(namespace, name, Precondition())
            if uid is not None and body.mode is DeleteMode.KILL:
                await services.commands.kill_all_of(uid, requested_by=by)
    return None


def _record(draft: Draft, action: Action, target: str, namespace: str | None, result: ItemResult) -> None:
    error = result.error
    outcome = Outcome.DONE
    if error is not None:
        outcome = Outcome.REFUSED if isinstance(error, NotAllowed) else Outcome.FAILED
    detail = str(error) if error is not None else result.execution_id
    draft.item(action, target, namespace, outcome=outcome, detail=detail)


def _shown(result: ItemResult) -> Document:
    error = result.error
    if error is None:
        return {"ok": True, "code": None, "detail": None, "execution_id": result.execution_id}
    code = str(error.details.get("code", code_of(error)))
    return {"ok": False, "code": code, "detail": str(error), "execution_id": None}
