"""Routes of workers."""

from collections import Counter

from fastapi import APIRouter, Response

from master.api.deps import ServicesDep, Viewer, WorkerIdPath
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import Worker, WorkerPage, WorkerStats
from master.domain.rights import Right

router = APIRouter(prefix="/api/v1/worker", tags=["Workers"])


@router.get("/list", summary="List workers", response_model=WorkerPage, responses=problems())
async def list_workers(principal: Viewer, services: ServicesDep) -> Response:
    """Every worker that is alive or remembered. Without MongoDB: the live ones, without figures.

    `running` counts the executions of namespaces one may see.
    """
    workers = await services.roster.workers(principal.within(Right.SEE, None))
    total = {"count": len(workers), "is_exact": True}
    return answer({"items": workers, "next_page_token": None, "total": total})


@router.get("/stats", summary="Workers in figures", response_model=WorkerStats, responses=problems())
async def worker_statistics(principal: Viewer, services: ServicesDep) -> Response:
    """How many there are by state and version, and how full those that are alive are."""
    workers = await services.roster.workers(principal.within(Right.SEE, None))
    by_status = Counter(worker["status"] for worker in workers)
    alive = [worker for worker in workers if worker["status"] != "offline"]
    return answer(
        {
            **{status: by_status[status] for status in ("online", "draining", "offline")},
            "slots": sum(worker["slots"] for worker in alive),
            "running": sum(worker["running"] for worker in alive),
            "by_version": dict(Counter(worker["version"] for worker in alive)),
        }
    )


@router.get("/{worker_id}", summary="Look at a worker", response_model=Worker, responses=problems(404))
async def get_worker(principal: Viewer, services: ServicesDep, worker_id: WorkerIdPath) -> Response:
    """One worker: its state, what it offers, and what it reported last."""
    return answer(await services.roster.worker(worker_id, principal.within(Right.SEE, None)))
