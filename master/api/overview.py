"""Routes of the first page and of the timeline: one request each, from memory where it can be."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from common.domain.calendar_limits import Instant
from common.domain.errors import InvalidInput
from master.api import schemas_overview as schemas
from master.api.deps import NamespaceFilter, PageToken, ServicesDep, Viewer
from master.api.problems import problems
from master.api.rendering import answer
from master.domain.keyset import decode_page_token, encode_page_token
from master.domain.rights import Right
from master.services.timeline import RowsBy, TimelineQuery

router = APIRouter(prefix="/api/v1", tags=["Overview"])

_AROUND: Final = timedelta(hours=1)
_LONGEST: Final = timedelta(hours=48)


@router.get(
    "/overview", summary="What the first page shows", response_model=schemas.Overview, responses=problems()
)
async def overview(principal: Viewer, services: ServicesDep, namespace: NamespaceFilter = None) -> Response:
    """
    What needs attention, figures of the last 24 hours, what runs, and what comes within the hour.

    Figures of history are two seconds old at most as a rule; without MongoDB they stay as they were.
    """
    return answer(await services.overview.look(principal.within(Right.SEE, namespace)))


@router.get(
    "/timeline", summary="Past and coming ticks", response_model=schemas.Timeline, responses=problems()
)
async def timeline(
    principal: Viewer,
    services: ServicesDep,
    since: Annotated[
        Instant | None, Query(alias="from", description="An hour before now if not given.")
    ] = None,
    until: Annotated[
        Instant | None, Query(alias="to", description="Two hours after `from` if not given.")
    ] = None,
    by: Annotated[RowsBy, Query(description="A row for each job, or for each worker.")] = RowsBy.JOB,
    q: Annotated[
        str | None, Query(max_length=256, description="Words, as in the list of jobs; or of the worker's id.")
    ] = None,
    namespace: NamespaceFilter = None,
    page_size: Annotated[int, Query(ge=1, le=200, description="Rows per page.")] = 50,
    page_token: PageToken = None,
) -> Response:
    """Bars of what ran, marks of what did not, ticks to come, and the load by minute; 48 hours at most."""
    begin = since or services.clock.now() - _AROUND
    end = until or begin + 2 * _AROUND
    if not timedelta(0) < end - begin <= _LONGEST:
        raise InvalidInput("from must lie before to, by 48 hours at most", field="from")
    query = TimelineQuery(
        since=begin, until=end, by=by, q=q, namespaces=principal.within(Right.SEE, namespace)
    )
    # Pages may be asked for with `from` left out: the rows are the same then.
    identity: dict[str, object] = {"by": by, "q": q, "namespaces": query.namespaces}
    after = None
    if page_token:
        number, namespace_part, name = decode_page_token(identity, page_token, (float, str, str))
        after = (float(number), str(namespace_part), str(name))
    page = await services.timeline.page(query, after=after, size=page_size)
    load, is_complete = await services.timeline.load(query)
    return answer(
        {
            "from": begin,
            "to": end,
            "rows": page.rows,
            "next_page_token": encode_page_token(identity, page.last_key) if page.last_key else None,
            "total": {"count": page.total, "is_exact": True},
            "load": load,
            "load_is_complete": is_complete,
        }
    )
