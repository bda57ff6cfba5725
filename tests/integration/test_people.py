"""The first start, sign-in, sessions and accounts, each claim with its rule of the security design."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from common.kv.etcd import EtcdStore
from master.config import MasterConfig
from master.domain.audit import in_milliseconds
from tests.integration.api_client import RunningApi, running_api
from tests.integration.people_client import OTHER_PASSWORD, PASSWORD, add_user, browser

Database = AsyncDatabase[dict[str, Any]]


async def setup_token(api: RunningApi) -> str:
    answer = await api.post("/auth/setup-token")
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    assert f"/welcome?token={token}" == answer.json()["path"]
    return token


async def test_the_first_start_has_no_password_and_one_way_in(api: RunningApi):
    """Rule 2: nothing answers until the set-up token made the first admin; it works once, and never again."""
    async with browser(api) as first:
        before = (await first.get("/auth/state")).json()
        closed = await first.get("/job/list")
        token = await setup_token(api)
        body = {"token": token, "username": "kim", "password": PASSWORD, "display_name": "Kim"}
        wrong = await first.post("/auth/setup", {**body, "token": "x" * 43})
        weak = await first.post("/auth/setup", {**body, "password": "password1234"})
        made = await first.post("/auth/setup", body)
        again = await first.post("/auth/setup", {**body, "username": "lee"})
        after = (await first.get("/auth/state")).json()
        listed = await first.get("/user/list")
    renewed = await api.post("/auth/setup-token")

    assert (True, False, 401) == (before["setup_needed"], before["signed_in"], closed.status_code)
    assert {"etcd", "mongodb", "clock"} == {check["name"] for check in before["checks"] if check["ok"]}
    assert (403, "setup_token_invalid") == (wrong.status_code, wrong.json()["code"])
    assert (422, "password_too_common") == (weak.status_code, weak.json()["code"])
    assert "/password" == weak.json()["errors"][0]["pointer"]
    assert [{"role": "admin", "namespaces": None}] == made.json()["roles"]
    assert (409, "setup_done") == (again.status_code, again.json()["code"])
    assert (False, True) == (after["setup_needed"], after["signed_in"])
    assert ["kim"] == [user["name"] for user in listed.json()["items"]]
    assert 409 == renewed.status_code


async def test_a_set_up_token_ends_after_a_quarter_of_an_hour(api: RunningApi, mongo_database: Database):
    """Rule 2: an address that was left on a screen is worth nothing the next day."""
    token = await setup_token(api)
    moved = await mongo_database["setup_tokens"].find_one_and_update(
        {}, [{"$set": {"expires_at": {"$subtract": ["$expires_at", 15 * 60 * 1000]}}}]
    )
    async with browser(api) as first:
        late = await first.post("/auth/setup", {"token": token, "username": "kim", "password": PASSWORD})

    assert token not in str(moved)
    assert (403, "setup_token_invalid") == (late.status_code, late.json()["code"])


async def test_two_people_with_two_tokens_make_one_first_account(api: RunningApi):
    """Rule 2: the first account is one, also when two masters have each shown an address."""
    tokens = [await setup_token(api), await setup_token(api)]
    async with browser(api) as one, browser(api) as two:
        answers = await asyncio.gather(
            *(
                page.post("/auth/setup", {"token": token, "username": name, "password": PASSWORD})
                for page, token, name in zip((one, two), tokens, ("kim", "lee"), strict=True)
            )
        )

    assert [200, 409] == sorted(answer.status_code for answer in answers)


async def test_the_set_up_token_is_for_whoever_holds_the_admin_token(api: RunningApi):
    """Rule 2: no other credential makes an administrator out of its owner."""
    made = await api.post("/token/create", {"name": "t", "role": "admin", "namespaces": None})
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    refused = await api.client.post("/api/v1/auth/setup-token", headers=headers)

    assert (403, "not_allowed") == (refused.status_code, refused.json()["code"])


async def test_a_session_lives_in_a_cookie_scripts_cannot_read(api: RunningApi, mongo_database: Database):
    """Rule 4: opaque, HttpOnly, SameSite=Strict; the database knows its digest alone."""
    await add_user(api, "kim", ("viewer", None))
    async with browser(api) as page:
        answer = await page.login("kim")
        cookie = answer.headers["set-cookie"]
        token = page.client.cookies["everytick_session"]
        me = (await page.get("/auth/me")).json()
    stored = await mongo_database["sessions"].find_one({})

    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert len(token) == 43
    assert token not in str(stored)
    assert ("kim", "user", "local") == (me["name"], me["kind"], me["source"])
    assert [{"right": "see", "namespaces": None}] == me["rights"]


async def test_behind_tls_the_cookie_is_bound_to_its_host(master_config: MasterConfig, store: EtcdStore):
    """Rule 4: `__Host-` and Secure, so that no other host can plant one and none travels in the open."""
    config = master_config.model_copy(update={"behind_tls_proxy": True})
    async with running_api(config, store) as api:
        await add_user(api, "kim", ("viewer", None))
        async with browser(api) as page:
            cookie = (await page.login("kim")).headers["set-cookie"]

    assert cookie.startswith("__Host-everytick_session=")
    assert "Secure" in {part.strip() for part in cookie.split(";")}


async def test_signing_out_ends_the_session_itself(api: RunningApi):
    """Rule 4: revocable: a copied cookie is worth nothing afterwards; a new sign-in gives another one."""
    await add_user(api, "kim", ("viewer", None))
    async with browser(api) as page, browser(api) as thief:
        await page.login("kim")
        old = page.client.cookies["everytick_session"]
        await page.login("kim")
        thief.client.cookies.set("everytick_session", old)
        renewed = await thief.get("/auth/me")
        current = page.client.cookies["everytick_session"]
        out = await page.post("/auth/logout")
        thief.client.cookies.set("everytick_session", current)
        stolen = await thief.get("/auth/me")

    assert old != current
    assert (401, 204, 401) == (renewed.status_code, out.status_code, stolen.status_code)


async def test_a_session_ends_when_nobody_uses_it_and_after_half_a_day(
    master_config: MasterConfig, store: EtcdStore, mongo_database: Database
):
    """Rule 4: idle 30 minutes, absolute 12 hours."""
    async with running_api(master_config, store) as api:
        await add_user(api, "kim", ("viewer", None))
        answers = []
        for field, minutes in (("seen_at", 29), ("seen_at", 31), ("created_at", 12 * 60 + 1)):
            async with browser(api) as page:
                await page.login("kim")
                moved = {"$subtract": [f"${field}", minutes * 60_000]}
                await mongo_database["sessions"].update_many({}, [{"$set": {field: moved}}])
                answers.append((await page.get("/auth/me")).status_code)
            await mongo_database["sessions"].delete_many({})

    assert [200, 401, 401] == answers


async def test_a_changed_password_ends_all_other_sessions(api: RunningApi):
    """Rule 4: whoever knew the old password is out."""
    await add_user(api, "kim", ("viewer", None))
    async with browser(api) as page, browser(api) as other:
        await page.login("kim")
        await other.login("kim")
        wrong = await page.post("/auth/password", {"current": OTHER_PASSWORD, "new": OTHER_PASSWORD})
        changed = await page.post("/auth/password", {"current": PASSWORD, "new": OTHER_PASSWORD})
        mine, theirs = await page.get("/auth/me"), await other.get("/auth/me")
        old, new = await other.login("kim"), await other.login("kim", OTHER_PASSWORD)

    assert (401, "bad_credentials") == (wrong.status_code, wrong.json()["code"])
    assert (204, 200, 401) == (changed.status_code, mine.status_code, theirs.status_code)
    assert (401, 200) == (old.status_code, new.status_code)


async def test_a_disabled_user_is_out_at_once(api: RunningApi):
    """Rule 4: sessions, password and tokens alike; enabled again, password and tokens work."""
    await add_user(api, "kim", ("viewer", None))
    async with browser(api) as page:
        await page.login("kim")
        token = (await page.post("/token/create", {"name": "t", "role": "viewer"})).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        used = await api.client.get("/api/v1/job/list", headers=headers)
        disabled = await api.post("/user/kim/disable")
        shut = [
            (await page.get("/auth/me")).status_code,
            (await page.login("kim")).status_code,
            (await api.client.get("/api/v1/job/list", headers=headers)).status_code,
        ]
        await api.post("/user/kim/enable")
        again = await api.client.get("/api/v1/job/list", headers=headers)

    assert (200, False, 0) == (used.status_code, disabled.json()["enabled"], disabled.json()["sessions"])
    assert [401, 401, 401] == shut
    assert 200 == again.status_code


async def test_a_change_with_a_cookie_needs_proof_that_our_page_sent_it(api: RunningApi):
    """Rule 6: session plus CSRF header; reading needs none, and neither does a bearer token."""
    await add_user(api, "kim", ("editor", None))
    job = {"name": "a", "command": "true"}
    async with browser(api) as page:
        await page.login("kim")
        right = page.csrf
        good = await page.post("/job/save", job)
        page.csrf = None
        missing = await page.post("/job/save", job)
        page.csrf = "0" * 64
        wrong, read = await page.post("/job/save", job), await page.get("/job/list")
    token = await api.post("/job/save", job)

    assert right is not None
    assert (200, 200, 200) == (good.status_code, read.status_code, token.status_code)
    assert ["csrf_token_missing"] * 2 == [answer.json()["code"] for answer in (missing, wrong)]
    assert [403] * 2 == [answer.status_code for answer in (missing, wrong)]


async def test_no_other_site_is_let_in(api: RunningApi):
    """Rule 6: CORS is off: no header lets a page of another origin read an answer."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    preflight = await api.client.options("/api/v1/job/save", headers=headers)
    read = await api.client.get("/api/v1/job/list", headers=headers)

    names = {name.lower() for answer in (preflight, read) for name in answer.headers}
    assert not [name for name in names if name.startswith("access-control-")]
    assert preflight.status_code >= 400


