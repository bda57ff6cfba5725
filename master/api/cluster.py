"""Route of the installation as a whole."""

from fastapi import APIRouter, Response

from master.api.deps import Administrator, ServicesDep
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas_workers import Cluster

router = APIRouter(prefix="/api/v1", tags=["System"])


@router.get("/cluster", summary="The installation", response_model=Cluster, responses=problems())
async def cluster(_: Administrator, services: ServicesDep) -> Response:
    """The masters, etcd, MongoDB, the clock, and this master's settings with where each comes from."""
    return answer(await services.cluster.look())
