"""The API while etcd or MongoDB is away: a 503 that says which, and answers from what does not need it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from tests.integration.api_client import RunningApi, config_for, running_api
from tests.servers import EtcdServer, MongoServer, find_etcd, find_mongod, start_etcd, start_mongod

pytestmark = pytest.mark.integration

Database = AsyncDatabase[dict[str, Any]]
HELLO = {"name": "hello", "schedule": "* * * * *", "command": "echo hello"}


@pytest.fixture
async def without_mongo(
    tmp_path: Path, etcd_endpoint: str, store: EtcdStore, key_prefix: str
) -> AsyncIterator[RunningApi]:
    """A master that has lost its MongoDB."""
    (tmp_path / "mongod").mkdir()
    server: MongoServer = start_mongod(find_mongod(), tmp_path / "mongod")
    config = config_for(tmp_path, etcd_endpoint, server.uri, "cron", key_prefix)
    try:
        async with running_api(config, store) as api:
            await api.post("/job/save", HELLO)
            server.kill()
            await api.until(lambda: api.services.health.mongo_version is None)
            yield api
    finally:
        server.kill()


@pytest.fixture
async def without_etcd(tmp_path: Path, mongo_uri: str, mongo_database: Database) -> AsyncIterator[RunningApi]:
    """A master that has lost its etcd."""
    (tmp_path / "etcd").mkdir()
    server: EtcdServer = start_etcd(find_etcd("3.5"), tmp_path / "etcd")
    config = config_for(tmp_path, server.endpoint, mongo_uri, mongo_database.name, "/test/")
    try:
        settings = EtcdSettings(endpoints=(server.endpoint,), call_timeout_s=2.0)
        async with EtcdStore(settings) as own, running_api(config, own) as api:
            await api.post("/job/save", HELLO)
            server.kill()
            await api.until(lambda: api.services.health.report().checks["jobs"] != "ok")
            yield api
    finally:
        server.kill()


def told(answer: httpx2.Response) -> tuple[int, str, bool]:
    problem = answer.json()
    return answer.status_code, problem["code"], "Retry-After" in answer.headers


async def test_without_mongodb_jobs_are_served_and_history_says_why_not(without_mongo: RunningApi):
    """Saves, lists, the overview and batches go on; what is about history is a 503 that names MongoDB."""
    api = without_mongo
    saved = await api.post("/job/save", {**HELLO, "command": "echo two"})
    served = [
        await api.get("/job/list"),
        await api.get("/job/hello"),
        await api.get("/job/hello/workers"),
        await api.get("/overview"),
        await api.get("/worker/list"),
        await api.get("/cluster"),
        await api.post("/job/check", {"definition": HELLO}),
        await api.post("/job/batch", {"action": "disable", "jobs": [{"name": "hello"}]}),
    ]
    refused = [
        await api.get("/log/list"),
        await api.get("/timeline"),
        await api.get("/job/hello/versions"),
        await api.post("/job/hello/revert", {"generation": 1}),
        await api.get("/log/histogram", job="hello"),
    ]

    assert 200 == saved.status_code
    assert [200] * len(served) == [answer.status_code for answer in served]
    assert [(503, "store_unavailable", True)] * len(refused) == [told(answer) for answer in refused]
    assert all("MongoDB" in answer.json()["detail"] for answer in refused)
    assert (await api.get("/overview")).json()["history_behind"] is not None
    assert not (await api.get("/cluster")).json()["mongodb"]["ok"]


async def test_without_etcd_what_was_seen_is_served_and_changes_say_why_not(without_etcd: RunningApi):
    """Lists and history go on; every change is a 503 that names etcd, and nothing of it is done."""
    api = without_etcd
    async with asyncio.timeout(60):
        served = [
            await api.get("/job/list"),
            await api.get("/overview"),
            await api.get("/timeline"),
            await api.get("/log/list"),
            await api.get("/worker/list"),
            await api.get("/cluster"),
        ]
        saved = await api.post("/job/save", {**HELLO, "command": "echo two"})
        batch = await api.post("/job/batch", {"action": "delete", "jobs": [{"name": "hello"}]})

    assert [200] * len(served) == [answer.status_code for answer in served]
    assert (503, True) == (saved.status_code, "etcd" in saved.json()["detail"])
    assert [(False, "store_unavailable")] == [(item["ok"], item["code"]) for item in batch.json()["items"]]
    assert not (await api.get("/cluster")).json()["etcd"]["ok"]
