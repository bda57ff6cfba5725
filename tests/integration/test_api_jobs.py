"""The API over real etcd and MongoDB: jobs from their first save to their end."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from common.domain.codec import KillRequest, RunRecord, Trigger, decode_cursor, decode_job
from common.domain.execution import Cause
from common.domain.ids import ExecutionId
from common.kv.values import Put
from master.api import schemas
from tests.integration.api_client import ON_SHARED_LOOP, RunningApi

pytestmark = pytest.mark.integration

HELLO = {"name": "hello", "schedule": "*/2 * * * * *", "command": "echo hello"}


async def test_a_saved_job_is_stored_with_its_cursor_and_listed(api: RunningApi):
    """Job and cursor are born in one transaction; the next list shows the job."""
    saved = await api.post("/job/save", HELLO)
    job = saved.json()
    stored = await api.read(api.keys.job("default", "hello"))
    cursor = await api.read(api.keys.cursor(job["uid"]))
    listed = (await api.get("/job/list")).json()

    assert saved.status_code == 200
    assert f'"{job["revision"]}"' == saved.headers["ETag"]
    assert job["uid"] == decode_job(stored.key, stored.value).uid
    assert stored.mod_revision == cursor.mod_revision
    assert datetime.fromisoformat(job["changed_at"]).replace(microsecond=0) == decode_cursor(
        cursor.key, cursor.value
    )
    assert [job["uid"]] == [item["uid"] for item in listed["items"]]


async def test_a_change_keeps_identity_and_cursor(api: RunningApi):
    """A later version has the same uid, one more generation, and leaves the cursor alone."""
    first = (await api.post("/job/save", HELLO)).json()
    cursor = await api.read(api.keys.cursor(first["uid"]))
    second = (await api.post("/job/save", {**HELLO, "command": "echo changed"})).json()

    assert (first["uid"], 2, "echo changed") == (second["uid"], second["generation"], second["command"])
    assert cursor == await api.read(api.keys.cursor(first["uid"]))


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        pytest.param({"schedule": "61 * * * *"}, "/schedule", "minute: 61", id="minute out of range"),
        pytest.param({"schedule": "0 0 31 2 *"}, "/schedule", "never comes due", id="31 February"),
        pytest.param({"schedule": "* " * 100}, "/schedule", "128", id="schedule too long"),
        pytest.param({"timezone": "Europe/Berln"}, "/timezone", "Europe/Berlin", id="zone misspelt"),
        pytest.param({"command": "x" * 40_000}, "/command", "32768", id="command too long"),
        pytest.param({"command": None}, "/command", "needs", id="command missing"),
        pytest.param({"retry": {"max_attempts": 0}}, "/retry/max_attempts", "greater", id="nested field"),
        pytest.param({"env": {"A": 5}}, "/env/A", "string", id="inside a union"),
        pytest.param({"colour": "red"}, "/colour", "not a field", id="unknown field"),
        pytest.param({"name": "list"}, "/name", "word of the API", id="reserved name"),
        pytest.param({"name": "No Spaces"}, "/name", "a-z", id="name with blanks"),
        pytest.param(
            {"env": {"S": {"secret": True, "value": "********"}}}, "/env/S", "none", id="mask of nothing"
        ),
    ],
)
async def test_a_wrong_field_is_refused_and_named(
    shared_api: RunningApi, change: dict[str, object], pointer: str, words: str
):
    """422 with a pointer to the field and the reason; nothing is stored."""
    answer = await shared_api.post("/job/save", HELLO | change)
    problem = answer.json()
    errors = {error["pointer"]: error["detail"] for error in problem["errors"]}

    assert 422 == answer.status_code
    assert "application/problem+json" == answer.headers["Content-Type"]
    assert pointer in errors
    assert words in errors[pointer]
    assert 0 == (await shared_api.get("/job/list")).json()["total"]["count"]


async def test_a_save_of_an_old_version_is_refused_with_the_present_one(api: RunningApi):
    """412 carries the version that is stored, so that a client can compare."""
    first = (await api.post("/job/save", HELLO)).json()
    second = (await api.post("/job/save", {**HELLO, "command": "echo two"})).json()
    etag = {"If-Match": f'"{first["revision"]}"'}
    refused = await api.post("/job/save", {**HELLO, "command": "echo three"}, headers=etag)

    assert 412 == refused.status_code
    assert "revision_conflict" == refused.json()["code"]
    assert second["revision"] == refused.json()["current"]["revision"]
    assert "echo two" == refused.json()["current"]["command"]
    assert f'"{second["revision"]}"' == refused.headers["ETag"]


async def test_create_only_refuses_an_existing_job(api: RunningApi):
    """`If-None-Match: *` never changes a job."""
    await api.post("/job/save", HELLO)
    refused = await api.post("/job/save", HELLO, headers={"If-None-Match": "*"})

    assert (409, "job_exists") == (refused.status_code, refused.json()["code"])


async def test_secrets_are_masked_and_kept(api: RunningApi):
    """A secret value is shown to nobody; sending the mask back keeps it."""
    env = {"TOKEN": {"secret": True, "value": "hunter2"}, "PLAIN": "x"}
    saved = await api.post("/job/save", {**HELLO, "env": env})
    again = await api.post("/job/save", {**HELLO, "env": saved.json()["env"], "description": "new"})
    shown = [saved.text, again.text, (await api.get("/job/hello")).text, (await api.get("/job/list")).text]
    stored = await api.read(api.keys.job("default", "hello"))
    spec = decode_job(stored.key, stored.value)

    assert [] == [text for text in shown if "hunter2" in text]
    assert {"secret": True, "value": "********"} == again.json()["env"]["TOKEN"]
    assert "hunter2" == spec.model_dump()["env"]["TOKEN"]["value"]


async def test_disable_and_enable(api: RunningApi):
    """A disabled job has no next tick; a pause with an end stays enabled and resumes by itself."""
    await api.post("/job/save", HELLO)
    disabled = (await api.post("/job/disable/hello")).json()
    enabled = (await api.post("/job/enable/hello")).json()
    until = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    paused = (await api.post("/job/disable/hello", {"until": until.isoformat()})).json()

    assert (False, True, None) == (
        disabled["enabled"],
        disabled["state"]["paused"],
        disabled["state"]["next_tick"],
    )
    assert (True, False) == (enabled["enabled"], enabled["state"]["paused"])
    assert (True, True) == (paused["enabled"], paused["state"]["paused"])
    assert until <= datetime.fromisoformat(paused["state"]["next_tick"])


async def test_an_unreadable_job_is_seen_and_can_be_overwritten_and_deleted(api: RunningApi):
    """Situation 37: what is stored by hand and broken is quarantined, alone."""
    await api.post("/job/save", HELLO)
    await api.store.txn(
        puts=[
            Put(api.keys.job("default", "broken"), b"not json"),
            Put(api.keys.job("default", "other"), b'{"v": 9}'),
        ]
    )
    await api.until(lambda: api.services.catalog.peek("default", "other") is not None)
    quarantined = (await api.get("/job/list", status="quarantined")).json()["items"]
    overwritten = await api.post("/job/save", {**HELLO, "name": "broken"})
    deleted = await api.delete("/job/other")
    names = [item["name"] for item in (await api.get("/job/list")).json()["items"]]

    assert ["broken", "other"] == [item["name"] for item in quarantined]
    assert all(item["state"]["quarantined"] for item in quarantined)
    assert (200, 204) == (overwritten.status_code, deleted.status_code)
    assert ["broken", "hello"] == names


async def test_delete_takes_cursor_and_triggers_along(api: RunningApi):
    """Nothing of a deleted job stays in etcd but what runs."""
    job = (await api.post("/job/save", HELLO)).json()
    await api.post("/job/run/hello")
    deleted = await api.delete("/job/hello")
    left = [kv.key for kv in (await api.store.list(api.keys.prefix)).items if job["uid"] in kv.key]

    assert 204 == deleted.status_code
    assert [] == left
    assert 404 == (await api.get("/job/hello")).status_code


async def test_run_now_leaves_a_trigger_and_is_idempotent(api: RunningApi):
    """The same Idempotency-Key answers the same execution; another body under it is refused."""
    job = (await api.post("/job/save", HELLO)).json()
    key = {"Idempotency-Key": "once"}
    first = await api.post("/job/run/hello", {"parameters": {"day": "1"}}, headers=key)
    again = await api.post("/job/run/hello", {"parameters": {"day": "1"}}, headers=key)
    other = await api.post("/job/run/hello", {"parameters": {"day": "2"}}, headers=key)
    triggers = await api.store.list(api.keys.triggers_of(job["uid"]))
    trigger = Trigger.decode(triggers.items[0].key, triggers.items[0].value)

    assert (202, first.json()) == (again.status_code, again.json())
    assert 1 == len(triggers.items)
    assert f"{job['uid']}.m{first.json()['trigger_id']}.1" == first.json()["execution_id"]
    assert (Cause.MANUAL, {"day": "1"}, "admin") == (trigger.cause, trigger.parameters, trigger.requested_by)
    assert triggers.items[0].lease != 0
    assert (409, "idempotency_key_reused") == (other.status_code, other.json()["code"])


async def test_kill_leaves_a_request_for_each_running_execution(api: RunningApi):
    """The request names the execution and nothing else; a job at rest has none to kill."""
    job = (await api.post("/job/save", HELLO)).json()
    nothing = await api.post("/job/kill/hello")
    execution = ExecutionId.of_tick(job["uid"], 1_774_744_200)
    await api.put_run(execution, "hello")
    killed = await api.post("/job/kill/hello")
    one = await api.post(f"/execution/{execution}/kill")
    request = await api.read(api.keys.kill(execution))

    assert {"requested": []} == nothing.json()
    assert (202, {"requested": [str(execution)]}) == (killed.status_code, killed.json())
    assert 202 == one.status_code
    assert "admin" == KillRequest.decode(request.key, request.value).requested_by


async def test_lists_page_filter_and_order(api: RunningApi):
    """Pages follow each other without a gap; a token of another query is refused."""
    for number in range(7):
        job = {**HELLO, "name": f"job-{number}", "labels": {"team": "a" if number % 2 else "b"}}
        await api.post("/job/save", job)
    first = (await api.get("/job/list", page_size=3)).json()
    second = (await api.get("/job/list", page_size=3, page_token=first["next_page_token"])).json()
    third = (await api.get("/job/list", page_size=3, page_token=second["next_page_token"])).json()
    foreign = await api.get("/job/list", page_size=3, q="x", page_token=first["next_page_token"])
    team = (await api.get("/job/list", label="team=a", order_by="-name")).json()

    assert [f"job-{number}" for number in range(7)] == [
        item["name"] for page in (first, second, third) for item in page["items"]
    ]
    assert third["next_page_token"] is None
    assert {"count": 7, "is_exact": True} == first["total"]
    assert (422, "invalid_page_token") == (foreign.status_code, foreign.json()["code"])
    assert ["job-5", "job-3", "job-1"] == [item["name"] for item in team["items"]]


async def test_answers_fit_their_models(api: RunningApi):
    """Answers are not validated on their way out, so they are here."""
    await api.post("/job/save", HELLO)
    await api.store.txn(puts=[Put(api.keys.job("default", "broken"), b"{}")])
    await api.until(lambda: api.services.catalog.peek("default", "broken") is not None)
    preview = {"schedule": "30 2 * * *", "timezone": "Europe/Berlin", "count": 50}
    answers = [
        (schemas.JobDetail, await api.get("/job/hello")),
        (schemas.JobPage, await api.get("/job/list")),
        (schemas.WorkerPage, await api.get("/worker/list")),
        (schemas.WorkerStats, await api.get("/worker/stats")),
        (schemas.Version, await api.get("/version")),
        (schemas.SchedulePreview, await api.post("/schedule/preview", preview)),
        (schemas.LedgerPage, await api.get("/job/hello/ledger")),
        (schemas.Explain, await api.get("/job/hello/explain", tick="2038-01-01T00:00:00Z")),
        (schemas.JobStatistics, await api.get("/log/stats/hello")),
        (schemas.ExecutionPage, await api.get("/log/list")),
    ]

    for model, answer in answers:
        TypeAdapter(model).validate_json(json.dumps(answer.json()))
    assert [200] * len(answers) == [answer.status_code for _, answer in answers]


async def test_a_claimed_execution_is_visible_before_its_first_record(api: RunningApi):
    """Between claim and first record the run record in etcd speaks."""
    job = (await api.post("/job/save", HELLO)).json()
    execution = ExecutionId.of_tick(job["uid"], 1_774_744_200)
    record: RunRecord = await api.put_run(execution, "hello")
    listed = (await api.get("/log/list", job="hello")).json()["items"]
    shown = await api.get(f"/execution/{execution}")
    state = (await api.get("/job/hello")).json()["state"]

    assert [(str(execution), "claimed", True)] == [(row["id"], row["status"], row["live"]) for row in listed]
    assert record.worker == TypeAdapter(schemas.Execution).validate_json(shown.text).worker
    assert [str(execution)] == state["running"]
