"""A master without a port: its application, its background loops, and a client that holds the token."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from common.domain.codec import RunRecord, WorkerHealth
from common.domain.execution import Cause
from common.domain.ids import ExecutionId
from common.domain.keys import Keyspace
from common.kv.port import KeyValueStore
from common.kv.values import KeyValue, Put
from common.runtime.lifecycle import end_all
from master.api.deps import Services
from master.app import build_app
from master.config import MasterConfig
from master.wiring import build_deps

_PATIENCE_S = 10.0
#: For tests that ask `shared_api`: its background work belongs to the loop it was started on.
ON_SHARED_LOOP = pytest.mark.asyncio(loop_scope="module")


@dataclass
class RunningApi:
    """Requests below `/api/v1` with the token, and etcd for a look behind the scenes."""

    app: FastAPI
    services: Services
    client: httpx2.AsyncClient
    store: KeyValueStore
    keys: Keyspace

    async def get(self, path: str, **params: object) -> httpx2.Response:
        return await self.client.get(f"/api/v1{path}", params=params)

    async def post(
        self, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        return await self.client.post(f"/api/v1{path}", json=body or {}, headers=headers)

    async def delete(self, path: str, **params: object) -> httpx2.Response:
        return await self.client.delete(f"/api/v1{path}", params=params)

    async def read(self, key: str) -> KeyValue:
        stored = (await self.store.txn(reads=[key])).reads[key]
        assert stored is not None, f"{key} is not stored"
        return stored

    async def put_run(self, execution: ExecutionId, job: str, *, namespace: str = "default") -> RunRecord:
        """Play a worker that has just claimed, and wait until the master has seen it."""
        now = datetime.now(UTC)
        record = RunRecord(
            worker="w1",
            session="s1",
            nonce="n1",
            namespace=namespace,
            name=job,
            generation=1,
            cause=Cause.SCHEDULE,
            scheduled_at=now,
            claimed_at=now,
        )
        await self.store.txn(puts=[Put(self.keys.run(execution), record.encode())])
        await self.until(lambda: self.app.state.services.history.is_live(str(execution)))
        return record

    async def put_health(self, worker: str) -> None:
        """Play a worker that is alive, and wait until the master has seen it."""
        health = WorkerHealth(worker=worker, session="s1", slots=4, started_at=datetime.now(UTC))
        await self.store.txn(puts=[Put(self.keys.health(worker), health.encode())])
        await self.until(lambda: self.services.roster.is_live(worker))

    async def wake(self) -> None:
        """Wait until it reads history: while its loop stood still the patience of its driver ran out."""
        async with asyncio.timeout(_PATIENCE_S):
            while (await self.get("/log/list", page_size=1)).status_code != 200:  # noqa: ASYNC110 - a poll
                await asyncio.sleep(0.05)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that is on its way."""
        async with asyncio.timeout(_PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - what holds is anything a test can see
                await asyncio.sleep(0.01)


def config_for(
    folder: Path, etcd_endpoint: str, mongo_uri: str, database: str, key_prefix: str
) -> MasterConfig:
    return MasterConfig.model_validate(
        {
            "etcdEndpoints": (etcd_endpoint,),
            "mongoUri": mongo_uri,
            "mongoDatabase": database,
            "mongoConnectTimeout": 500,
            "keyPrefix": f"{key_prefix}cron/",
            "healthPrefix": f"{key_prefix}health/",
            "adminTokenFile": folder / "admin-token",
            "stateDir": folder,
        }
    )


@asynccontextmanager
async def running_api(
    config: MasterConfig, store: KeyValueStore, *, needs_history: bool = True
) -> AsyncIterator[RunningApi]:
    """The master of *config*, ready to serve; without history as soon as it follows etcd."""
    async with build_deps(config) as deps, asyncio.TaskGroup() as group:
        loops = [group.create_task(_owned(loop)) for loop in (deps.session.run, *deps.loops)]
        app = build_app(deps.services, config)
        token = config.token_file.read_text().strip()
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app),
            base_url="http://127.0.0.1",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            keys = Keyspace(config.key_prefix, config.health_prefix)
            api = RunningApi(app, deps.services, client, store, keys)
            await api.until(lambda: _serves(deps.services, needs_history))
            yield api
        await end_all(loops)


def _serves(services: Services, needs_history: bool) -> bool:
    report = services.health.report()
    return report.is_ready or (
        not needs_history and all(report.checks[view] == "ok" for view in ("jobs", "runs", "workers"))
    )


async def _owned(loop: Callable[[], object]) -> None:
    await loop()  # type: ignore[misc]