async def test_guessing_is_slowed_down_at_every_master(
    api: RunningApi, master_config: MasterConfig, store: EtcdStore
):
    """Rules 3 and 12: five tries a minute for an account, from wherever they come, counted by all masters."""
    await add_user(api, "kim", ("viewer", None))
    codes = []
    async with running_api(master_config, store) as second:
        for number in range(6):
            async with browser((api, second)[number % 2], f"10.0.1.{number}") as page:
                answer = await page.login("kim", OTHER_PASSWORD)
                codes.append(answer.status_code)
        async with browser(second, "10.0.2.1") as page:
            right = await page.login("kim")

    assert [401] * 5 + [429] == codes
    assert (429, "throttled") == (right.status_code, right.json()["code"])
    assert 55 <= int(right.headers["Retry-After"]) <= 60


async def test_an_address_that_guesses_names_is_slowed_down(api: RunningApi):
    """Rules 3 and 12: also when every try is for another account, and an own account does not whiten it."""
    await add_user(api, "kim", ("viewer", None))
    async with browser(api, "10.0.3.1") as page, browser(api, "10.0.3.2") as elsewhere:
        codes = [(await page.login(f"nobody{number}")).status_code for number in range(4)]
        codes.append((await page.login("kim")).status_code)
        codes.append((await page.login("nobody4")).status_code)
        codes.append((await page.login("kim")).status_code)
        other = await elsewhere.login("kim")

    assert [401, 401, 401, 401, 200, 401, 429] == codes
    assert 200 == other.status_code


