"""Routes about the master itself: health, metrics, version, its own description."""

from typing import Any

from fastapi import APIRouter, Request, Response

from master.api.deps import ServicesDep, Viewer
from master.api.openapi import document
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import Health, Version
from master.services.metrics import CONTENT_TYPE

router = APIRouter(tags=["System"])
_STARTING: dict[int | str, dict[str, Any]] = {
    503: {"model": Health, "description": "Not yet, or not any more."}
}


@router.get("/livez", summary="Is the process alive?", response_model=Health)
async def livez() -> Response:
    """Always 200 while the process serves requests, whatever etcd and MongoDB do."""
    return answer({"status": "ok", "checks": {}})


@router.get("/readyz", summary="Can it serve requests?", response_model=Health, responses=_STARTING)
async def readyz(services: ServicesDep) -> Response:
    """
    200 once etcd is followed and MongoDB has been reached.

    A MongoDB that goes away later is `degraded` and stays 200: jobs are still served.
    """
    report = services.health.report()
    if not report.is_ready:
        return answer({"status": "starting", "checks": report.checks}, 503)
    return answer({"status": "ok" if report.is_healthy else "degraded", "checks": report.checks})


@router.get("/healthz", summary="Is everything well?", response_model=Health, responses=_STARTING)
async def healthz(services: ServicesDep) -> Response:
    """200 when every part is well; else 503 with what is wrong with which."""
    report = services.health.report()
    status = "ok" if report.is_healthy else ("degraded" if report.is_ready else "starting")
    return answer({"status": status, "checks": report.checks}, 200 if report.is_healthy else 503)


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format.",
            "content": {"text/plain": {"example": "everytick_jobs 3"}},
        },
        **problems(),
    },
)
async def metrics(services: ServicesDep) -> Response:
    """Needs a token, or a caller on the master's own host."""
    return Response(services.metrics.exposition(), media_type=CONTENT_TYPE)


@router.get("/api/v1/version", summary="What runs here", response_model=Version, responses=problems())
async def version(_: Viewer, services: ServicesDep) -> Response:
    """Versions of the master and of the servers behind it; null for one that is away."""
    return answer(services.health.about())


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The description of this API; needs a token, or a caller on the master's own host."""
    return answer(document(request.app))
