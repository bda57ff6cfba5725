"""The id of a request in every line it causes."""

import asyncio

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.integration.api_client import RunningApi
from tests.integration.people_client import PASSWORD, browser

pytestmark = pytest.mark.integration


async def test_every_line_of_a_request_carries_its_id(api: RunningApi):
    """Those of services and of the request itself; twenty requests at once do not mix."""
    names = [f"job-{number}" for number in range(20)]
    with capture_logs(processors=[merge_contextvars]) as lines:
        async with asyncio.TaskGroup() as group:
            for name in names:
                body = {"name": name, "command": "true"}
                group.create_task(api.post("/job/save", body, headers={"X-Request-ID": f"of-{name}"}))
    saved = {line["job"]: line["request_id"] for line in lines if line["event"] == "job.saved"}
    served = [line["request_id"] for line in lines if line["event"] == "request.served"]

    assert {name: f"of-{name}" for name in names} == saved
    assert sorted(saved.values()) == sorted(served)


async def test_parts_of_a_batch_and_refusals_carry_it_too(api: RunningApi):
    """Tasks a request starts are part of it; and a sign-in that fails can be found by what the client saw."""
    for name in ("a", "b"):
        await api.post("/job/save", {"name": name, "command": "true"})
    batch = {"action": "run", "jobs": [{"namespace": "default", "name": name} for name in ("a", "b")]}
    with capture_logs(processors=[merge_contextvars]) as lines:
        answer = await api.post("/job/batch", batch)
        async with browser(api) as page:
            refused = await page.login("nobody", PASSWORD)
    by_event = {
        event: {line["request_id"] for line in lines if line["event"] == event}
        for event in ("job.run_requested", "auth.refused")
    }

    assert 2 == sum(line["event"] == "job.run_requested" for line in lines)
    assert {
        "job.run_requested": {answer.headers["X-Request-ID"]},
        "auth.refused": {refused.headers["X-Request-ID"]},
    } == by_event
    assert refused.headers["X-Request-ID"] == refused.json()["request_id"]
