"""The API over real etcd and MongoDB: workers, their curves and log, test runs, the installation."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.codec import DrainOrder, Trigger, WorkerHealth
from common.domain.execution import Cause, Status
from common.domain.ids import ExecutionId
from common.domain.records import WORKER_EVENTS, WORKER_METRICS, WORKERS
from common.kv.values import Put
from master.api import schemas, schemas_overview, schemas_workers
from tests.integration.api_client import ON_SHARED_LOOP, RunningApi, running_api
from tests.integration.test_api_overview import minutes_ago, store

pytestmark = pytest.mark.integration

Database = AsyncDatabase[dict[str, Any]]
HELLO = {"name": "hello", "schedule": "* * * * *", "command": "echo hello"}


async def put_worker(api: RunningApi, worker_id: str, session: str = "s1", **fields: Any) -> None:
    """Play a worker that says this of itself, and wait until the master has heard it."""
    health = WorkerHealth(
        worker=worker_id, session=session, executors=("shell",), started_at=datetime.now(UTC), **fields
    )
    await api.store.txn(puts=[Put(api.keys.health(worker_id), health.encode())])
    await api.until(lambda: api.services.roster.health(worker_id) == health)


async def remove_worker(api: RunningApi, worker_id: str) -> None:
    await api.store.txn(deletes=[api.keys.health(worker_id)])
    await api.until(lambda: not api.services.roster.is_live(worker_id))


async def test_an_order_to_drain_is_a_key_that_stays(api: RunningApi):
    """Who and when; asked twice it is the first order; resume takes it back, also when there is none."""
    await put_worker(api, "w1")
    drained = await api.post("/worker/w1/drain")
    first = await api.read(api.keys.drain("w1"))
    await api.post("/worker/w1/drain")
    second = await api.read(api.keys.drain("w1"))
    resumed = [await api.post("/worker/w1/resume") for _ in range(2)]
    left = await api.store.list(api.keys.drains)

    assert (200, "w1") == (drained.status_code, TypeAdapter(schemas.Worker).validate_json(drained.text).id)
    assert "admin" == DrainOrder.decode(first.key, first.value).requested_by
    assert first == second
    assert [200, 200] == [answer.status_code for answer in resumed]
    assert [] == list(left.items)


@ON_SHARED_LOOP
@pytest.mark.parametrize("order", ["drain", "resume"])
async def test_nobody_drains_a_worker_that_is_not_known(shared_api: RunningApi, order: str):
    """404; and no key is left for a worker that may come one day."""
    refused = await shared_api.post(f"/worker/nobody/{order}")

    assert (404, "worker_not_found") == (refused.status_code, refused.json()["code"])
    assert [] == list((await shared_api.store.list(shared_api.keys.drains)).items)


async def test_a_worker_is_forgotten_when_nothing_holds_it(api: RunningApi, mongo_database: Database):
    """409 while it is alive, 409 with the jobs that name it, 204 with force; everything stored of it goes."""
    await put_worker(api, "w1")
    await mongo_database[WORKERS].insert_one({"_id": "w1", "host": "h"})
    await mongo_database[WORKER_METRICS].insert_one({"at": datetime.now(UTC), "worker": "w1", "load_1": 1.0})
    await mongo_database[WORKER_METRICS].insert_one({"at": datetime.now(UTC), "worker": "w2", "load_1": 1.0})
    await api.post("/job/save", {**HELLO, "target": {"workers": ["w1"]}})
    alive = await api.delete("/worker/w1", force=True)
    await api.post("/worker/w1/drain")
    await remove_worker(api, "w1")
    pinned = await api.delete("/worker/w1")
    forced = await api.delete("/worker/w1", force=True)
    again = await api.delete("/worker/w1", force=True)

    assert (409, "worker_online") == (alive.status_code, alive.json()["code"])
    assert (409, "worker_pinned") == (pinned.status_code, pinned.json()["code"])
    assert "default/hello" in pinned.json()["detail"]
    assert (204, 404) == (forced.status_code, again.status_code)
    assert 0 == await mongo_database[WORKERS].count_documents({})
    assert ["w2"] == await mongo_database[WORKER_METRICS].distinct("worker")
    assert [] == list((await api.store.list(api.keys.drains)).items)


async def test_a_workers_log_is_written_once_by_all_masters(
    api: RunningApi, mongo_database: Database, master_config: Any, store: Any
):
    """It came, was drained, resumed, distrusted its clock, and went: one line each, newest first."""
    await mongo_database[WORKERS].insert_one({"_id": "w1", "host": "h"})
    async with running_api(master_config.model_copy(update={"master_id": "second"}), store) as other:
        await put_worker(api, "w1", claims_paused="not measured yet")
        await put_worker(api, "w1")
        for change in ({"status": "draining"}, {}, {"claims_paused": "its clock is off"}, {}):
            await put_worker(api, "w1", **change)
        await remove_worker(api, "w1")
        await other.until(lambda: not other.services.roster.is_live("w1"))
        async with asyncio.timeout(10):
            while await mongo_database[WORKER_EVENTS].count_documents({}) < 7:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)
    shown = await api.get("/worker/w1/log", page_size=4)
    page = TypeAdapter(schemas_workers.WorkerEventPage).validate_json(shown.text)
    rest = await api.get("/worker/w1/log", page_token=page.next_page_token)
    events = [*page.items, *TypeAdapter(schemas_workers.WorkerEventPage).validate_json(rest.text).items]

    assert sorted(
        ["online", "alarm_over", "draining", "resumed", "alarm", "alarm_over", "offline"]
    ) == sorted(event.event for event in events)
    assert 7 == page.total.count
    assert ["its clock is off"] == [event.detail for event in events if event.event == "alarm"]


async def test_a_workers_curve_is_a_mean_per_stretch(api: RunningApi, mongo_database: Database):
    """At most so many points, shares in percent, nothing where nothing was reported."""
    await put_worker(api, "w1")
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    await mongo_database[WORKER_METRICS].insert_many(
        {
            "at": end - timedelta(minutes=minutes),
            "worker": "w1",
            "cpu_percent": float(minutes),
            "load_1": 1.0,
            "running": 2,
            "memory_used_bytes": 1,
            "memory_total_bytes": 4,
        }
        for minutes in (1, 2, 50)
    )
    params = {"from": (end - timedelta(hours=1)).isoformat(), "to": end.isoformat(), "points": 6}
    answer = await api.get("/worker/w1/metrics", **params)
    points = TypeAdapter(schemas_workers.WorkerCurve).validate_json(answer.text).items
    wrong = await api.get("/worker/w1/metrics", **{**params, "to": params["from"]})

    assert [2.0, 2.0] == [point.running for point in points]
    assert [50.0, 1.5] == [point.cpu_percent for point in points]
    assert [(25.0, None), (25.0, None)] == [(point.memory_percent, point.disk_percent) for point in points]
    assert (422, 404) == (wrong.status_code, (await api.get("/worker/nobody/metrics")).status_code)


async def test_jobs_that_depend_on_a_worker(api: RunningApi):
    """Those that name it, and those that nobody else may run."""
    await put_worker(api, "w1", labels={"zone": "a"})
    await put_worker(api, "w2")
    await api.post("/job/save", {**HELLO, "name": "anywhere"})
    await api.post("/job/save", {**HELLO, "name": "in-a", "target": {"labels": {"zone": "a"}}})
    await api.post("/job/save", {**HELLO, "name": "both", "target": {"workers": ["w1", "w2"]}})
    found = (await api.get("/worker/w1/jobs")).json()

    assert ["in-a"] == [job["name"] for job in found["only_here"]]
    assert ["both"] == [job["name"] for job in found["pinned"]]


async def test_the_installation_is_described_without_secrets(api: RunningApi):
    """Masters, servers, clock; and the configuration of a worker that would fit in."""
    await api.until(lambda: api.services.health.etcd is not None)
    shown = TypeAdapter(schemas_workers.Cluster).validate_json((await api.get("/cluster")).text)
    setup = TypeAdapter(schemas_workers.WorkerSetup).validate_json((await api.get("/worker/setup")).text)

    assert [True] == [master.self for master in shown.masters]
    assert (True, True) == (shown.etcd.ok, shown.mongodb.ok)
    assert abs(shown.clock.offset_ms or 0) < 1_000
    assert setup.config["keyPrefix"] == api.keys.prefix
    assert "worker -config" in setup.commands[-1].text


async def test_a_test_run_leaves_no_job_behind(api: RunningApi, mongo_database: Database):
    """A temporary job runs once, is in no list, and goes when its execution has begun."""
    await api.post("/job/save", {**HELLO, "env": {"T": {"secret": True, "value": "hunter2"}}})
    draft = {**HELLO, "env": {"T": {"secret": True, "value": "********"}}, "enabled": False}
    started = (await api.post("/job/test-run", {"definition": draft})).json()
    execution = ExecutionId.parse(started["execution_id"])
    triggers = await api.store.list(api.keys.triggers_of(execution.uid))
    listed = [job["name"] for job in (await api.get("/job/list")).json()["items"]]
    temporary = (await api.get(f"/job/{started['name']}")).json()
    await store(mongo_database, execution.uid, minutes_ago(0), Status.SUCCEEDED, job=started["name"])
    await api.until(lambda: api.services.catalog.peek("default", started["name"]) is None)

    assert started["name"].startswith("hello.test-")
    assert Cause.MANUAL is Trigger.decode(triggers.items[0].key, triggers.items[0].value).cause
    assert (["hello"], None, True) == (listed, temporary["schedule"], temporary["enabled"])
    assert 404 == (await api.get(f"/job/{started['name']}")).status_code
    assert 1 == (await api.get("/log/list", job=started["name"])).json()["total"]["count"]


async def test_a_test_run_of_a_dead_master_is_deleted_by_another(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
):
    """Five minutes after it was made, whoever made it."""
    started = (await api.post("/job/test-run", {"definition": HELLO})).json()
    await asyncio.sleep(2.5)
    is_kept = api.services.catalog.peek("default", started["name"]) is not None
    monkeypatch.setattr("master.services.test_runs._LIFE", timedelta(seconds=1))
    await api.until(lambda: api.services.catalog.peek("default", started["name"]) is None)

    assert is_kept


async def test_what_could_not_be_saved_is_not_run(api: RunningApi):
    """422 with a pointer; the program's own labels are nobody else's."""
    wrong = await api.post("/job/test-run", {"definition": {**HELLO, "schedule": "61 * * * *"}})
    label = await api.post("/job/save", {**HELLO, "labels": {"everytick/test-run": "true"}})

    assert 422 == wrong.status_code
    assert (422, "/labels") == (label.status_code, label.json()["errors"][0]["pointer"])
    assert 0 == (await api.get("/job/list")).json()["total"]["count"]


async def test_a_histogram_counts_by_status(api: RunningApi, mongo_database: Database):
    """The same figures from memory and from MongoDB."""
    uid = (await api.post("/job/save", HELLO)).json()["uid"]
    for minutes, status in ((50, Status.SUCCEEDED), (49, Status.FAILED), (5, Status.SUCCEEDED)):
        await store(mongo_database, uid, minutes_ago(minutes), status)
    stretch = {"from": minutes_ago(60).isoformat(), "to": minutes_ago(0).isoformat(), "buckets": 6}

    async def counts(**filters: object) -> list[dict[str, int]]:
        answer = await api.get("/log/histogram", **stretch, **filters)
        shown = TypeAdapter(schemas_overview.Histogram).validate_json(answer.text)
        return [{status.value: count for status, count in item.counts.items()} for item in shown.items]

    of_job = await counts(job="hello")
    async with asyncio.timeout(15):
        while await counts() != of_job:  # noqa: ASYNC110 - counted aside
            await asyncio.sleep(0.2)
    failed, elsewhere = await counts(status="failed"), await counts(namespace="elsewhere")
    wrong = await api.get("/log/histogram", buckets=0)

    assert [{"succeeded": 1, "failed": 1}, {"succeeded": 1}] == of_job
    assert ([{"failed": 1}], []) == (failed, elsewhere)
    assert (422, "/query/buckets") == (wrong.status_code, wrong.json()["errors"][0]["pointer"])
