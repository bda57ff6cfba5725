"""Rule 7: every route x every role x own and foreign namespace.

A route that names no right fails the first test, one that the tables below do not know fails the second.
Whoever adds a route says here what it needs, and with which request it can be tried.
"""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from common.domain.ids import ExecutionId
from master.api.admission import OPEN_PATHS
from master.api.auth import Needs, NeedsCredential
from master.app import ROUTERS
from master.domain.rights import Right, Role
from tests.integration.api_client import ON_SHARED_LOOP, RunningApi
from tests.integration.people_client import bearer, new_token

OWN, FOREIGN = "shop", "foreign"

#: Need no credential, or one of a caller on the master's own host (`admission.py`).
OPEN: Final = OPEN_PATHS | {"/metrics", "/openapi.json", "/docs", "/docs/manual.js", "/docs/manual.css"}

ROUTES: Final = {
    (method, route.path): route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
}


def deciders(dependant: Dependant) -> list[object]:
    """Every dependency of a route that decides about rights."""
    found: list[object] = [dependant.call] if isinstance(dependant.call, Needs | NeedsCredential) else []
    return found + [decider for inner in dependant.dependencies for decider in deciders(inner)]


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_every_route_names_what_it_needs(method: str, path: str):
    """A right, or that somebody has come in at all; else it stands in the list of open ones."""
    found = deciders(ROUTES[method, path].dependant)

    assert (path in OPEN) is (not found)


@dataclass(frozen=True)
class Try:
    """
    A request that succeeds with the right, and what it answers without.

    Attributes:
        right: None for what everybody may do about themselves.
        body: `NS` in it, and in the path, is the namespace.
        by_id: The namespace is found out; who has the right nowhere is told so before that.
        everywhere: It is about the whole installation.
        refuses_foreign: Nothing is looked up: a foreign namespace is 403.
        hides: A foreign namespace is answered with 404; False for lists, which leave it out.
    """

    right: Right | None
    path: str
    body: Any = None
    good: tuple[int, ...] = (200,)
    hides: bool = True
    refuses_foreign: bool = False
    everywhere: bool = False
    by_id: bool = False


