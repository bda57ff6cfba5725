"""The live stream over real HTTP: two masters, people who look, and masters that stop."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pymongo import MongoClient

from common.domain.codec import RunRecord, WorkerHealth
from common.domain.execution import Cause, Status
from common.domain.ids import ExecutionId, epoch_s
from common.domain.keys import Keyspace
from common.domain.records import EXECUTIONS, ExecutionRecord, OutputSummary, Seq
from common.kv.etcd import EtcdStore
from common.kv.values import Put
from tests import servers
from tests.e2e.installation import clean_environment, eventually
from tests.faults.programs import Program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOW = datetime.now(UTC).replace(microsecond=0)
JOB = {"name": "hello", "schedule": "0 0 1 1 *", "command": "true", "catch_up": "none"}
EventRow = tuple[str, dict[str, Any]]


@dataclass
class Listener:
    """One open stream, read by a thread of its own."""

    events: list[EventRow] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)
    status: int = 0
    has_ended: threading.Event = field(default_factory=threading.Event)

    def about(self, name: str) -> list[dict[str, Any]]:
        return [data for kind, data in self.events if kind == name]


@dataclass
class Masters:
    """Two masters over the same etcd and MongoDB."""

    programs: list[Program]
    token: str
    keys: Keyspace
    stack: ExitStack

    def client(self, number: int = 0) -> httpx2.Client:
        return httpx2.Client(
            base_url=f"{self.programs[number].ready_address}/api/v1",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=10,
            trust_env=False,
        )

    def listen(self, number: int = 0, last_event_id: str = "", **query: str) -> Listener:
        """Open a stream and return once it has said hello."""
        listener = Listener()
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        client = self.stack.enter_context(self.client(number))
        threading.Thread(target=self._read, args=(client, listener, headers, query), daemon=True).start()
        eventually(lambda: listener.events or listener.has_ended.is_set(), "the first word of a stream")
        return listener

    @staticmethod
    def _read(
        client: httpx2.Client, listener: Listener, headers: dict[str, str], query: dict[str, str]
    ) -> None:
        try:
            with client.stream("GET", "/events", headers=headers, params=query, timeout=60) as answer:
                listener.status, listener.headers = answer.status_code, answer.headers
                event: dict[str, str] = {}
                for line in answer.iter_lines():
                    if line and not line.startswith(":"):
                        name, _, value = line.partition(": ")
                        event[name] = value
                    elif event.get("event"):
                        listener.ids.append(event["id"])
                        listener.events.append((event["event"], json.loads(event["data"])))
                        event = {}
        except httpx2.HTTPError:
            pass  # the test closed the client, or the master went
        finally:
            listener.has_ended.set()


@contextmanager
def running_masters(
    folder: Path, etcd: str, mongo_uri: str, database: str, key_prefix: str
) -> Iterator[Masters]:
    """Both, ready; ended with TERM."""
    programs = []
    for name in ("m1", "m2"):
        port = servers.free_port()
        path = folder / f"{name}.json"
        path.write_text(
            json.dumps(
                {
                    "etcdEndpoints": [etcd],
                    "allowUnsafeEtcd": True,
                    "mongoUri": mongo_uri,
                    "mongoDatabase": database,
                    "keyPrefix": f"{key_prefix}cron/",
                    "healthPrefix": f"{key_prefix}health/",
                    "apiPort": port,
                    "masterId": name,
                    "adminTokenFile": str(folder / "admin-token"),
                    "stateDir": str(folder / name),
                    "logFormat": "json",
                    "eventStreamsPerUser": 20 if name == "m1" else 200,
                }
            )
        )
        command = (str(Path(sys.executable).with_name("master")), "-config", str(path))
        programs.append(
            Program(name, command, folder / f"{name}.log", f"http://127.0.0.1:{port}", clean_environment())
        )
    with ExitStack() as stack:
        for program in programs:
            program.start()
            stack.callback(lambda one=program: one.is_running and one.kill())
        for program in programs:
            program.wait_ready()
        keys = Keyspace(f"{key_prefix}cron/", f"{key_prefix}health/")
        yield Masters(programs, (folder / "admin-token").read_text().strip(), keys, stack)


@pytest.fixture
def masters(
    tmp_path: Path, etcd_endpoint: str, mongo_uri: str, mongo_database: Any, key_prefix: str
) -> Iterator[Masters]:
    with running_masters(tmp_path, etcd_endpoint, mongo_uri, mongo_database.name, key_prefix) as running:
        yield running


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
    return {"_id": record.key, **record.document(), "history": [record.history_entry()]}


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
