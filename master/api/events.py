"""The one live stream: jobs, executions and workers, as they change.

A stream ends when the master stops, and within seconds of its credential's end; a client opens the next
one with the id it saw last.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse

from common.domain.errors import StoreUnavailable
from master.api.deps import NamespaceFilter, ServicesDep, Viewer
from master.api.problems import problems
from master.domain.live_events import KEEP_ALIVE, Audience
from master.domain.rights import Principal, Right
from master.services.event_hub import EventHub, EventStream

router = APIRouter(prefix="/api/v1", tags=["Live"])

KEEP_ALIVE_S: Final = 15.0
#: A stream outlives its credential by so much; at another master than that of the sign-out by some more.
LOOK_EVERY_S: Final = 5.0
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # nginx would collect events until its buffer is full.
    "X-Accel-Buffering": "no",
}
_EXAMPLE: Final = (
    'id: 5f0c6a4e1f6b-17\nevent: job\ndata: {"namespace":"default","name":"backup","uid":"kq3x5h2m9w1abc",'
    '"revision":1234,"deleted":false}\n\n'
)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events until either side ends it.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    **problems(429),
}


@router.get("/events", summary="Follow what happens", response_class=StreamingResponse, responses=_ANSWERS)
async def follow_events(
    principal: Viewer,
    services: ServicesDep,
    request: Request,
    namespace: NamespaceFilter = None,
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="The id seen last: what came behind it is sent first.")
    ] = None,
) -> StreamingResponse:
    """
    Server-sent events.

    `job` {namespace, name, uid, revision, deleted}; `execution` {id, namespace, job, status, worker, at (the
    tick), started_at, finished_at}, once when it is claimed (`running`) and once when its outcome is recorded
    (`status` null: it has ended and its record is not there yet); `worker` {id, status}; `hello` {master,
    version} first. After `resync` something may have been missed: ask for everything again. Several changes
    of one thing within 250 ms are one event. A comment every 15 s keeps proxies from closing the stream.
    """
    stream = services.events.open(principal.name, _audience(principal, namespace), last_event_id)
    return StreamingResponse(
        _told(services.events, stream, partial(_may_still, request, stream.audience, namespace)),
        media_type="text/event-stream",
        headers=dict(_HEADERS),
    )


async def _told(
    hub: EventHub, stream: EventStream, may_still: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    looked_at_s = spoke_at_s = clock()
    try:
        while True:
            if clock() - looked_at_s >= LOOK_EVERY_S:
                looked_at_s = clock()
                if not await may_still():
                    return
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    text = await stream.next()
            except TimeoutError:
                if clock() - spoke_at_s < KEEP_ALIVE_S:
                    continue
                text = KEEP_ALIVE
            if text is None:
                return
            spoke_at_s = clock()
            yield text
    finally:
        hub.close(stream)


async def _may_still(request: Request, audience: Audience, namespace: str | None) -> bool:
    """Whether the credential is still good for the same; a server that cannot tell ends nothing."""
    try:
        identity = await request.state.identify_again()
    except StoreUnavailable:
        return True
    return identity is not None and _audience(identity.principal, namespace) == audience


def _audience(principal: Principal, namespace: str | None) -> Audience:
    """What the principal may see, narrowed to what was asked for."""
    seen = principal.within(Right.SEE, namespace)
    return Audience(None if seen is None else frozenset(seen))