JOB: Final = {"name": "saved", "namespace": "NS", "command": "true"}
TRIES: Final[dict[tuple[str, str], Try]] = {
    ("POST", "/api/v1/job/save"): Try(Right.EDIT, "/job/save", JOB, refuses_foreign=True),
    ("GET", "/api/v1/job/list"): Try(Right.SEE, "/job/list?namespace=NS", hides=False),
    ("GET", "/api/v1/job/{name}"): Try(Right.SEE, "/job/a?namespace=NS"),
    ("DELETE", "/api/v1/job/{name}"): Try(Right.EDIT, "/job/gone?namespace=NS", good=(204, 404)),
    ("POST", "/api/v1/job/run/{name}"): Try(Right.OPERATE, "/job/run/a?namespace=NS", good=(202,)),
    ("POST", "/api/v1/job/kill/{name}"): Try(Right.OPERATE, "/job/kill/a?namespace=NS", good=(202,)),
    ("POST", "/api/v1/job/disable/{name}"): Try(Right.OPERATE, "/job/disable/a?namespace=NS"),
    ("POST", "/api/v1/job/enable/{name}"): Try(Right.OPERATE, "/job/enable/a?namespace=NS"),
    ("GET", "/api/v1/job/{name}/ledger"): Try(Right.SEE, "/job/a/ledger?namespace=NS"),
    ("GET", "/api/v1/job/{name}/explain"): Try(Right.SEE, "/job/a/explain?namespace=NS&tick=4102444800"),
    ("POST", "/api/v1/schedule/preview"): Try(
        Right.SEE, "/schedule/preview", {"schedule": "@daily", "namespace": "NS", "name": "a"}, hides=False
    ),
    ("GET", "/api/v1/log/list"): Try(Right.SEE, "/log/list?namespace=NS", hides=False),
    ("GET", "/api/v1/log/histogram"): Try(Right.SEE, "/log/histogram?namespace=NS", hides=False),
    ("GET", "/api/v1/log/{name}"): Try(Right.SEE, "/log/a?namespace=NS"),
    ("GET", "/api/v1/log/stats/{name}"): Try(Right.SEE, "/log/stats/a?namespace=NS"),
    ("GET", "/api/v1/execution/{execution_id}"): Try(Right.SEE, "/execution/NS.1774746000.1"),
    ("GET", "/api/v1/execution/{execution_id}/output"): Try(Right.SEE, "/execution/NS.1774746000.1/output"),
    ("POST", "/api/v1/execution/{execution_id}/kill"): Try(
        Right.OPERATE, "/execution/NS.1774746000.1/kill", good=(202,), by_id=True
    ),
    # It still runs, which is found out behind the decision.
    ("POST", "/api/v1/execution/{execution_id}/retry"): Try(
        Right.OPERATE, "/execution/NS.1774746000.1/retry", good=(409,), by_id=True
    ),
    ("GET", "/api/v1/worker/list"): Try(Right.SEE, "/worker/list", hides=False),
    ("GET", "/api/v1/worker/stats"): Try(Right.SEE, "/worker/stats", hides=False),
    ("GET", "/api/v1/worker/{worker_id}"): Try(Right.SEE, "/worker/absent", good=(404,), hides=False),
    # No worker is there, which is found out behind the decision.
    ("GET", "/api/v1/worker/{worker_id}/metrics"): Try(
        Right.SEE, "/worker/absent/metrics", good=(404,), hides=False
    ),
    ("GET", "/api/v1/worker/{worker_id}/jobs"): Try(
        Right.SEE, "/worker/absent/jobs", good=(404,), hides=False
    ),
    ("GET", "/api/v1/worker/{worker_id}/log"): Try(Right.SEE, "/worker/absent/log", good=(404,), hides=False),
    ("GET", "/api/v1/worker/setup"): Try(Right.ADMINISTER, "/worker/setup", everywhere=True),
    ("POST", "/api/v1/worker/{worker_id}/drain"): Try(
        Right.ADMINISTER, "/worker/absent/drain", good=(404,), everywhere=True
    ),
    ("POST", "/api/v1/worker/{worker_id}/resume"): Try(
        Right.ADMINISTER, "/worker/absent/resume", good=(404,), everywhere=True
    ),
    ("DELETE", "/api/v1/worker/{worker_id}"): Try(
        Right.ADMINISTER, "/worker/absent", good=(404,), everywhere=True
    ),
    ("GET", "/api/v1/cluster"): Try(Right.ADMINISTER, "/cluster", everywhere=True),
    ("GET", "/api/v1/version"): Try(Right.SEE, "/version", hides=False),
    ("GET", "/api/v1/job/{name}/audit"): Try(Right.SEE, "/job/a/audit?namespace=NS"),
    ("GET", "/api/v1/job/{name}/versions"): Try(Right.SEE, "/job/a/versions?namespace=NS"),
    ("GET", "/api/v1/job/{name}/workers"): Try(Right.SEE, "/job/a/workers?namespace=NS"),
    ("POST", "/api/v1/job/{name}/revert"): Try(
        Right.EDIT, "/job/a/revert?namespace=NS", {"generation": 999}, good=(404, 409)
    ),
    ("POST", "/api/v1/job/check"): Try(Right.SEE, "/job/check", {"definition": JOB}, hides=False),
    ("POST", "/api/v1/job/test-run"): Try(
        Right.EDIT, "/job/test-run", {"definition": JOB}, good=(202,), refuses_foreign=True
    ),
    # The answer has a result for each of many; which of them are refused is tried with the batches.
    ("POST", "/api/v1/job/batch"): Try(
        Right.SEE, "/job/batch", {"action": "enable", "jobs": [{"namespace": "NS", "name": "a"}]}, hides=False
    ),
    ("POST", "/api/v1/execution/batch"): Try(
        Right.OPERATE,
        "/execution/batch",
        {"action": "kill", "ids": ["NS.1774746000.1"]},
        hides=False,
        by_id=True,
    ),
    ("GET", "/api/v1/overview"): Try(Right.SEE, "/overview?namespace=NS", hides=False),
    ("GET", "/api/v1/timeline"): Try(Right.SEE, "/timeline?namespace=NS", hides=False),
    ("GET", "/api/v1/audit/list"): Try(Right.ADMINISTER, "/audit/list?namespace=NS", everywhere=True),
    ("GET", "/api/v1/audit/verify"): Try(Right.ADMINISTER, "/audit/verify", everywhere=True),
    ("GET", "/api/v1/auth/me"): Try(None, "/auth/me"),
    ("POST", "/api/v1/auth/logout"): Try(None, "/auth/logout", good=(204,)),
    # For people who signed in, and for the admin token: no API token gets further, whatever its role.
    ("POST", "/api/v1/auth/password"): Try(None, "/auth/password", {"current": "x", "new": "x"}, good=(403,)),
    ("POST", "/api/v1/auth/setup-token"): Try(None, "/auth/setup-token", good=(403,)),
    ("GET", "/api/v1/token/list"): Try(None, "/token/list"),
    # A token with the least one may have.
    ("POST", "/api/v1/token/create"): Try(
        None, "/token/create", {"name": "t", "role": "viewer", "namespaces": [OWN], "expires_in_days": 1}
    ),
    ("DELETE", "/api/v1/token/{token_id}"): Try(None, "/token/absent", good=(404,)),
    ("GET", "/api/v1/user/list"): Try(Right.ADMINISTER, "/user/list", everywhere=True),
    ("GET", "/api/v1/user/{name}"): Try(Right.ADMINISTER, "/user/kim", good=(404,), everywhere=True),
    ("POST", "/api/v1/user/save"): Try(
        Right.ADMINISTER, "/user/save", {"name": "kim", "roles": []}, good=(422,), everywhere=True
    ),
    ("DELETE", "/api/v1/user/{name}"): Try(Right.ADMINISTER, "/user/kim", good=(404,), everywhere=True),
    ("POST", "/api/v1/user/{name}/password"): Try(
        Right.ADMINISTER,
        "/user/kim/password",
        {"new": "plum-ladder-cobalt-9"},
        good=(404,),
        everywhere=True,
    ),
    ("POST", "/api/v1/user/{name}/disable"): Try(
        Right.ADMINISTER, "/user/kim/disable", good=(404,), everywhere=True
    ),
    ("POST", "/api/v1/user/{name}/enable"): Try(
        Right.ADMINISTER, "/user/kim/enable", good=(404,), everywhere=True
    ),
    ("POST", "/api/v1/user/{name}/sign-out"): Try(
        Right.ADMINISTER, "/user/kim/sign-out", good=(404,), everywhere=True
    ),
}
#: Walked elsewhere: a stream does not end by itself.
TRIED_ELSEWHERE: Final = {("GET", "/api/v1/events")}


