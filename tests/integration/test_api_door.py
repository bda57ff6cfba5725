"""What the API lets in, what it refuses, and how it says so."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from common.kv.etcd import EtcdStore
from master.api.admission import OPEN_PATHS
from master.app import build_app, describe
from master.config import MasterConfig
from master.wiring import build_deps
from tests.integration.api_client import ON_SHARED_LOOP, RunningApi, config_for, running_api

pytestmark = pytest.mark.integration

PROTECTED = [
    pytest.param(method.upper(), path, id=f"{method.upper()} {path}")
    for path, methods in describe()["paths"].items()
    for method in methods
    if path.startswith("/api/") and path not in OPEN_PATHS
]


def anonymous(api: RunningApi, peer: str = "127.0.0.1", host: str = "127.0.0.1") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(api.app, client=(peer, 4711))
    return httpx2.AsyncClient(transport=transport, base_url=f"http://{host}")


@ON_SHARED_LOOP
@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_no_route_answers_without_a_token(shared_api: RunningApi, method: str, path: str):
    """Every route below /api is closed; the body is not even looked at."""
    async with anonymous(shared_api) as client:
        answer = await client.request(method, path.replace("{", "").replace("}", ""), content=b"{broken")

    assert (401, "unauthenticated") == (answer.status_code, answer.json()["code"])
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("peer", "host", "path", "expected"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", "/livez", 200, id="alive"),
        pytest.param("10.0.0.9", "cron.example", "/readyz", 200, id="ready from elsewhere"),
        pytest.param("127.0.0.1", "localhost", "/metrics", 200, id="metrics on this host"),
        pytest.param("10.0.0.9", "cron.example", "/metrics", 401, id="metrics from elsewhere"),
        pytest.param("127.0.0.1", "evil.example", "/metrics", 401, id="led here by a foreign name"),
        pytest.param("10.0.0.9", "cron.example", "/openapi.json", 401, id="description from elsewhere"),
        pytest.param("127.0.0.1", "localhost", "/docs", 200, id="manual on this host"),
        pytest.param("10.0.0.9", "cron.example", "/api", 401, id="the bare prefix"),
    ],
)
async def test_open_and_local_paths(shared_api: RunningApi, peer: str, host: str, path: str, expected: int):
    """Health is open; figures and descriptions need a token or a caller on this host."""
    async with anonymous(shared_api, peer, host) as client:
        answer = await client.get(path)

    assert expected == answer.status_code


@ON_SHARED_LOOP
async def test_a_proxy_on_this_host_is_not_a_local_caller(shared_api: RunningApi):
    """A forwarded request comes from somebody else, whatever the peer is."""
    async with anonymous(shared_api) as client:
        answer = await client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"})

    assert 401 == answer.status_code


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        pytest.param(
            {"Content-Type": "text/plain"}, b"{}", 415, "unsupported_media_type", id="not declared as JSON"
        ),
        pytest.param({}, b"{}", 415, "unsupported_media_type", id="not declared at all"),
        pytest.param(
            {"Content-Type": "application/json"}, b"x" * 1_048_577, 413, "body_too_large", id="too large"
        ),
        pytest.param(
            {"Content-Type": "application/json"}, b'{"name": ', 422, "validation_failed", id="broken JSON"
        ),
        pytest.param(
            {"Content-Type": "application/json"}, b"[1, 2]", 422, "validation_failed", id="not an object"
        ),
        pytest.param(
            {"Content-Type": "application/json"}, b"\xff\xfe", 422, "validation_failed", id="not UTF-8"
        ),
        pytest.param(
            {"Content-Type": "application/json"}, b"[" * 200_000, 400, "bad_request", id="nested for ever"
        ),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem(
    shared_api: RunningApi, headers: dict[str, str], body: bytes, status: int, code: str
):
    """Never a 500, never a traceback."""
    answer = await shared_api.client.post("/api/v1/job/save", content=body, headers=headers)

    assert (status, code) == (answer.status_code, answer.json()["code"])


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/api/v1/nothing", 404, "route_not_found", id="unknown path"),
        pytest.param("GET", "/api", 404, "route_not_found", id="the bare prefix"),
        pytest.param("PUT", "/api/v1/job/list", 405, "method_not_allowed", id="unknown method"),
        pytest.param("GET", "/api/v1/job/absent", 404, "job_not_found", id="no such job"),
        pytest.param("GET", "/api/v1/execution/nonsense", 422, "invalid_input", id="no execution id"),
        pytest.param("GET", "/api/v1/execution/a.1.1", 404, "execution_not_found", id="no such execution"),
        pytest.param("GET", "/api/v1/worker/absent", 404, "worker_not_found", id="no such worker"),
        pytest.param("GET", "/api/v1/log/absent", 404, "execution_not_found", id="never ran"),
        pytest.param("GET", "/api/v1/job/list?page_size=0", 422, "validation_failed", id="page of nothing"),
        pytest.param("GET", "/api/v1/log/list?page_token=x", 422, "invalid_page_token", id="invented token"),
        pytest.param("GET", "/api/v1/log/list?status=done", 422, "validation_failed", id="unknown status"),
    ],
)
async def test_whatever_is_wrong_is_a_problem(
    shared_api: RunningApi, method: str, path: str, status: int, code: str
):
    """Every error has the same form, with the id of the request."""
    answer = await shared_api.client.request(method, path, headers={"X-Request-ID": "mine-1"})
    problem = answer.json()

    assert (status, code) == (answer.status_code, problem["code"])
    assert "application/problem+json" == answer.headers["Content-Type"]
    assert ("mine-1", "mine-1") == (problem["request_id"], answer.headers["X-Request-ID"])
    assert path.partition("?")[0] == problem["instance"]


@ON_SHARED_LOOP
async def test_security_headers_are_on_everything(shared_api: RunningApi):
    """Answers, refusals and the dashboard alike."""
    answers = [
        await shared_api.get("/job/list"),
        await shared_api.get("/nothing"),
        await shared_api.client.get("/"),
        await shared_api.client.get("/docs"),
    ]
    policies = {answer.headers["Content-Security-Policy"].partition(";")[0] for answer in answers}

    assert {"default-src 'self'"} == policies
    assert {"nosniff"} == {answer.headers["X-Content-Type-Options"] for answer in answers}


@ON_SHARED_LOOP
async def test_a_request_id_that_breaks_a_log_line_is_replaced(shared_api: RunningApi):
    """Only an id that is safe to print is taken over."""
    answer = await shared_api.client.get("/livez", headers={"X-Request-ID": "a b\tc"})

    assert "a b\tc" != answer.headers["X-Request-ID"]


async def test_masters_accept_each_others_token(
    api: RunningApi, master_config: MasterConfig, store: EtcdStore, tmp_path: Path
):
    """Behind a balancer a token works at every master, also when each has a file of its own."""
    other = master_config.model_copy(update={"admin_token_file": tmp_path / "other" / "token"})
    async with running_api(other, store) as second:
        theirs = other.token_file.read_text().strip()
        await api.until(lambda: api.services.people.admin_tokens.accept(theirs))
        headers = {"Authorization": f"Bearer {theirs}"}
        answer = await api.client.get("/api/v1/job/list", headers=headers)
        nonsense = {"Authorization": "Bearer et_admin_wrong"}
        refused = await second.client.get("/api/v1/job/list", headers=nonsense)

    assert theirs != master_config.token_file.read_text().strip()
    assert (200, 401) == (answer.status_code, refused.status_code)


async def test_away_servers_are_named_and_nothing_else_stops(
    tmp_path: Path, mongo_database: AsyncDatabase[dict[str, Any]], mongo_uri: str
):
    """Before etcd was reached: alive, not ready, and problems that say why."""
    config = config_for(tmp_path, "127.0.0.1:9", mongo_uri, mongo_database.name, "/test/")
    async with build_deps(config) as deps:
        app = build_app(deps.services, config)
        headers = {"Authorization": f"Bearer {config.token_file.read_text().strip()}"}
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers
        ) as client:
            alive, ready = await client.get("/livez"), await client.get("/readyz")
            listed = await client.get("/api/v1/job/list")
            saved = await client.post("/api/v1/job/save", json={"name": "a", "command": "true"})

    assert (200, 503) == (alive.status_code, ready.status_code)
    assert {"etcd", "mongodb"} <= set(ready.json()["checks"])
    assert (503, 503) == (listed.status_code, saved.status_code)
    assert "etcd" in listed.json()["detail"]
    assert "etcd" in saved.json()["detail"]


async def test_without_mongodb_jobs_are_still_served(
    tmp_path: Path, etcd_endpoint: str, store: EtcdStore, key_prefix: str
):
    """History answers 503 and says so; jobs, workers and saving do not notice."""
    uri = "mongodb://127.0.0.1:9/?directConnection=true"
    config = config_for(tmp_path, etcd_endpoint, uri, "nowhere", key_prefix)
    async with running_api(config, store, needs_history=False) as api:
        saved = await api.post("/job/save", {"name": "a", "schedule": "@daily", "command": "true"})
        listed = await api.get("/job/list")
        history = await api.get("/log/list")
        workers = await api.get("/worker/list")
        ready = await api.client.get("/readyz")

    assert (200, 200, 200) == (saved.status_code, listed.status_code, workers.status_code)
    assert listed.json()["items"][0]["state"]["last"] is None
    assert (503, 503) == (history.status_code, ready.status_code)
    assert "MongoDB" in history.json()["detail"]
