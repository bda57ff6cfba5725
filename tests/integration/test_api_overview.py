"""The API over real etcd and MongoDB: what the first page and the timeline show."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.codec import WorkerHealth
from common.domain.execution import Cause, LedgerKind, Reason, Status
from common.domain.ids import ExecutionId, epoch_s
from common.domain.records import EXECUTIONS, LEDGER, ExecutionRecord, LedgerRow, Seq
from common.kv.values import Put
from master.api import schemas_overview as schemas
from tests.integration.api_client import ON_SHARED_LOOP, RunningApi

pytestmark = pytest.mark.integration

Database = AsyncDatabase[dict[str, Any]]
JOB = {"name": "hello", "schedule": "* * * * *", "command": "echo hello"}


def minutes_ago(count: int) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=count)


async def store(
    database: Database,
    uid: str,
    at: datetime,
    status: Status,
    job: str = "hello",
    *,
    namespace: str = "default",
) -> str:
    """One ended execution of the tick *at*."""
    record = ExecutionRecord(
        execution_id=str(ExecutionId.of_tick(uid, epoch_s(at))),
        namespace=namespace,
        job=job,
        uid=uid,
        tick=epoch_s(at),
        attempt=1,
        cause=Cause.SCHEDULE,
        worker="w1",
        session="s1",
        fence=1,
        seq=Seq.FINISHED,
        status=status,
        generation=1,
        scheduled_at=at,
        claimed_at=at,
        started_at=at,
        finished_at=at + timedelta(seconds=1),
        duration_ms=1000,
        expires_at=at + timedelta(days=30),
        recorded_at=at,
        reason=None if status is Status.SUCCEEDED else Reason.EXIT_CODE,
    )
    await database[EXECUTIONS].insert_one({"_id": record.key, **record.document(), "history": []})
    return record.key


async def store_miss(database: Database, uid: str, at: datetime, count: int) -> None:
    row = LedgerRow(
        namespace="default",
        job="hello",
        uid=uid,
        tick=epoch_s(at),
        last_tick=epoch_s(at) + 60 * (count - 1),
        count=count,
        kind=LedgerKind.MISSED,
        reason=Reason.NO_WORKER,
        generation=1,
        recorded_at=at,
        expires_at=at + timedelta(days=30),
        recorded_by="m1",
    )
    await database[LEDGER].insert_one({"_id": row.key, **row.document()})


async def put_worker(api: RunningApi, worker_id: str, **fields: Any) -> None:
    """Play a worker that is online."""
    health = WorkerHealth(
        worker=worker_id, session="s1", executors=("shell",), started_at=datetime.now(UTC), **fields
    )
    await api.store.txn(puts=[Put(api.keys.health(worker_id), health.encode())])
    await api.until(lambda: api.services.roster.is_live(worker_id))


async def uid_of(api: RunningApi, **fields: Any) -> str:
    saved = await api.post("/job/save", {**JOB, **fields})
    uid: str = saved.json()["uid"]
    return uid


async def overview_when(api: RunningApi, holds: Any, **params: object) -> schemas.Overview:
    """The overview once its figures, which are counted aside, say what the test waits for."""
    async with asyncio.timeout(15):
        while True:
            shown = TypeAdapter(schemas.Overview).validate_json((await api.get("/overview", **params)).text)
            if holds(shown):
                return shown
            await asyncio.sleep(0.2)


async def test_an_empty_installation_has_an_overview(api: RunningApi):
    """Zeros, and 24 hours of nothing; once MongoDB, which comes later than etcd, has been read."""
    shown = await overview_when(api, lambda shown: shown.history_behind is None)

    assert [] == shown.attention
    assert 24 == len(shown.success)
    assert (0, 0, 0, 0) == (
        shown.tiles.jobs,
        shown.tiles.running,
        shown.tiles.failed_24h,
        shown.tiles.workers_online,
    )


async def test_what_needs_attention_is_named_with_its_job(api: RunningApi, mongo_database: Database):
    """Failures and misses of the day by job, a job without a worker, one that cannot be read."""
    uid = await uid_of(api)
    await uid_of(api, name="pinned", target={"workers": ["nobody"]})
    await put_worker(api, "w1")
    await store(mongo_database, uid, minutes_ago(3), Status.FAILED)
    newest = await store(mongo_database, uid, minutes_ago(2), Status.FAILED)
    await store(mongo_database, uid, minutes_ago(1), Status.SUCCEEDED)
    await store(mongo_database, uid, minutes_ago(60 * 25), Status.LOST)
    await store_miss(mongo_database, uid, minutes_ago(10), 4)
    await api.store.txn(puts=[Put(api.keys.job("default", "broken"), b"not json")])
    await api.until(lambda: api.services.catalog.peek("default", "broken") is not None)
    shown = await overview_when(api, lambda page: page.tiles.failed_24h == 2 and page.tiles.quarantined == 1)
    found = {(entry.kind, entry.job): entry for entry in shown.attention}

    assert {
        ("failed", "hello"),
        ("missed", "hello"),
        ("no_worker", "pinned"),
        ("quarantined", "broken"),
    } == set(found)
    assert (2, newest) == (found["failed", "hello"].count, found["failed", "hello"].execution_id)
    assert (4, "no_worker") == (found["missed", "hello"].count, found["missed", "hello"].reason)
    assert (1, 4, 3) == (shown.tiles.succeeded_24h, shown.tiles.missed_24h, shown.tiles.jobs)
    assert 3 == sum(sum(hour.counts.values()) for hour in shown.success)
    assert 4 == sum(hour.missed for hour in shown.success)


async def test_running_and_coming_executions_are_shown(
    api: RunningApi, mongo_database: Database, monkeypatch: pytest.MonkeyPatch
):
    """What runs with its usual duration; what comes within the hour with how often."""
    # The save has just looked at the job's history, and that look would count for a while.
    monkeypatch.setattr("master.services.overview._USUAL_AGE_S", 0.0)
    uid = await uid_of(api)
    await store(mongo_database, uid, minutes_ago(5), Status.SUCCEEDED)
    await uid_of(api, name="yearly", schedule="@yearly")
    execution = ExecutionId.of_tick(uid, epoch_s(minutes_ago(0)))
    await api.put_run(execution, "hello")
    shown = (await api.get("/overview")).json()

    assert [(str(execution), "w1", 1000)] == [
        (run["id"], run["worker"], run["usual_ms"]) for run in shown["running"]
    ]
    assert [("hello", 60)] == [(job["job"], job["count_within_hour"]) for job in shown["next"]]


async def test_the_timeline_has_bars_marks_and_ticks(api: RunningApi, mongo_database: Database):
    """One row per job: what ran, what did not, what comes; and the load of each minute."""
    uid = await uid_of(api)
    await uid_of(api, name="other", schedule="@yearly")
    await store(mongo_database, uid, minutes_ago(4), Status.SUCCEEDED)
    await store(mongo_database, uid, minutes_ago(3), Status.FAILED)
    await store_miss(mongo_database, uid, minutes_ago(10), 2)
    await api.until(lambda: api.services.timeline is not None)
    end = minutes_ago(-10)
    async with asyncio.timeout(15):
        while True:
            answer = await api.get(
                "/timeline", **{"from": minutes_ago(30).isoformat(), "to": end.isoformat()}
            )
            shown = TypeAdapter(schemas.Timeline).validate_json(answer.text)
            if shown.load_is_complete and sum(minute.past for minute in shown.load) == 2:
                break
            await asyncio.sleep(0.2)
    hello, other = shown.rows

    assert ("default/hello", "default/other", 2) == (hello.key, other.key, shown.total.count)
    assert ["succeeded", "failed"] == [bar.status.value for bar in hello.past]
    assert [(epoch_s(minutes_ago(10)), "missed", 2)] == [
        (mark.tick, mark.kind.value, mark.count) for mark in hello.unrun
    ]
    assert 9 <= len(hello.future) <= 10
    assert len(hello.future) == sum(minute.future for minute in shown.load)
    assert [] == other.past + other.future


async def test_the_timeline_pages_and_searches(api: RunningApi):
    """Rows come by name, a page at a time; a search is that of the list of jobs."""
    for number in range(5):
        await uid_of(api, name=f"job-{number}")
    first = (await api.get("/timeline", page_size=3)).json()
    second = (await api.get("/timeline", page_size=3, page_token=first["next_page_token"])).json()
    searched = (await api.get("/timeline", q="job-4")).json()

    assert [f"default/job-{number}" for number in range(5)] == [
        row["key"] for row in first["rows"] + second["rows"]
    ]
    assert (5, None) == (first["total"]["count"], second["next_page_token"])
    assert ["default/job-4"] == [row["key"] for row in searched["rows"]]


async def test_the_timeline_of_workers(api: RunningApi, mongo_database: Database):
    """A row for each worker with what it started, whatever the job."""
    await store(mongo_database, "abcdefgh", minutes_ago(4), Status.SUCCEEDED)
    await put_worker(api, "w1")
    await put_worker(api, "w2")
    rows = (await api.get("/timeline", by="worker")).json()["rows"]

    assert [("w1", 1), ("w2", 0)] == [(row["worker"], len(row["past"])) for row in rows]


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        pytest.param(
            {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "/query/from", id="backwards"
        ),
        pytest.param(
            {"from": "2026-03-01T00:00:00Z", "to": "2026-03-09T00:00:00Z"}, "/query/from", id="too long"
        ),
        pytest.param({"by": "colour"}, "/query/by", id="no such row"),
        pytest.param({"page_size": 500}, "/query/page_size", id="too many rows"),
        pytest.param({"page_token": "abc"}, "/query/page_token", id="not our token"),
    ],
)
async def test_a_wrong_stretch_is_refused(shared_api: RunningApi, params: dict[str, str], pointer: str):
    """422 with a pointer."""
    refused = await shared_api.get("/timeline", **params)

    assert 422 == refused.status_code
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]
