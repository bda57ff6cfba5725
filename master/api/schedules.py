"""Routes of schedules that are not saved yet."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from common.domain.preview import preview_schedule
from common.domain.schedule import parse_schedule
from master.api import examples
from master.api.audited import changes_nothing
from master.api.bodies import PreviewBody
from master.api.deps import ServicesDep, Viewer
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import SchedulePreview
from master.domain.rights import Right
from master.domain.words import describe_schedule
from master.services.job_list import shown_tick

router = APIRouter(prefix="/api/v1/schedule", tags=["Schedules"])


@router.post(
    "/preview",
    dependencies=[changes_nothing()],
    summary="Look at a schedule",
    response_model=SchedulePreview,
    responses=problems(413, 415),
)
async def preview(
    principal: Viewer,
    services: ServicesDep,
    body: Annotated[PreviewBody, Body(openapi_examples=examples.PREVIEW)],
) -> Response:
    """
    What a text means: its one spelling, in words, its next ticks, and what may surprise.

    With the name of a stored job, `H` and `@every` are those of that job; a job that is not saved yet will
    choose its own `H`.
    """
    now = services.clock.now()
    may_see = principal.may(Right.SEE, body.namespace)
    row = services.catalog.peek(body.namespace, body.name) if body.name and may_see else None
    spec = row.spec if row else None
    schedule = parse_schedule(
        body.schedule,
        body.timezone,
        uid=spec.uid if spec else "",
        anchor=spec.created_at if spec else now,
    )
    found = preview_schedule(schedule, now, body.count)
    return answer(
        {
            "normalised": found.text,
            "words": describe_schedule(found.text),
            "timezone": body.timezone,
            "ticks": [shown_tick(tick.at, body.timezone, tick.flag is not None) for tick in found.ticks],
            "warnings": found.warnings,
        }
    )
