"""Routes of definitions that are not saved: whether they could be, and what they do."""

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import ValidationError

from common.domain.eligibility import eligible
from common.domain.errors import InvalidInput
from common.domain.job import JobDefinition
from common.domain.schedule import parse_schedule
from master.api import examples
from master.api.audited import DraftDep, audited, changes_nothing
from master.api.auth import require
from master.api.bodies import CheckBody, TestRunBody
from master.api.deps import Editor, ServicesDep, Viewer
from master.api.pointers import error_items, field_pointer
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import ErrorItem
from master.api.schemas_jobs import JobCheck, TestRunAccepted
from master.domain.audit import Action
from master.domain.job_check import Caution, cautions
from master.domain.rights import Right

router = APIRouter(prefix="/api/v1/job", tags=["Jobs"])


@router.post(
    "/check",
    dependencies=[changes_nothing()],
    summary="Check a definition",
    response_model=JobCheck,
    responses=problems(413, 415),
)
async def check_job(
    principal: Viewer,
    services: ServicesDep,
    body: Annotated[CheckBody, Body(openapi_examples=examples.CHECK)],
) -> Response:
    """
    What saving this definition would say, without saving it; and which live workers could run it.

    A definition that is wrong is answered with 200 and `problems`; pointers lead into the definition.
    """
    live = services.roster.live()
    try:
        definition = JobDefinition.model_validate(body.definition)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        return _checked(error_items(found, body.definition), [], len(live), [])
    try:
        services.catalog.check(definition, knows_secrets=principal.may(Right.SEE, definition.namespace))
    except InvalidInput as error:
        pointer = field_pointer(error.field) if error.field else ""
        return _checked([ErrorItem(pointer=pointer, detail=str(error))], [], len(live), [])
    schedule = parse_schedule(definition.schedule, definition.timezone) if definition.schedule else None
    warnings = cautions(definition, schedule, live, services.clock.now())
    return _checked([], eligible(definition, live), len(live), warnings)


@router.post(
    "/test-run",
    dependencies=[audited(Action.JOB_TEST_RUN)],
    summary="Run a definition once",
    status_code=202,
    response_model=TestRunAccepted,
    responses=problems(413, 415),
)
async def start_test_run(
    principal: Editor,
    services: ServicesDep,
    draft: DraftDep,
    body: Annotated[TestRunBody, Body(openapi_examples=examples.TEST_RUN)],
) -> Response:
    """
    Runs the definition once, at once, without saving it; needs the rights to edit and to operate.

    It runs as a temporary job that no list shows and that goes away by itself: when its execution has begun,
    or after five minutes. The execution stays in history like any other.
    """
    draft.about(body.definition.name, body.definition.namespace)
    require(principal, Right.EDIT, body.definition.namespace)
    require(principal, Right.OPERATE, body.definition.namespace)
    started = await services.test_runs.start(body.definition, requested_by=principal.name)
    draft.changed_job(None, body.definition)
    return answer(started, 202)


def _checked(
    found: list[ErrorItem], eligible_workers: list[str], live_workers: int, warnings: list[Caution]
) -> Response:
    return answer(
        {
            "ok": not found,
            "problems": found,
            "eligible_workers": sorted(eligible_workers),
            "live_workers": live_workers,
            "warnings": warnings,
        }
    )
