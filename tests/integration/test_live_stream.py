"""The live stream over real HTTP: two masters, people who look, and masters that stop."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from common.domain.codec import RunRecord, WorkerHealth
from common.domain.execution import Cause, Status
from common.domain.ids import ExecutionId, epoch_s
from common.domain.records import EXECUTIONS, ExecutionRecord, OutputSummary, Seq
from common.kv.etcd import EtcdStore
from common.kv.values import Put
from tests.e2e.installation import eventually
from tests.integration.master_programs import Masters
from tests.integration.people_client import PASSWORD

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOW = datetime.now(UTC).replace(microsecond=0)
JOB = {"name": "hello", "schedule": "0 0 1 1 *", "command": "true", "catch_up": "none"}


def finished(execution: ExecutionId, namespace: str, status: Status) -> dict[str, Any]:
    """The record of an execution as a worker writes it."""
    record = ExecutionRecord(
        execution_id=str(execution),
        namespace=namespace,
        job="hello",
        uid=execution.uid,
        tick=epoch_s(NOW),
        attempt=1,
        cause=Cause.SCHEDULE,
        worker="w1",
        session="s1",
        fence=1,
        seq=Seq.FINISHED,
        status=status,
        generation=1,
        scheduled_at=NOW,
        claimed_at=NOW,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=1),
        expires_at=NOW + timedelta(days=1),
        recorded_at=NOW,
        out=OutputSummary(bytes=0, lines=0, head="", tail=""),
    )
    return {"_id": record.key, **record.document(), "history": record.history_entries()}


async def run_one(masters: Masters, store: EtcdStore, namespace: str, tick: int) -> ExecutionId:
    """Play a worker's claim."""
    execution = ExecutionId.of_tick("kq3x5h2m9w1abc", tick)
    run = RunRecord(
        worker="w1",
        session="s1",
        nonce="n1",
        namespace=namespace,
        name="hello",
        generation=1,
        cause=Cause.SCHEDULE,
        scheduled_at=NOW,
        claimed_at=NOW,
    )
    await store.txn(puts=[Put(masters.keys.run(execution), run.encode())])
    return execution


async def test_two_masters_tell_the_same(
    masters: Masters, store: EtcdStore, mongo_uri: str, mongo_database: Any
):
    """A saved job, a worker, an execution from its claim to its outcome, which is recorded a little late."""
    one, two = masters.listen(0), masters.listen(1)
    with masters.client() as client:
        saved = client.post("/job/save", json=JOB).json()
        eventually(lambda: two.about("job"), "the news of a save at the other master")
        client.delete("/job/hello")
    health = WorkerHealth(worker="w1", session="s1", started_at=NOW)
    await store.txn(puts=[Put(masters.keys.health("w1"), health.encode())])
    execution = await run_one(masters, store, "default", 1)
    eventually(lambda: one.about("execution") and two.about("execution"), "the news of a claim")
    await store.txn(deletes=[masters.keys.run(execution), masters.keys.health("w1")])
    await asyncio.sleep(1)
    early = len(one.about("execution"))
    with MongoClient[dict[str, Any]](mongo_uri) as mongo:
        mongo[mongo_database.name][EXECUTIONS].insert_one(finished(execution, "default", Status.FAILED))
    eventually(lambda: min(len(s.about("execution")) for s in (one, two)) == 2, "the news of an outcome")

    assert 1 == early
    for stream in (one, two):
        assert "hello" == stream.events[0][0]
        assert [(saved["uid"], False), (saved["uid"], True)] == [
            (job["uid"], job["deleted"]) for job in stream.about("job")
        ]
        assert ["running", "failed"] == [told["status"] for told in stream.about("execution")]
        assert ["online", "offline"] == [told["status"] for told in stream.about("worker")]
    assert one.about("execution") == two.about("execution")
    assert ("text/event-stream; charset=utf-8", "no-store", "no", None) == tuple(
        one.headers.get(name)
        for name in ("Content-Type", "Cache-Control", "X-Accel-Buffering", "Content-Encoding")
    )


async def test_a_stream_resumes_where_it_stood(masters: Masters):
    """At the same master what was missed comes first; at another one everything has to be asked for again."""
    first = masters.listen()
    with masters.client() as client:
        for name in ("a", "b", "c"):
            client.post("/job/save", json=JOB | {"name": name})
            eventually(lambda name=name: name in [j["name"] for j in first.about("job")], f"news of {name}")
    at = first.ids[[data.get("name") for _, data in first.events].index("a")]
    back, elsewhere = masters.listen(0, at), masters.listen(1, at)
    eventually(lambda: len(back.events) == 3 and len(elsewhere.events) == 2, "what was missed")

    assert ["b", "c"] == [job["name"] for job in back.about("job")]
    assert ["hello", "resync"] == [name for name, _ in elsewhere.events]


