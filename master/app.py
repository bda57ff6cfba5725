"""The application: routes, errors, and the layers around them.

Made by a factory; there is no module-level app. `describe()` makes the same routes without any service, for
the OpenAPI document.
"""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from master.api import (
    audit,
    batches,
    cluster,
    docs,
    errors,
    events,
    executions,
    job_details,
    job_drafts,
    jobs,
    logs,
    oidc,
    overview,
    schedules,
    sign_in,
    system,
    tokens,
    users,
    worker_details,
    workers,
)
from master.api.admission import Admission
from master.api.audit_layer import AuditLayer
from master.api.deps import Services
from master.api.openapi import document
from master.api.request_scope import RequestScope
from master.api.session_cookie import cookie_of
from master.config import MasterConfig
from master.web import dashboard_route

ROUTERS: Final[Sequence[APIRouter]] = (
    overview.router,
    # Before the routes of one job and one execution: `batch` is no id.
    batches.router,
    jobs.router,
    job_details.router,
    job_drafts.router,
    schedules.router,
    logs.router,
    executions.router,
    # Before the routes of one worker: `setup` is no id.
    worker_details.router,
    workers.router,
    sign_in.router,
    oidc.router,
    users.router,
    tokens.router,
    cluster.router,
    events.router,
    audit.router,
    audit.job_router,
    system.router,
    docs.router,
)
_TITLE: Final = "everytick"
_DESCRIPTION: Final = """
Every tick is accounted for: jobs, their ticks, executions and workers.

Send `Authorization: Bearer <token>` with every request below `/api/v1`, or sign in and send the cookie, with
`X-CSRF-Token` beside it for changes. Errors are `application/problem+json`
with a `code` for programs and a pointer to each wrong field. Lists come in pages: send `next_page_token` back
as `page_token` with the same filters. Times are RFC 3339 in UTC.
"""
_TAGS: Final = [
    {"name": "Overview", "description": "Everything at a glance."},
    {"name": "Jobs", "description": "What is to run, and when."},
    {"name": "Schedules", "description": "Schedules before they are saved."},
    {"name": "Executions", "description": "What ran, how it ended, and what it wrote."},
    {"name": "Workers", "description": "Who runs it."},
    {"name": "Live", "description": "What happens, as it happens."},
    {"name": "Audit", "description": "Who changed what, or tried to."},
    {"name": "People", "description": "Who may come in, and what they may do."},
    {"name": "System", "description": "The master itself."},
]


def build_app(services: Services, config: MasterConfig) -> FastAPI:
    """The application over *services*."""
    app = _routes()
    app.state.services = services
    # The layer added last is the outermost: whatever happens inside gets an id, headers and a log line.
    app.state.cookie = cookie_of(config)
    app.add_middleware(
        Admission,
        identities=services.people.identities,
        cookie=app.state.cookie,
        behind_proxy=config.behind_tls_proxy,
    )
    routes = [route for router in ROUTERS for route in router.routes]
    app.add_middleware(AuditLayer, trail=services.audit, clock=services.clock, routes=routes)
    app.add_middleware(RequestScope, clock=services.clock, metrics=services.metrics, uses_tls=config.uses_tls)
    return app


def describe() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(_routes())


def _routes() -> FastAPI:
    app = FastAPI(
        title=_TITLE,
        description=_DESCRIPTION.strip(),
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        openapi_tags=_TAGS,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes.append(dashboard_route())
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
