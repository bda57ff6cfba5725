"""The API over real etcd and MongoDB: versions, batches, checks, and the workers a job fits."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.codec import WorkerHealth, decode_job
from common.domain.ids import ExecutionId
from common.domain.records import JOB_VERSIONS
from common.kv.etcd import EtcdStore
from common.kv.values import Put
from master.api import schemas_jobs
from master.config import MasterConfig
from tests.integration.api_client import ON_SHARED_LOOP, RunningApi, running_api

pytestmark = pytest.mark.integration

Database = AsyncDatabase[dict[str, Any]]
HELLO = {"name": "hello", "schedule": "*/2 * * * * *", "command": "echo hello"}
SECRET = {"TOKEN": {"secret": True, "value": "hunter2"}}


async def put_worker(api: RunningApi, worker_id: str, **fields: Any) -> None:
    health = WorkerHealth(
        worker=worker_id, session="s1", executors=("shell",), started_at=datetime.now(UTC), **fields
    )
    await api.store.txn(puts=[Put(api.keys.health(worker_id), health.encode())])
    await api.until(lambda: api.services.roster.is_live(worker_id))


async def test_every_save_is_a_version_with_its_changes(api: RunningApi):
    """Newest first: who, what it changed, which one is current; a changed secret is seen and not shown."""
    await api.post("/job/save", {**HELLO, "env": SECRET})
    await api.post("/job/save", {**HELLO, "env": {"TOKEN": {"secret": True, "value": "other"}}})
    await api.post("/job/disable/hello")
    answer = await api.get("/job/hello/versions")
    page = TypeAdapter(schemas_jobs.JobVersionPage).validate_json(answer.text)

    assert [(3, True), (2, False), (1, False)] == [(item.generation, item.is_current) for item in page.items]
    assert [["/enabled"], ["/env/TOKEN"], []] == [
        [change.pointer for change in item.changes] for item in page.items
    ]
    assert (True, False) == (page.items[0].changes[0].before, page.items[0].changes[0].after)
    assert "admin" == page.items[0].changed_by
    assert "hunter2" not in answer.text
    assert "other" not in answer.text


async def test_versions_come_in_pages(api: RunningApi):
    """Each page knows what its last version changed, though the one before is on the next page."""
    for number in range(5):
        await api.post("/job/save", {**HELLO, "description": str(number)})
    first = (await api.get("/job/hello/versions", page_size=2)).json()
    second = (await api.get("/job/hello/versions", page_size=2, page_token=first["next_page_token"])).json()

    assert [5, 4, 3, 2] == [item["generation"] for item in first["items"] + second["items"]]
    assert all(item["changes"] for item in first["items"] + second["items"])
    assert 5 == first["total"]["count"]


async def test_revert_saves_the_old_definition_with_its_secrets(api: RunningApi):
    """A new version that equals the old one, values nobody is shown included."""
    await api.post("/job/save", {**HELLO, "env": SECRET})
    await api.post("/job/save", {**HELLO, "command": "echo changed"})
    reverted = await api.post("/job/hello/revert", {"generation": 1})
    stored = await api.read(api.keys.job("default", "hello"))
    spec = decode_job(stored.key, stored.value)

    assert (200, 3, "echo hello") == (
        reverted.status_code,
        reverted.json()["generation"],
        reverted.json()["command"],
    )
    assert "hunter2" == spec.model_dump()["env"]["TOKEN"]["value"]
    assert "hunter2" not in reverted.text


async def test_revert_is_refused_where_a_save_would_be(api: RunningApi):
    """An older revision is a 412 with the present job; a version nobody kept and a job nobody has are 404."""
    first = (await api.post("/job/save", HELLO)).json()
    await api.post("/job/save", {**HELLO, "command": "echo two"})
    etag = {"If-Match": f'"{first["revision"]}"'}
    conflict = await api.post("/job/hello/revert", {"generation": 1}, headers=etag)
    no_version = await api.post("/job/hello/revert", {"generation": 9})
    no_job = await api.post("/job/nobody/revert", {"generation": 1})
    wrong = await api.post("/job/hello/revert", {"generation": 0})

    assert (412, "echo two") == (conflict.status_code, conflict.json()["current"]["command"])
    assert (404, "version_not_found") == (no_version.status_code, no_version.json()["code"])
    assert (404, "job_not_found") == (no_job.status_code, no_job.json()["code"])
    assert (422, "/generation") == (wrong.status_code, wrong.json()["errors"][0]["pointer"])


async def test_a_version_that_was_never_written_is_found_by_comparing(
    master_config: MasterConfig, store: EtcdStore, mongo_database: Database, monkeypatch: pytest.MonkeyPatch
):
    """A master that died between etcd and MongoDB loses no present version: any other one writes it."""
    monkeypatch.setattr("master.services.job_versions._COMPARE_EVERY_S", 0.5)
    async with running_api(master_config, store) as api:
        saved = (await api.post("/job/save", HELLO)).json()
        await mongo_database[JOB_VERSIONS].delete_many({})
    await mongo_database[JOB_VERSIONS].delete_many({})
    async with running_api(master_config, store), asyncio.timeout(10):
        while await mongo_database[JOB_VERSIONS].count_documents({"_id": f"{saved['uid']}.1"}) == 0:  # noqa: ASYNC110 - MongoDB has no event
            await asyncio.sleep(0.1)


async def test_a_batch_answers_for_each_job(api: RunningApi):
    """What can be done is done; what cannot is told for that job alone."""
    for name in ("one", "two"):
        await api.post("/job/save", {**HELLO, "name": name})
    jobs = [{"name": "one"}, {"name": "nobody"}, {"namespace": "default", "name": "two"}]
    disabled = await api.post("/job/batch", {"action": "disable", "jobs": jobs})
    ran = await api.post("/job/batch", {"action": "run", "jobs": jobs})
    killed = await api.post("/job/batch", {"action": "kill", "jobs": jobs[:1]})
    deleted = await api.post("/job/batch", {"action": "delete", "jobs": jobs})
    left = (await api.get("/job/list")).json()["total"]["count"]
    items = TypeAdapter(schemas_jobs.JobBatchResult).validate_json(ran.text).items

    assert [True, False, True] == [item["ok"] for item in disabled.json()["items"]]
    assert "job_not_found" == disabled.json()["items"][1]["code"]
    assert [True, False, True] == [item.execution_id is not None for item in items]
    assert [True] == [item["ok"] for item in killed.json()["items"]]
    assert ([True, False, True], 0) == ([item["ok"] for item in deleted.json()["items"]], left)


async def test_a_thousand_jobs_are_switched_in_seconds(api: RunningApi):
    """Bounded side by side: the batch is limited by etcd, not by one round trip after the other."""
    names = [f"job-{number}" for number in range(300)]
    for name in names:
        await api.post("/job/save", {**HELLO, "name": name})
    async with asyncio.timeout(20):
        answer = await api.post(
            "/job/batch", {"action": "disable", "jobs": [{"name": name} for name in names]}
        )

    assert all(item["ok"] for item in answer.json()["items"])


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"action": "explode", "jobs": [{"name": "a"}]}, "/action", id="no such action"),
        pytest.param({"action": "run", "jobs": []}, "/jobs", id="no job"),
        pytest.param({"action": "run", "jobs": [{"name": "a"}] * 1001}, "/jobs", id="too many"),
        pytest.param({"action": "run", "jobs": [{"name": "A b"}]}, "/jobs/0/name", id="no name"),
    ],
)
async def test_a_wrong_batch_is_refused_as_a_whole(
    shared_api: RunningApi, body: dict[str, Any], pointer: str
):
    """422 with a pointer; nothing is done."""
    refused = await shared_api.post("/job/batch", body)

    assert 422 == refused.status_code
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]


async def test_executions_in_a_batch(api: RunningApi):
    """A kill of what runs is done; what is not known is told for that one alone."""
    job = (await api.post("/job/save", HELLO)).json()
    execution = ExecutionId.of_tick(job["uid"], 1_774_744_200)
    await api.put_run(execution, "hello")
    ids = [str(execution), "abcdefgh.1774744200.1", "nonsense"]
    killed = (await api.post("/execution/batch", {"action": "kill", "ids": ids})).json()["items"]
    retried = (await api.post("/execution/batch", {"action": "retry", "ids": ids[:1]})).json()["items"]

    assert [(True, None), (False, "execution_not_found"), (False, "invalid_input")] == [
        (item["ok"], item["code"]) for item in killed
    ]
    assert [(False, "conflict")] == [(item["ok"], item["code"]) for item in retried]


async def test_a_definition_is_checked_without_being_saved(api: RunningApi):
    """Problems are an answer: all of them, with pointers into the definition."""
    await put_worker(api, "w1", labels={"zone": "a"})
    good = (await api.post("/job/check", {"definition": HELLO})).json()
    pinned = {**HELLO, "target": {"labels": {"zone": "b"}}}
    nowhere = (await api.post("/job/check", {"definition": pinned})).json()
    several = {"name": "No", "schedule": "* * * * *", "colour": "red", "command": "x"}
    wrong = (await api.post("/job/check", {"definition": several})).json()
    schedule = (await api.post("/job/check", {"definition": {**HELLO, "schedule": "61 * * * *"}})).json()
    mask = {**HELLO, "env": {"S": {"secret": True, "value": "********"}}}
    masked = (await api.post("/job/check", {"definition": mask})).json()

    assert (True, ["w1"], 1, []) == (
        good["ok"],
        good["eligible_workers"],
        good["live_workers"],
        good["problems"],
    )
    assert (True, [], ["no_eligible_worker"]) == (
        nowhere["ok"],
        nowhere["eligible_workers"],
        [warning["code"] for warning in nowhere["warnings"]],
    )
    assert (False, {"/name", "/colour"}) == (
        wrong["ok"],
        {problem["pointer"] for problem in wrong["problems"]},
    )
    assert ["/schedule"] == [problem["pointer"] for problem in schedule["problems"]]
    assert ["/env/S"] == [problem["pointer"] for problem in masked["problems"]]
    assert 0 == (await api.get("/job/list")).json()["total"]["count"]


async def test_the_workers_of_a_job_are_ranked_and_reasoned(api: RunningApi):
    """Those that may run it in the order in which they try; the others with every reason."""
    await put_worker(api, "w1", labels={"zone": "a"})
    await put_worker(api, "w2", labels={"zone": "a"}, claims_paused="its clock is off")
    await put_worker(api, "w3", labels={"zone": "b"}, status="draining")
    await api.post("/job/save", {**HELLO, "target": {"labels": {"zone": "a"}}})
    answer = await api.get("/job/hello/workers")
    items = TypeAdapter(schemas_jobs.JobWorkers).validate_json(answer.text).items

    assert [("w1", True, 0, 0), ("w2", False, None, 1), ("w3", False, None, 2)] == [
        (item.worker, item.eligible, item.rank, len(item.reasons)) for item in items
    ]
    assert 404 == (await api.get("/job/nobody/workers")).status_code
