"""Routes of one execution: what is recorded, its output, kill, retry."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from common.domain.records import Stream
from master.api.audited import audited
from master.api.deps import ExecutionIdPath, Operator, ServicesDep, Viewer
from master.api.execution_access import check_execution, visible_execution
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import Execution, KillAccepted, Output, RunAccepted
from master.domain.audit import Action
from master.domain.rights import Right
from master.services.output import OutputQuery

router = APIRouter(prefix="/api/v1/execution", tags=["Executions"])


@router.get(
    "/{execution_id}", summary="Look at an execution", response_model=Execution, responses=problems(404)
)
async def get_execution(principal: Viewer, services: ServicesDep, execution_id: ExecutionIdPath) -> Response:
    """Everything that is recorded of it; one that was just claimed is shown from its run record."""
    document = await visible_execution(services, principal, Right.SEE, execution_id)
    return answer(services.history.shown(document))


@router.get(
    "/{execution_id}/output",
    summary="What an execution wrote",
    response_model=Output,
    responses={
        200: {
            "description": "A part of the output; with `format=raw` all of it as text.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "hello\n"}},
        },
        **problems(404),
    },
)
async def get_output(
    principal: Viewer,
    services: ServicesDep,
    execution_id: ExecutionIdPath,
    after_seq: Annotated[int, Query(ge=-1, description="Chunks behind this one; -1 from the start.")] = -1,
    tail: Annotated[int | None, Query(ge=1, le=10_000, description="The last so many lines instead.")] = None,
    stream: Annotated[Stream | None, Query(description="Only lines of this stream.")] = None,
    search: Annotated[
        str | None,
        Query(min_length=1, max_length=256, description="Only lines that contain this, in any case."),
    ] = None,
    format: Annotated[  # noqa: A002 - the API's word
        Literal["json", "raw"], Query(description="`raw` downloads all lines as text.")
    ] = "json",
) -> Response:
    """
    Lines in order of arrival, also while it runs.

    To follow, ask again with `after_seq` one less than `next_seq`, until `finished`. A part ends after 64
    chunks; a search ends after 10,000 lines.
    """
    document = await visible_execution(services, principal, Right.SEE, execution_id)
    if format == "raw":
        return StreamingResponse(
            services.output.raw(execution_id, stream),
            media_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{execution_id}.log"'},
        )
    query = OutputQuery(after_seq=after_seq, tail=tail, stream=stream, search=search)
    return answer(await services.output.read(document, query))


@router.post(
    "/{execution_id}/kill",
    dependencies=[audited(Action.EXECUTION_KILL)],
    summary="Kill an execution",
    status_code=202,
    response_model=KillAccepted,
    responses=problems(404, 409),
)
async def kill_execution(
    principal: Operator, services: ServicesDep, execution_id: ExecutionIdPath
) -> Response:
    """Asks its worker to stop it: TERM, the job's grace time, KILL. Never touches another execution."""
    await check_execution(services, principal, Right.OPERATE, execution_id)
    requested = await services.commands.kill(execution_id, requested_by=principal.name)
    return answer({"requested": requested}, 202)


@router.post(
    "/{execution_id}/retry",
    dependencies=[audited(Action.EXECUTION_RETRY)],
    summary="Run an execution's job again",
    status_code=202,
    response_model=RunAccepted,
    responses=problems(404, 409, 429),
)
async def retry_execution(
    principal: Operator, services: ServicesDep, execution_id: ExecutionIdPath
) -> Response:
    """One more execution of the job as it is now, with the parameters of this one, once it has ended."""
    await check_execution(services, principal, Right.OPERATE, execution_id)
    return answer(await services.commands.retry(execution_id, requested_by=principal.name), 202)