def test_every_route_is_tried():
    """What the walk does not know it cannot hold against the rights."""
    closed = {(method, path) for method, path in ROUTES if path not in OPEN}

    assert closed == set(TRIES) | TRIED_ELSEWHERE


@dataclass
class Walk:
    """An installation with one running job in each namespace, and one client per role."""

    api: RunningApi
    clients: dict[tuple[Role, bool], httpx2.AsyncClient]
    """By role, and whether it has it everywhere or in OWN alone."""


@asynccontextmanager
async def walking(api: RunningApi) -> AsyncIterator[Walk]:
    for namespace in (OWN, FOREIGN):
        saved = await api.post("/job/save", {"name": "a", "namespace": namespace, "command": "true"})
        assert saved.status_code == 200, saved.text
        await api.put_run(ExecutionId.of_tick(namespace, 1774746000), "a", namespace=namespace)
    # Whoever runs them is alive: the master would close them otherwise.
    await api.put_health("w1")
    async with AsyncExitStack() as stack:
        clients = {}
        for role in Role:
            for is_everywhere in (False, True):
                token = await new_token(api, role, None if is_everywhere else [OWN])
                clients[role, is_everywhere] = await stack.enter_async_context(bearer(api, token))
        yield Walk(api, clients)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_walk(shared_master: RunningApi) -> AsyncIterator[Walk]:
    """For the rows of the table: what one of them leaves behind changes no other's answers."""
    await shared_master.wake()
    async with walking(shared_master) as started:
        yield started


