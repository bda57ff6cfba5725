"""Security rules 9 and 10: hostile names, specs, queries and texts end as problems, or come back as text."""

from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi.routing import APIRoute

from master.app import ROUTERS
from tests.hostile import JOB, NAMES, QUERIES, SPECS, TEXTS
from tests.integration.api_client import RunningApi

pytestmark = pytest.mark.integration


def fault_of(answer: httpx2.Response, allowed: set[int]) -> str | None:
    """What is wrong with how a request was turned down; None when nothing is."""
    if answer.status_code not in allowed:
        return f"{answer.status_code}"
    if answer.is_success:
        return None
    if answer.headers["Content-Type"] != "application/problem+json":
        return answer.headers["Content-Type"]
    document = answer.json()
    # The pointer of the body as a whole is empty text.
    if answer.status_code == 422 and not document["errors"]:
        return f"no pointer: {document}"
    return "traceback" if "Traceback" in answer.text else None


async def test_hostile_names_are_refused_wherever_a_name_is_taken(api: RunningApi):
    """In the body, in the address, as a namespace; nothing is stored under any of them."""
    faults: dict[str, str | None] = {}
    for kind, name in NAMES.items():
        saved = await api.post("/job/save", JOB | {"name": name})
        spaced = await api.post("/job/save", JOB | {"namespace": name})
        address = f"/api/v1/job/{quote(name, safe='')}"
        got = await api.client.get(address)
        run = await api.client.post(f"/api/v1/job/run/{quote(name, safe='')}")
        looked = await api.get("/job/victim", namespace=name)
        faults[f"save {kind}"] = fault_of(saved, {422})
        faults[f"namespace {kind}"] = fault_of(spaced, {422})
        # An address with an empty or a dotted segment is another address.
        faults[f"get {kind}"] = fault_of(got, {404, 405, 422})
        faults[f"run {kind}"] = fault_of(run, {404, 405, 422})
        faults[f"look {kind}"] = fault_of(looked, {404, 422})
    listed = (await api.get("/job/list")).json()

    wrong = [f"{what}: {fault}" for what, fault in faults.items() if fault]

    assert not wrong, "\n".join(wrong)
    assert 0 == listed["total"]["count"]


async def test_hostile_specs_are_refused_with_a_pointer(api: RunningApi):
    """Also numbers no integer holds, depth, and what the server alone decides."""
    faults: dict[str, str | None] = {}
    for kind, body in SPECS.items():
        answer = await api.client.post(
            "/api/v1/job/save", content=_json(body), headers={"Content-Type": "application/json"}
        )
        checked = await api.client.post(
            "/api/v1/job/check",
            content=_json({"definition": body}),
            headers={"Content-Type": "application/json"},
        )
        faults[f"save {kind}"] = "stored" if answer.is_success else fault_of(answer, {400, 413, 422})
        faults[f"check {kind}"] = "ok" if _passes(checked) else fault_of(checked, {200, 400, 422})
    listed = (await api.get("/job/list")).json()

    wrong = [f"{what}: {fault}" for what, fault in faults.items() if fault]

    assert not wrong, "\n".join(wrong)
    assert 0 == listed["total"]["count"]


async def test_hostile_texts_come_back_as_they_were(api: RunningApi):
    """Nothing is evaluated, stripped or escaped twice; no browser takes the answer for a page."""
    faults: dict[str, object] = {}
    for kind, text in TEXTS.items():
        body = JOB | {"description": text, "command": f"echo {text}", "labels": {"a": text[:100]}}
        saved = await api.post("/job/save", body)
        shown = await api.get("/job/victim")
        if saved.is_error:
            faults[kind] = fault_of(saved, {422})
            continue
        document = shown.json()
        if (text, f"echo {text}") != (document["description"], document["command"]):
            faults[kind] = document
        if ("application/json", "nosniff") != (
            shown.headers["Content-Type"].partition(";")[0],
            shown.headers["X-Content-Type-Options"],
        ):
            faults[kind] = shown.headers

    wrong = [f"{what}: {fault}" for what, fault in faults.items() if fault]

    assert not wrong, "\n".join(wrong)


async def test_hostile_queries_are_answered_or_refused(api: RunningApi):
    """Every query parameter of every route that lists or looks; none is a pattern, an operator or a path."""
    await api.post("/job/save", JOB)
    faults: dict[str, str | None] = {}
    for path, parameter in _query_parameters():
        for kind, value in QUERIES.items():
            answer = await api.client.get(f"{path}?{parameter}={quote(value, safe='%')}")
            faults[f"{path} {parameter} {kind}"] = fault_of(answer, {200, 404, 422})

    wrong = [f"{what}: {fault}" for what, fault in faults.items() if fault]

    assert not wrong, "\n".join(wrong)


async def test_hostile_headers_reach_nobody(api: RunningApi):
    """A request id that is no id is replaced; an ETag that is none is refused; a key may be any text."""
    odd = await api.client.get("/api/v1/job/list", headers={"X-Request-ID": "a b;<script>"})
    etag = await api.post("/job/save", JOB, headers={"If-Match": '"1" OR 1=1'})
    huge = await api.post("/job/save", JOB, headers={"If-Match": f'"{"9" * 19}"'})
    await api.post("/job/save", JOB)
    key = await api.post("/job/run/victim", {}, headers={"Idempotency-Key": "../../x$where"})

    assert "script" not in odd.headers["X-Request-ID"]
    assert (422, 412, 202) == (etag.status_code, huge.status_code, key.status_code)


def _query_parameters() -> list[tuple[str, str]]:
    found = []
    for router in ROUTERS:
        for route in router.routes:
            if not isinstance(route, APIRoute) or "GET" not in route.methods or "/events" in route.path:
                continue
            path = route.path.replace("{name}", "victim").replace("{execution_id}", "a.1.1")
            path = path.replace("{worker_id}", "w1")
            if route.path.startswith("/api/") and "{" not in path and "oidc" not in path:
                found += [(path, field.alias) for field in route.dependant.query_params]
    return found


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode("ascii")


def _passes(answer: httpx2.Response) -> bool:
    return answer.is_success and answer.json()["ok"]