async def test_a_hundred_tries_at_once_are_a_hundred_tries(api: RunningApi):
    """Rule 3: counted before the password is looked at, so a race does not give more than five."""
    await add_user(api, "kim", ("viewer", None))

    async def attempt(number: int) -> int:
        async with browser(api, f"10.0.4.{number}") as page:
            return (await page.login("kim", OTHER_PASSWORD)).status_code

    codes = await asyncio.gather(*(attempt(number) for number in range(30)))

    assert codes.count(401) <= 5
    assert {401, 429} == set(codes)


async def test_the_last_administrator_stays(api: RunningApi):
    """Rule 2: an installation never locks everybody out: not deleted, disabled or demoted."""
    await add_user(api, "kim", ("admin", None))
    await add_user(api, "lee", ("admin", ["shop"]))
    refusals = [
        await api.delete("/user/kim"),
        await api.post("/user/kim/disable"),
        await api.post("/user/save", {"name": "kim", "roles": [{"role": "editor"}]}),
        await api.post("/user/save", {"name": "kim", "roles": [{"role": "admin"}], "enabled": False}),
    ]
    await add_user(api, "max", ("admin", None))
    gone = await api.delete("/user/kim")

    assert [(409, "last_admin")] * 4 == [(found.status_code, found.json()["code"]) for found in refusals]
    assert 204 == gone.status_code