@pytest.fixture
async def walk(api: RunningApi) -> AsyncIterator[Walk]:
    """Where it matters what is there."""
    async with walking(api) as started:
        yield started


async def ask(walk: Walk, method: str, route: Try, role: Role, is_everywhere: bool, namespace: str) -> int:
    body = None
    if method == "POST":
        body = json.loads(json.dumps(route.body or {}).replace("NS", namespace))
    path = f"/api/v1{route.path.replace('NS', namespace)}"
    answer = await walk.clients[role, is_everywhere].request(method, path, json=body)
    return answer.status_code


def expected(route: Try, role: Role, is_everywhere: bool, namespace: str) -> set[int]:
    """What a role is answered, from the tables alone."""
    if route.right is None:
        return set(route.good)
    reaches = is_everywhere or (namespace == OWN and not route.everywhere)
    if route.right in role.rights and reaches:
        return set(route.good)
    has_it_nowhere = route.by_id and route.right not in role.rights
    if route.everywhere or namespace == OWN or is_everywhere or route.refuses_foreign or has_it_nowhere:
        return {403}
    if not route.hides:
        return set(route.good)
    # A foreign namespace looks like one that does not exist.
    return {404}


@ON_SHARED_LOOP
@pytest.mark.parametrize(("method", "path"), sorted(TRIES))
async def test_walk(shared_walk: Walk, method: str, path: str):
    """Allowed exactly where the role's rights reach; a foreign namespace is 404, a missing right 403."""
    route = TRIES[method, path]
    wrong = [
        (role.value, "everywhere" if is_everywhere else "in its namespace", namespace, status)
        for role in Role
        for is_everywhere in (False, True)
        for namespace in (OWN, FOREIGN)
        if (status := await ask(shared_walk, method, route, role, is_everywhere, namespace))
        not in expected(route, role, is_everywhere, namespace)
    ]

    assert [] == wrong


async def test_lists_never_show_a_foreign_namespace(walk: Walk):
    """Jobs, executions and their totals, with and without the filter; what does not exist looks the same."""
    client = walk.clients[Role.ADMIN, False]
    seen = {}
    for path in ("/job/list", "/log/list"):
        for query in ("", f"?namespace={OWN}", f"?namespace={FOREIGN}", "?namespace=nowhere"):
            page = (await client.get(f"/api/v1{path}{query}")).json()
            seen[path + query] = ([item["namespace"] for item in page["items"]], page["total"]["count"])

    assert {
        f"{path}{query}": ([OWN], 1) if query in ("", f"?namespace={OWN}") else ([], 0)
        for path in ("/job/list", "/log/list")
        for query in ("", f"?namespace={OWN}", f"?namespace={FOREIGN}", "?namespace=nowhere")
    } == seen


async def test_a_foreign_thing_is_answered_like_a_missing_one(walk: Walk):
    """Word for word, so that nobody can find out what exists."""
    client = walk.clients[Role.EDITOR, False]
    pairs = [
        (f"/job/a?namespace={FOREIGN}", f"/job/b?namespace={FOREIGN}"),
        (f"/execution/{FOREIGN}.1774746000.1", f"/execution/{FOREIGN}.1774746001.1"),
        (f"/log/a?namespace={FOREIGN}", f"/log/b?namespace={FOREIGN}"),
    ]
    for there, missing in pairs:
        answers = [(await client.get(f"/api/v1{path}")).json() for path in (there, missing)]
        details = [
            answer["detail"].replace("1774746001", "1774746000").replace("/b", "/a") for answer in answers
        ]

        assert details[0] == details[1]
        assert answers[0]["code"] == answers[1]["code"]


async def test_workers_do_not_tell_of_foreign_executions(walk: Walk):
    """The count of what runs is that of one's own namespaces."""
    counts = {}
    for is_everywhere in (False, True):
        client = walk.clients[Role.VIEWER, is_everywhere]
        listed = (await client.get("/api/v1/worker/list")).json()["items"]
        stats = (await client.get("/api/v1/worker/stats")).json()
        counts[is_everywhere] = ([worker["running"] for worker in listed], stats["running"])

    assert {False: ([1], 1), True: ([2], 2)} == counts
