"""API tokens, each claim with its rule of the security design."""

from typing import Any

import httpx2
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from tests.integration.api_client import ON_SHARED_LOOP, RunningApi
from tests.integration.people_client import Browser, add_user, bearer, browser

Database = AsyncDatabase[dict[str, Any]]


async def create(page: Browser, **body: object) -> httpx2.Response:
    return await page.post("/token/create", {"name": "deploy", "role": "viewer", **body})


async def test_a_token_is_shown_once_and_stored_as_a_digest(api: RunningApi, mongo_database: Database):
    """Rule 5: `et_<id>_<secret>`, hashed; lists show everything but the secret."""
    await add_user(api, "kim", ("viewer", None))
    async with browser(api) as page:
        await page.login("kim")
        made = (await create(page)).json()
        listed = await page.get("/token/list")
    prefix, token_id, secret = made["token"].split("_", 2)
    stored = await mongo_database["api_tokens"].find_one({"_id": token_id})

    assert ("et", 14, 43) == (prefix, len(token_id), len(secret))
    assert stored is not None
    assert secret not in str(stored)
    assert secret not in listed.text
    assert [made["info"]] == listed.json()["items"]
    assert "kim" == made["info"]["owner"]


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"), id="another secret"),
        pytest.param(lambda text: text.replace("et_", "ex_"), id="another form"),
        pytest.param(lambda text: text + "A", id="longer"),
        pytest.param(lambda _text: "et_admin_x", id="like an admin token"),
        pytest.param(lambda _text: "", id="empty"),
    ],
)
async def test_only_the_very_token_is_accepted(shared_api: RunningApi, change: Any):
    """Rule 5: nothing that merely looks like it."""
    made = await shared_api.post("/token/create", {"name": "t", "role": "viewer"})
    async with bearer(shared_api, change(made.json()["token"])) as client:
        answer = await client.get("/api/v1/job/list")

    assert 401 == answer.status_code


async def test_a_token_ends(api: RunningApi, mongo_database: Database):
    """Rule 5: with expiry."""
    made = (await api.post("/token/create", {"name": "t", "role": "viewer", "expires_in_days": 1})).json()
    moved = {"$subtract": ["$expires_at", 86_400_000 + 1]}
    await mongo_database["api_tokens"].update_many({}, [{"$set": {"expires_at": moved}}])
    async with bearer(api, made["token"]) as client:
        answer = await client.get("/api/v1/job/list")
    listed = (await api.get("/token/list")).json()["items"]

    assert 401 == answer.status_code
    assert [True] == [token["expired"] for token in listed]


async def test_the_last_use_is_written_down_once_a_minute(api: RunningApi, mongo_database: Database):
    """Rule 5: last use, without a write per request."""
    made = (await api.post("/token/create", {"name": "t", "role": "viewer"})).json()
    async with bearer(api, made["token"]) as client:
        await client.get("/api/v1/job/list")
        first = (await api.get("/token/list")).json()["items"][0]["last_used_at"]
        await client.get("/api/v1/job/list")
        second = (await api.get("/token/list")).json()["items"][0]["last_used_at"]

    assert first is not None
    assert first == second


async def test_nobody_makes_a_token_that_may_more(api: RunningApi):
    """Rule 5: scoped to a role and namespaces of its maker."""
    await add_user(api, "kim", ("editor", ["shop"]), ("viewer", None))
    async with browser(api) as page:
        await page.login("kim")
        codes = {
            "own": (await create(page, role="editor", namespaces=["shop"])).status_code,
            "less": (await create(page, role="viewer", namespaces=None)).status_code,
            "role": (await create(page, role="admin", namespaces=["shop"])).status_code,
            "elsewhere": (await create(page, role="editor", namespaces=["shop", "mail"])).status_code,
            "everywhere": (await create(page, role="editor", namespaces=None)).status_code,
        }

    assert {"own": 200, "less": 200, "role": 403, "elsewhere": 403, "everywhere": 403} == codes


async def test_a_token_loses_what_its_owner_loses(api: RunningApi):
    """Rule 5: rights are those of today, and a deleted owner takes the tokens along."""
    await add_user(api, "kim", ("editor", None))
    job = {"name": "a", "command": "true"}
    async with browser(api) as page:
        await page.login("kim")
        token = (await create(page, role="editor", namespaces=None)).json()["token"]
    async with bearer(api, token) as client:
        before = await client.post("/api/v1/job/save", json=job)
        await add_user(api, "kim", ("viewer", None))
        demoted = await client.post("/api/v1/job/save", json=job)
        reads = await client.get("/api/v1/job/list")
        await api.delete("/user/kim")
        gone = await client.get("/api/v1/job/list")

    assert [200, 403, 200, 401] == [found.status_code for found in (before, demoted, reads, gone)]


async def test_a_token_cannot_prolong_itself(api: RunningApi):
    """Rule 5: what it makes ends with it at the latest."""
    made = (await api.post("/token/create", {"name": "t", "role": "viewer", "expires_in_days": 7})).json()
    async with bearer(api, made["token"]) as client:
        body = {"name": "child", "role": "viewer"}
        longer = await client.post("/api/v1/token/create", json={**body, "expires_in_days": 8})
        for_ever = await client.post("/api/v1/token/create", json={**body, "expires_in_days": None})
        shorter = await client.post("/api/v1/token/create", json={**body, "expires_in_days": 6})

    ends = [found.json()["info"]["expires_at"] for found in (longer, for_ever, shorter)]
    assert [True, True, False] == [end == made["info"]["expires_at"] for end in ends]


async def test_tokens_of_others_are_not_there(api: RunningApi):
    """Rule 7: lists and deletions are about one's own; who administers everything sees and deletes all."""
    await add_user(api, "kim", ("viewer", None))
    await add_user(api, "lee", ("viewer", None))
    async with browser(api) as kim, browser(api) as lee:
        await kim.login("kim")
        await lee.login("lee")
        token_id = (await create(kim)).json()["info"]["id"]
        seen = (await lee.get("/token/list")).json()["items"]
        everybody = await lee.get("/token/list", all=True)
        foreign, missing = await lee.delete(f"/token/{token_id}"), await lee.delete("/token/absent")
        all_tokens = (await api.get("/token/list", all=True)).json()["items"]
        deleted = await api.delete(f"/token/{token_id}")
        left = (await kim.get("/token/list")).json()["items"]

    assert ([], 403) == (seen, everybody.status_code)
    assert (404, 404) == (foreign.status_code, missing.status_code)
    assert ["kim"] == [token["owner"] for token in all_tokens]
    assert (204, []) == (deleted.status_code, left)


async def test_a_job_is_run_thirty_times_a_minute_at_most(api: RunningApi):
    """Rule 12: the thirty-first time says when to come back; another job is not held up."""
    for name in ("a", "b"):
        await api.post("/job/save", {"name": name, "command": "true"})
    codes = [(await api.post("/job/run/a")).status_code for _ in range(30)]
    refused, other = await api.post("/job/run/a"), await api.post("/job/run/b")

    assert [202] * 30 == codes
    assert (429, "throttled", 202) == (refused.status_code, refused.json()["code"], other.status_code)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