async def test_two_administrators_who_remove_each_other_leave_one(api: RunningApi):
    """Rule 2: also when both do it at the same moment."""
    await add_user(api, "kim", ("admin", None))
    await add_user(api, "lee", ("admin", None))
    answers = await asyncio.gather(api.delete("/user/kim"), api.delete("/user/lee"))
    left = (await api.get("/user/list")).json()["items"]

    assert [204, 409] == sorted(answer.status_code for answer in answers)
    assert 1 == len(left)


async def test_users_as_the_administrators_see_them(api: RunningApi):
    """Pages by name, found by parts of names, without anything of a password; create-only is kept."""
    for name in ("kim", "lee", "max"):
        await add_user(api, name, ("viewer", ["shop"]))
    first = (await api.get("/user/list", page_size=2)).json()
    rest = (await api.get("/user/list", page_size=2, page_token=first["next_page_token"])).json()
    found = (await api.get("/user/list", q="AX")).json()
    one = await api.get("/user/kim")
    absent = await api.get("/user/nobody")
    body = {"name": "kim", "roles": [], "password": OTHER_PASSWORD}
    exists = await api.post("/user/save", body, headers={"If-None-Match": "*"})
    nameless = await api.post("/user/save", {"name": "new", "roles": []})

    assert [["kim", "lee"], ["max"]] == [[user["name"] for user in page["items"]] for page in (first, rest)]
    assert (3, None) == (first["total"]["count"], rest["next_page_token"])
    assert ["max"] == [user["name"] for user in found["items"]]
    assert "argon2" not in one.text
    assert (404, "user_not_found") == (absent.status_code, absent.json()["code"])
    assert (409, "user_exists") == (exists.status_code, exists.json()["code"])
    assert (422, "password_required") == (nameless.status_code, nameless.json()["code"])


async def test_without_mongodb_the_admin_token_works_and_sign_in_says_why(
    master_config: MasterConfig, store: EtcdStore
):
    """Rule 2: the token in the file is a way in when nothing else is."""
    uri = "mongodb://127.0.0.1:9/?directConnection=true"
    config = master_config.model_copy(
        update={"mongo_uri": type(master_config.mongo_uri)(uri), "mongo_connect_timeout_ms": 300}
    )
    async with running_api(config, store, needs_history=False) as api:
        jobs = await api.get("/job/list")
        async with browser(api) as page:
            refused = await page.login("kim")
            page.client.cookies.set("everytick_session", "x" * 43)
            unknown = await page.get("/job/list")
            state = await page.get("/auth/state")

    assert 200 == jobs.status_code
    assert (503, 503, 200) == (refused.status_code, unknown.status_code, state.status_code)
    assert "MongoDB" in refused.json()["detail"]
    assert (None, False) == (state.json()["setup_needed"], state.json()["signed_in"])
    assert [("etcd", "ok"), ("mongodb", "does not answer")] == [
        (check["name"], check["detail"]) for check in state.json()["checks"]
    ]


async def test_the_sign_in_page_learns_the_master_s_time(api: RunningApi):
    """A browser compares its own clock with it."""
    before = in_milliseconds(datetime.now(UTC))
    async with browser(api) as page:
        state = (await page.get("/auth/state")).json()

    assert before <= datetime.fromisoformat(state["server_time"]) <= datetime.now(UTC)
