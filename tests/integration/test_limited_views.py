"""What somebody with a role in one namespace sees of the whole: nothing of the others."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.execution import LedgerKind, Reason, Status
from common.domain.ids import ExecutionId, epoch_s
from common.domain.records import LEDGER, LedgerRow
from tests.integration.api_client import RunningApi
from tests.integration.people_client import bearer, new_token
from tests.integration.test_api_overview import store

pytestmark = pytest.mark.integration

Database = AsyncDatabase[dict[str, Any]]
OWN, FOREIGN = "shop", "foreignland"
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
AROUND = {
    "from": (HOUR - timedelta(hours=3)).isoformat(),
    "to": (HOUR + timedelta(hours=3)).isoformat(),
}


async def fill(api: RunningApi, database: Database, namespace: str) -> None:
    """A pinned job that failed an hour ago, was missed before that, and runs now."""
    job = {
        "name": f"{namespace}-job",
        "namespace": namespace,
        "schedule": "30 * * * *",
        "command": "true",
        "target": {"workers": ["w1"]},
    }
    saved = await api.post("/job/save", job)
    assert saved.status_code == 200, saved.text
    uid, due = saved.json()["uid"], HOUR - timedelta(minutes=30)
    await store(database, uid, due, Status.FAILED, job["name"], namespace=namespace)
    missed = LedgerRow(
        namespace=namespace,
        job=job["name"],
        uid=uid,
        tick=epoch_s(due) - 3600,
        last_tick=epoch_s(due) - 3600,
        count=1,
        kind=LedgerKind.MISSED,
        reason=Reason.DOWNTIME,
        generation=1,
        recorded_at=due,
        expires_at=due + timedelta(days=30),
        recorded_by="m1",
    )
    await database[LEDGER].insert_one({"_id": missed.key, **missed.document()})
    await api.put_run(ExecutionId.of_tick(uid, epoch_s(HOUR)), job["name"], namespace=namespace)


@pytest.fixture
async def limited(api: RunningApi, mongo_database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """An administrator of one of two namespaces in which the same has happened."""
    await api.put_health("w1")
    for namespace in (OWN, FOREIGN):
        await fill(api, mongo_database, namespace)
    for _ in range(100):
        # The figures of the day are counted aside.
        if (await api.get("/overview")).json()["tiles"]["failed_24h"] == 2:
            break
        await asyncio.sleep(0.2)
    async with bearer(api, await new_token(api, "admin", [OWN])) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "params"),
    [
        pytest.param("/overview", {}, id="overview"),
        pytest.param("/timeline", AROUND, id="timeline by job"),
        pytest.param("/timeline", {**AROUND, "by": "worker"}, id="timeline by worker"),
        pytest.param("/log/histogram", AROUND, id="histogram"),
        pytest.param("/log/list", {}, id="executions"),
        pytest.param("/job/list", {}, id="jobs"),
    ],
)
async def test_a_view_is_that_of_the_own_namespace(
    api: RunningApi, limited: httpx2.AsyncClient, path: str, params: dict[str, str]
):
    """As an administrator of everything sees it who has narrowed it; what is foreign is not there either."""
    mine = await limited.get(f"/api/v1{path}", params=params)
    narrowed = await api.get(path, namespace=OWN, **params)
    whole = await api.get(path, **params)
    foreign = await limited.get(f"/api/v1{path}", params={"namespace": FOREIGN, **params})
    nowhere = await limited.get(f"/api/v1{path}", params={"namespace": "nowhere", **params})

    assert narrowed.json() == mine.json() != whole.json()
    assert FOREIGN not in mine.text
    assert (200, nowhere.json()) == (foreign.status_code, foreign.json())


@pytest.mark.parametrize(
    "path", ["/worker/list", "/worker/stats", "/worker/w1", "/worker/w1/jobs", "/worker/w1/log", "/version"]
)
async def test_what_is_about_workers_names_no_foreign_job(limited: httpx2.AsyncClient, path: str):
    """Workers are everybody's; what they run and what is pinned to them is not."""
    answer = await limited.get(f"/api/v1{path}")

    assert 200 == answer.status_code
    assert FOREIGN not in answer.text


@pytest.mark.parametrize("path", ["/cluster", "/worker/setup", "/audit/list", "/audit/verify", "/user/list"])
async def test_what_is_about_the_installation_is_closed(limited: httpx2.AsyncClient, path: str):
    """`admin` of one namespace administers nothing but its jobs."""
    answer = await limited.get(f"/api/v1{path}")

    assert (403, "not_allowed") == (answer.status_code, answer.json()["code"])
