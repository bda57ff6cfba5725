"""The API over recorded history: lists, output, figures, ledger, explanations."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import TypeAdapter
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.execution import Cause, LedgerKind, Reason, Status
from common.domain.ids import ExecutionId, epoch_s, from_epoch_s
from common.domain.records import (
    EXECUTIONS,
    LEDGER,
    OUTPUT,
    ExecutionRecord,
    LedgerRow,
    OutputChunk,
    OutputSummary,
    Seq,
    Stream,
)
from master.api import schemas
from tests.integration.api_client import ON_SHARED_LOOP, RunningApi

pytestmark = pytest.mark.integration

Database = AsyncDatabase[dict[str, Any]]
T0 = (datetime.now(UTC) - timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
EXPIRES = T0 + timedelta(days=30)
JOB = {"name": "hello", "schedule": "* * * * *", "command": "echo hello", "catch_up": "none"}


def record(uid: str, minute: int, status: Status = Status.SUCCEEDED, **fields: Any) -> ExecutionRecord:
    """One finished execution of the tick *minute* minutes after T0."""
    at = T0 + timedelta(minutes=minute)
    made = ExecutionRecord(
        execution_id=str(ExecutionId.of_tick(uid, epoch_s(at))),
        namespace="default",
        job="hello",
        uid=uid,
        tick=epoch_s(at),
        attempt=1,
        cause=Cause.SCHEDULE,
        worker="w1",
        session="s1",
        fence=100 + minute,
        seq=Seq.FINISHED,
        status=status,
        generation=1,
        scheduled_at=at,
        claimed_at=at,
        started_at=at + timedelta(milliseconds=5),
        finished_at=at + timedelta(seconds=1),
        expires_at=EXPIRES,
        recorded_at=at + timedelta(seconds=1),
        lateness_ms=5,
        duration_ms=1000 + minute,
        exit_code=0 if status is Status.SUCCEEDED else 1,
        out=OutputSummary(bytes=6, lines=1, head="hello", tail="hello"),
    )
    return replace(made, **fields)


async def store_executions(database: Database, *records: ExecutionRecord) -> None:
    await database[EXECUTIONS].insert_many(
        {"_id": found.key, **found.document(), "history": found.history_entries()} for found in records
    )


async def store_output(database: Database, execution_id: str, *chunks: list[tuple[Stream, str]]) -> None:
    for seq, lines in enumerate(chunks):
        chunk = OutputChunk(
            execution_id=execution_id,
            fence=1,
            seq=seq,
            lines=tuple((10 * seq, stream, text) for stream, text in lines),
            size_bytes=1,
            expires_at=EXPIRES,
        )
        await database[OUTPUT].insert_one({"_id": chunk.key, **chunk.document()})


@pytest.fixture
async def uid(api: RunningApi) -> str:
    """Uid of the saved job."""
    saved: str = (await api.post("/job/save", JOB)).json()["uid"]
    return saved


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listed(shared_master: RunningApi, shared_database: Database) -> None:
    """Five executions in namespace `listed`."""
    uid = (await shared_master.post("/job/save", JOB | {"namespace": "listed"})).json()["uid"]
    manual = {"cause": Cause.MANUAL, "tick": None, "execution_id": f"{uid}.mabc.1"}
    found = (
        record(uid, 0),
        record(uid, 1, Status.FAILED),
        record(uid, 2, Status.KILLED),
        record(uid, 3, **manual),
        record(uid, 4, worker="w2"),
    )
    await store_executions(shared_database, *(replace(one, namespace="listed") for one in found))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def printed(shared_master: RunningApi, shared_database: Database) -> str:
    """Id of an execution with two chunks of output."""
    uid = (await shared_master.post("/job/save", JOB | {"namespace": "printed"})).json()["uid"]
    found = record(uid, 0, namespace="printed")
    await store_executions(shared_database, found)
    await store_output(
        shared_database,
        found.key,
        [(Stream.STDOUT, "a"), (Stream.STDERR, "b")],
        [(Stream.STDOUT, "c"), (Stream.STDERR, "d")],
    )
    return found.key


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def explained(shared_master: RunningApi, shared_database: Database) -> None:
    """A failure, a skip and four misses of the job in namespace `explained`."""
    uid = (await shared_master.post("/job/save", JOB | {"namespace": "explained"})).json()["uid"]
    await store_executions(shared_database, record(uid, 0, Status.FAILED, namespace="explained"))
    for row in (ledger_row(uid, 1, LedgerKind.SKIPPED, Reason.OVERLAP), missed_row(uid, 2, 5)):
        of_job = replace(row, namespace="explained")
        await shared_database[LEDGER].insert_one({"_id": of_job.key, **of_job.document()})


async def test_executions_page_newest_first(api: RunningApi, mongo_database: Database, uid: str):
    """Pages follow each other without gap or repetition; output is left out."""
    await store_executions(mongo_database, *(record(uid, minute) for minute in range(7)))
    ids, token = [], None
    while True:
        page = (await api.get("/log/list", job="hello", page_size=3, page_token=token or "")).json()
        ids += [item["tick"] for item in page["items"]]
        token = page["next_page_token"]
        if token is None:
            break

    assert [epoch_s(T0) + 60 * minute for minute in reversed(range(7))] == ids
    assert {"count": 7, "is_exact": True} == page["total"]
    assert "out" not in page["items"][0]


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("filters", "minutes"),
    [
        pytest.param({"status": "failed"}, [1], id="by status"),
        pytest.param({"status": ["failed", "killed"]}, [2, 1], id="by two statuses"),
        pytest.param({"cause": "manual"}, [3], id="by cause"),
        pytest.param({"worker": "w2"}, [4], id="by worker"),
        pytest.param({"from": (T0 + timedelta(minutes=3)).isoformat()}, [4, 3], id="from an instant"),
        pytest.param({"to": (T0 + timedelta(minutes=1)).isoformat()}, [0], id="before an instant"),
        pytest.param({"namespace": "elsewhere"}, [], id="by namespace"),
        pytest.param({"order_by": "scheduled_at"}, [0, 1, 2, 3, 4], id="oldest first"),
        pytest.param({"order_by": "-finished_at"}, [4, 3, 2, 1, 0], id="by their end"),
    ],
)
async def test_executions_are_filtered_and_ordered(
    shared_api: RunningApi, listed: None, filters: dict[str, Any], minutes: list[int]
):
    """Filters combine the fields of the documents, also of runs without a tick."""
    items = (await shared_api.get("/log/list", **({"namespace": "listed"} | filters))).json()["items"]

    assert [T0 + timedelta(minutes=minute) for minute in minutes] == [
        datetime.fromisoformat(item["scheduled_at"]) for item in items
    ]


async def test_the_latest_execution_comes_with_its_output(
    api: RunningApi, mongo_database: Database, uid: str
):
    """A run somebody asked for counts as well as one of a tick."""
    asked_for = record(uid, 5, tick=None, cause=Cause.MANUAL, execution_id=f"{uid}.mabc.1")
    await store_executions(mongo_database, record(uid, 4), asked_for)
    await store_output(mongo_database, asked_for.key, [(Stream.STDOUT, "hello"), (Stream.STDERR, "oops")])
    answer = await api.get("/log/hello")
    shown = TypeAdapter(schemas.ExecutionWithOutput).validate_json(answer.text)

    assert asked_for.key == shown.execution.id
    assert [(1, "stdout", "hello"), (2, "stderr", "oops")] == [
        (line.n, line.stream.value, line.text) for line in shown.output.lines
    ]
    assert shown.output.finished


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("query", "texts", "numbers"),
    [
        pytest.param({}, ["a", "b", "c", "d"], [1, 2, 3, 4], id="from the start"),
        pytest.param({"after_seq": 0}, ["c", "d"], [None, None], id="behind a chunk"),
        pytest.param({"after_seq": 1}, [], [], id="nothing new"),
        pytest.param({"tail": 3}, ["b", "c", "d"], [2, 3, 4], id="the end"),
        pytest.param({"stream": "stderr"}, ["b", "d"], [2, 4], id="one stream"),
        pytest.param({"search": "C"}, ["c"], [3], id="a search"),
    ],
)
async def test_output_is_read_in_parts(
    shared_api: RunningApi,
    printed: str,
    query: dict[str, Any],
    texts: list[str],
    numbers: list[int | None],
):
    """Lines in order of arrival, numbered where their beginning is in hand."""
    output = (await shared_api.get(f"/execution/{printed}/output", **query)).json()

    assert texts == [line["text"] for line in output["lines"]]
    assert numbers == [line["n"] for line in output["lines"]]
    assert (2, 2, True) == (output["next_seq"], output["chunks"], output["finished"])


@pytest.mark.parametrize(
    ("ended_ago", "changes", "finished"),
    [
        pytest.param(timedelta(minutes=1), {}, False, id="the last chunk is on its way"),
        pytest.param(timedelta(minutes=11), {}, True, id="it never came"),
        pytest.param(timedelta(minutes=1), {"truncated": True}, True, id="the worker said that it is lost"),
    ],
)
async def test_output_is_finished_when_the_last_chunk_is_there(
    api: RunningApi,
    mongo_database: Database,
    uid: str,
    ended_ago: timedelta,
    changes: dict[str, Any],
    finished: bool,
):
    """The record of the end is stored before much output is: whoever follows must not leave then."""
    out = OutputSummary(bytes=6, lines=3, chunks=2)
    found = record(uid, 0, finished_at=datetime.now(UTC) - ended_ago, out=out, **changes)
    await store_executions(mongo_database, found)
    await store_output(mongo_database, found.key, [(Stream.STDOUT, "a")])

    output = (await api.get(f"/execution/{found.key}/output")).json()

    assert finished is output["finished"]


async def test_output_of_many_chunks_is_followed_to_its_end(
    api: RunningApi, mongo_database: Database, uid: str
):
    """Following by `after_seq` sees each line once; only the last part says it is finished."""
    found = record(uid, 0)
    await store_executions(mongo_database, found)
    await store_output(mongo_database, found.key, *([(Stream.STDOUT, str(n))] for n in range(150)))
    texts, flags, after = [], [], -1
    while True:
        part = (await api.get(f"/execution/{found.key}/output", after_seq=after)).json()
        texts += [line["text"] for line in part["lines"]]
        flags.append(part["finished"])
        after = part["next_seq"] - 1
        if part["finished"]:
            break
    raw = await api.get(f"/execution/{found.key}/output", format="raw")

    assert [str(n) for n in range(150)] == texts
    assert [False, False, True] == flags
    assert texts == raw.text.splitlines()
    assert "attachment" in raw.headers["Content-Disposition"]


async def test_figures_of_a_job(api: RunningApi, mongo_database: Database, uid: str):
    """Counts, success rate and percentiles over what was due in the time asked for."""
    await store_executions(mongo_database, *(record(uid, n) for n in range(9)), record(uid, 9, Status.FAILED))
    figures = (await api.get("/log/stats/hello")).json()

    assert (10, {"succeeded": 9, "failed": 1}, 0.9) == (
        figures["total"],
        figures["by_status"],
        figures["success_rate"],
    )
    assert {"p50": 1004, "p95": 1009, "max": 1009} == figures["duration_ms"]
    assert 10 == sum(day["total"] for day in figures["per_day"])


async def test_the_ledger_is_one_entry_per_tick(api: RunningApi, mongo_database: Database, uid: str):
    """Executions, skips and misses in one list, newest first; several attempts are one entry."""
    second = record(uid, 0, attempt=2, execution_id=f"{uid}.{epoch_s(T0)}.2")
    skip, miss = ledger_row(uid, 1, LedgerKind.SKIPPED, Reason.OVERLAP), missed_row(uid, 2, 5)
    await store_executions(mongo_database, record(uid, 0, Status.FAILED), second, record(uid, 6))
    await mongo_database[LEDGER].insert_many({"_id": row.key, **row.document()} for row in (skip, miss))
    entries, token = [], None
    while True:
        page = (await api.get("/job/hello/ledger", page_size=2, page_token=token or "")).json()
        entries += page["items"]
        token = page["next_page_token"]
        if token is None:
            break

    assert [
        (6, "execution", "succeeded", 1),
        (2, "missed", "downtime", 4),
        (1, "skipped", "overlap", 1),
        (0, "execution", "succeeded", 1),
    ] == [
        (
            (entry["tick"] - epoch_s(T0)) // 60,
            entry["kind"],
            entry["status"] or entry["reason"],
            entry["count"],
        )
        for entry in entries
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("execution", [6, 3, 0], id="what ran, with the tick whose skip gave way to it"),
        pytest.param("skipped", [5, 1], id="skips, without that one"),
        pytest.param("missed", [2], id="misses"),
    ],
)
async def test_the_ledger_is_filtered_by_what_became_of_a_tick(
    api: RunningApi, mongo_database: Database, uid: str, kind: str, expected: list[int]
):
    """Page after page of one entry: none is left out, none stands where the whole ledger has another."""
    skips = [ledger_row(uid, minute, LedgerKind.SKIPPED, Reason.OVERLAP) for minute in (1, 3, 5)]
    rows = [*skips, missed_row(uid, 2, 2)]
    await store_executions(mongo_database, *(record(uid, minute) for minute in (0, 3, 6)))
    await mongo_database[LEDGER].insert_many({"_id": row.key, **row.document()} for row in rows)
    found, token = [], None
    while token != "":
        asked = {"kind": kind, "page_size": 1, "page_token": token or ""}
        page = (await api.get("/job/hello/ledger", **asked)).json()
        found += [(entry["kind"], (entry["tick"] - epoch_s(T0)) // 60) for entry in page["items"]]
        token = page["next_page_token"] or ""

    assert [(kind, minute) for minute in expected] == found


@ON_SHARED_LOOP
@pytest.mark.parametrize(
    ("minute", "verdict", "words"),
    [
        pytest.param(0, "ran", "failed", id="an execution"),
        pytest.param(1, "skipped", "still running", id="a skip"),
        pytest.param(3, "missed", "came back", id="inside a span of misses"),
        pytest.param(9, "not_expected", "before the present version", id="before the job was saved"),
        pytest.param(60 * 24, "future", "No live worker", id="to come, nobody there"),
    ],
)
async def test_each_tick_is_explained(
    shared_api: RunningApi, explained: None, minute: int, verdict: str, words: str
):
    """One sentence per tick, from what is recorded or from the job and its workers."""
    tick = epoch_s(T0) + 60 * minute
    answer = await shared_api.get("/job/hello/explain", tick=tick, namespace="explained")
    assert 200 == answer.status_code, answer.text
    report = answer.json()

    assert (verdict, from_epoch_s(tick)) == (report["verdict"], datetime.fromisoformat(report["at"]))
    assert words in report["sentence"]


async def test_a_tick_between_its_release_and_its_record_is_not_called_undecided(api: RunningApi):
    """The worker has finished it in etcd, and MongoDB gets the record with the next batch."""
    saved = await api.post("/job/save", JOB | {"schedule": "* * * * * *"})
    tick = epoch_s(datetime.now(UTC)) + 1
    execution = ExecutionId.of_tick(saved.json()["uid"], tick)
    await api.put_run(execution, "hello")
    await asyncio.sleep(tick - datetime.now(UTC).timestamp())
    running = (await api.get("/job/hello/explain", tick=tick)).json()
    await api.store.txn(deletes=[api.keys.run(execution)])
    await api.until(lambda: not api.services.history.is_live(str(execution)))
    closed = (await api.get("/job/hello/explain", tick=tick)).json()

    assert ("running", "It is about to start on w1.") == (running["verdict"], running["sentence"])
    assert ("unknown", "w1 has closed it; the record of it is under way.") == (
        closed["verdict"],
        closed["sentence"],
    )


async def test_the_list_of_jobs_knows_how_they_ended(api: RunningApi, mongo_database: Database, uid: str):
    """The last execution and the strip of the latest ones, oldest first; also as a filter."""
    await store_executions(mongo_database, record(uid, 0), record(uid, 1, Status.FAILED))
    shown = (await api.get("/job/hello")).json()
    await api.until(lambda: api.services.jobs.last_status(uid) is Status.FAILED)
    failed = (await api.get("/job/list", status="failed")).json()["items"]

    assert "failed" == shown["state"]["last"]["status"]
    assert ["hello"] == [item["name"] for item in failed]
    assert ["succeeded", "failed"] == [entry["status"] for entry in failed[0]["recent"]]


async def test_an_ended_execution_is_retried_and_not_killed(
    api: RunningApi, mongo_database: Database, uid: str
):
    """Retry asks for one more run with the same parameters; a kill of what has ended is a conflict."""
    found = record(uid, 0, Status.FAILED, parameters={"day": "1"})
    await store_executions(mongo_database, found)
    retried = await api.post(f"/execution/{found.key}/retry")
    killed = await api.post(f"/execution/{found.key}/kill")
    triggers = await api.store.list(api.keys.triggers_of(uid))

    assert 202 == retried.status_code
    assert b'"day":"1"' in triggers.items[0].value
    assert (409, "conflict") == (killed.status_code, killed.json()["code"])


def ledger_row(uid: str, minute: int, kind: LedgerKind, reason: Reason) -> LedgerRow:
    return LedgerRow(
        namespace="default",
        job="hello",
        uid=uid,
        tick=epoch_s(T0) + 60 * minute,
        kind=kind,
        reason=reason,
        generation=1,
        recorded_at=T0,
        expires_at=EXPIRES,
        recorded_by="w1",
    )


def missed_row(uid: str, first: int, last: int) -> LedgerRow:
    row = ledger_row(uid, first, LedgerKind.MISSED, Reason.DOWNTIME)
    return replace(row, last_tick=epoch_s(T0) + 60 * last, count=last - first + 1)