async def test_a_stream_can_be_narrowed_to_a_namespace(masters: Masters, store: EtcdStore):
    """Jobs and executions of others are not heard."""
    narrow, wide = masters.listen(namespace="shop"), masters.listen()
    with masters.client() as client:
        for namespace in ("default", "shop"):
            client.post("/job/save", json=JOB | {"namespace": namespace})
    for tick, namespace in enumerate(("default", "shop"), 1):
        await run_one(masters, store, namespace, tick)
    eventually(lambda: len(wide.events) == 5 and len(narrow.events) == 3, "all the news")
    await asyncio.sleep(0.5)

    assert {"shop"} == {data["namespace"] for _, data in narrow.events[1:]}
    assert {"job", "execution"} == {name for name, _ in narrow.events[1:]}


def token_of(masters: Masters, **body: Any) -> tuple[str, dict[str, str]]:
    """Id and header of a new API token."""
    with masters.client() as client:
        made = client.post("/token/create", json={"name": "t", "role": "viewer", **body}).json()
    return made["info"]["id"], {"Authorization": f"Bearer {made['token']}"}


def signed_in(masters: Masters, name: str) -> dict[str, str]:
    """The headers of a browser in which a new user has signed in."""
    with masters.client() as client:
        client.post("/user/save", json={"name": name, "roles": [{"role": "viewer"}], "password": PASSWORD})
    with masters.client(0, {"Accept": "application/json"}) as page:
        me = page.post("/auth/login", json={"username": name, "password": PASSWORD})
        cookie = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    return {"Cookie": cookie, "X-CSRF-Token": me.json()["csrf_token"]}


async def test_a_limited_role_hears_nothing_of_other_namespaces(masters: Masters, store: EtcdStore):
    """Neither as it happens, nor by asking for another namespace, nor from what was missed."""
    _, credential = token_of(masters, namespaces=["shop"])
    own, wide = masters.listen(credential=credential), masters.listen()
    other = masters.listen(credential=credential, namespace="default")
    with masters.client() as client:
        for namespace in ("default", "shop"):
            client.post("/job/save", json=JOB | {"namespace": namespace})
    for tick, namespace in enumerate(("default", "shop"), 1):
        await run_one(masters, store, namespace, tick)
    eventually(lambda: len(wide.events) == 5 and len(own.events) == 3, "all the news")
    later = masters.listen(0, wide.ids[0], credential=credential)
    eventually(lambda: len(later.events) == 3, "what was missed")
    await asyncio.sleep(0.5)

    for stream in (own, later):
        assert ["hello", "job", "execution"] == [name for name, _ in stream.events]
        assert {"shop"} == {data["namespace"] for _, data in stream.events[1:]}
    assert ["hello"] == [name for name, _ in other.events]


async def test_a_stream_ends_with_its_credential(masters: Masters):
    """Signed out, disabled, deleted: within seconds and at every master; the streams of others go on."""
    kim, lee = signed_in(masters, "kim"), signed_in(masters, "lee")
    token_id, token = token_of(masters)
    ending = {
        "signed out at this master": masters.listen(0, credential=kim),
        "signed out at the other one": masters.listen(1, credential=kim),
        "a disabled user": masters.listen(1, credential=lee),
        "a deleted token": masters.listen(0, credential=token),
    }
    kept = masters.listen(0)
    with masters.client() as client, masters.client(0, kim) as page:
        answers = [
            page.post("/auth/logout").status_code,
            client.post("/user/lee/disable").status_code,
            client.delete(f"/token/{token_id}").status_code,
        ]
    ended_s = time.monotonic()
    left_open = [
        what for what, stream in ending.items() if not stream.has_ended.wait(12 + ended_s - time.monotonic())
    ]

    assert [204, 200, 204] == answers
    assert [] == left_open
    assert {200} == {stream.status for stream in ending.values()}
    assert not kept.has_ended.is_set()


async def test_the_streams_of_a_user_are_limited(masters: Masters):
    """The 21st is refused with a reason; one that is closed makes room."""
    opened = [masters.listen() for _ in range(20)]
    with masters.client() as client:
        refused = client.get("/events")

    assert [200] * 20 == [stream.status for stream in opened]
    assert (429, "too_many_streams") == (refused.status_code, refused.json()["code"])


async def test_a_master_stops_with_streams_open(masters: Masters):
    """It ends at once and in order, whatever two hundred browsers hold open."""
    streams = [masters.listen(1) for _ in range(200)]
    started_s = time.monotonic()
    code = masters.programs[1].stop(15)
    took_s = time.monotonic() - started_s

    assert {200} == {stream.status for stream in streams}
    assert 0 == code
    assert took_s < 10
    assert all(stream.has_ended.wait(5) for stream in streams)
