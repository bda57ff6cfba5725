"""What every record sink must do: MongoDB, and the database of the simulation that stands for it."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from common.domain.execution import LedgerKind, Reason, Status
from common.domain.records import EXECUTIONS, LEDGER, OUTPUT, OutputLoss, Seq
from common.mongo.client import connect, durable_database
from common.mongo.record_sink import MongoRecordSink
from tests.records import NOW, chunk, execution, missed
from tests.sim.history import History
from worker.ports import RecordSink


class Stored:
    """A sink, and what is in it."""

    def __init__(self, sink: RecordSink, database: Any = None) -> None:
        self.sink = sink
        self._database = database

    async def document(self, collection: str, key: str) -> dict[str, Any] | None:
        if self._database is not None:
            return await self._database[collection].find_one({"_id": key})
        return getattr(self.sink, collection).get(key)


@pytest.fixture(params=["simulated", pytest.param("mongodb", marks=pytest.mark.integration)])
async def stored(request: pytest.FixtureRequest) -> AsyncIterator[Stored]:
    if request.param == "simulated":
        yield Stored(History())
        return
    # Asked for only here, so that the simulated half needs no server.
    async with connect(request.getfixturevalue("mongo_uri")) as client:
        database = durable_database(client, f"test_{uuid.uuid4().hex}")
        yield Stored(MongoRecordSink(database), database)
        await client.drop_database(database.name)


@pytest.mark.parametrize(
    ("writes", "status"),
    [
        pytest.param([Seq.STARTED], Status.RUNNING, id="started"),
        pytest.param([Seq.STARTED, Seq.FINISHED], Status.SUCCEEDED, id="in order"),
        pytest.param([Seq.FINISHED, Seq.STARTED], Status.SUCCEEDED, id="the other way round"),
        pytest.param([Seq.STARTED, Seq.GIVEN_UP], Status.LOST, id="given up"),
        pytest.param([Seq.GIVEN_UP, Seq.FINISHED], Status.SUCCEEDED, id="the owner knows better"),
        pytest.param([Seq.FINISHED, Seq.GIVEN_UP], Status.SUCCEEDED, id="given up too late"),
        pytest.param([Seq.FINISHED, Seq.FINISHED], Status.SUCCEEDED, id="written twice"),
    ],
)
async def test_a_state_never_goes_back(stored, writes, status):
    """Whatever order records arrive in, the latest state stays."""
    for seq in writes:
        await stored.sink.write([execution(seq=seq)])

    document = await stored.document(EXECUTIONS, "samplejob1.1.1")

    assert status.value == document["status"]


async def test_older_claim_is_fenced_off(stored):
    """A worker that woke up after its lease writes about a claim that is not the last."""
    await stored.sink.write([execution(seq=Seq.STARTED, fence=200)])

    report = await stored.sink.write([execution(seq=Seq.FINISHED, fence=150, status=Status.FAILED)])
    document = await stored.document(EXECUTIONS, "samplejob1.1.1")

    assert ("samplejob1.1.1",) == report.fenced
    assert (200, "running") == (document["fence"], document["status"])


async def test_states_of_one_batch_are_all_in_the_history(stored):
    await stored.sink.write([execution(seq=Seq.STARTED), execution(seq=Seq.FINISHED, exit_code=0)])

    document = await stored.document(EXECUTIONS, "samplejob1.1.1")

    assert ["running", "succeeded"] == [entry["status"] for entry in document["history"]]
    assert 0 == document["exit_code"]


@pytest.mark.parametrize(
    "seqs", [[], [Seq.GIVEN_UP], [Seq.FINISHED]], ids=["new", "given up", "written twice"]
)
async def test_an_end_may_tell_of_the_start(stored, seqs):
    """It had ended before anybody heard of its start."""
    only = execution(seq=Seq.FINISHED, started_at=NOW, exit_code=0, tells_start=True)
    for seq in seqs:
        await stored.sink.write([only if seq is Seq.FINISHED else execution(seq=seq)])
    await stored.sink.write([only])

    document = await stored.document(EXECUTIONS, "samplejob1.1.1")

    assert "succeeded" == document["status"]
    assert {("running", NOW), ("succeeded", only.recorded_at)} <= {
        (entry["status"], entry["at"]) for entry in document["history"]
    }
    assert len(document["history"]) == 2 + (seqs == [Seq.GIVEN_UP])
    assert "tells_start" not in document


async def test_result_after_lost_keeps_both_in_the_history(stored):
    """Situation 36."""
    await stored.sink.write([execution(seq=Seq.GIVEN_UP, reason=Reason.WORKER_GONE)])
    await stored.sink.write([execution(seq=Seq.FINISHED)])

    document = await stored.document(EXECUTIONS, "samplejob1.1.1")

    assert ["lost", "succeeded"] == [entry["status"] for entry in document["history"]]


async def test_ledger_row_never_replaces_one(stored):
    await stored.sink.write([missed(reason=Reason.NO_SLOT)])
    await stored.sink.write([missed(reason=Reason.DOWNTIME)])

    document = await stored.document(LEDGER, "samplejob1.1")

    assert "no_slot" == document["reason"]


_SKIPPED = missed(kind=LedgerKind.SKIPPED, reason=Reason.OVERLAP)


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        pytest.param([[_SKIPPED], [execution()]], None, id="the row first"),
        pytest.param([[execution()], [_SKIPPED]], None, id="the execution first"),
        pytest.param([[_SKIPPED, execution()]], None, id="together"),
        pytest.param([[_SKIPPED], [execution()], [_SKIPPED]], None, id="the row again after a crash"),
        pytest.param([[_SKIPPED], [execution(seq=Seq.GIVEN_UP)]], None, id="an execution nobody started"),
        pytest.param([[execution()], [missed(last_tick=3, count=3)]], None, id="a span that begins there"),
        pytest.param([[_SKIPPED], [execution(tick=2)]], "overlap", id="another tick"),
        pytest.param([[execution()], [_SKIPPED], [_SKIPPED], [execution(2)]], None, id="in any order"),
    ],
)
async def test_an_execution_replaces_the_row_that_begins_at_its_tick(stored, writes, expected):
    """Recorded before the cursor was moved, which then failed: a tick has one account, and it ran."""
    for records in writes:
        await stored.sink.write(records)

    row = await stored.document(LEDGER, "samplejob1.1")

    assert expected == (row and row["reason"])


async def test_an_execution_leaves_other_rows_alone(stored):
    """A span that reaches over its tick accounts for others, and a dropped retry is no account of a tick."""
    dropped = missed(2, kind=LedgerKind.SKIPPED, reason=Reason.DEADLINE, trigger="2.2")
    await stored.sink.write([missed(1, last_tick=3, count=3), dropped])

    await stored.sink.write([execution(2)])
    span = await stored.document(LEDGER, "samplejob1.1")

    assert (3, 3) == (span["last_tick"], span["count"])
    assert await stored.document(LEDGER, "samplejob1.m2.2") is not None


async def test_output_may_be_written_again(stored):
    await stored.sink.write([chunk(seq=0), chunk(seq=1)])
    await stored.sink.write([chunk(seq=1), chunk(seq=2)])

    documents = [await stored.document(OUTPUT, f"samplejob1.1.1/{seq}") for seq in range(3)]

    assert [0, 1, 2] == [document["seq"] for document in documents]


@pytest.mark.integration
async def test_merged_batch_written_again_has_one_history(mongo_database):
    """The answer of the first write was lost; the second try carries one state more."""
    sink = MongoRecordSink(mongo_database)
    await sink.write([execution(seq=Seq.STARTED)])

    await sink.write([execution(seq=Seq.STARTED), execution(seq=Seq.FINISHED)])
    document = await mongo_database[EXECUTIONS].find_one({"_id": "samplejob1.1.1"})

    assert ["running", "succeeded"] == [entry["status"] for entry in document["history"]]


@pytest.mark.integration
async def test_reason_of_given_up_is_taken_back(mongo_database):
    sink = MongoRecordSink(mongo_database)
    await sink.write([execution(seq=Seq.GIVEN_UP, reason=Reason.WORKER_GONE, error="nobody answers")])

    await sink.write([execution(seq=Seq.FINISHED)])
    document = await mongo_database[EXECUTIONS].find_one({"_id": "samplejob1.1.1"})

    assert not {"reason", "error"} & document.keys()


@pytest.mark.integration
async def test_record_the_database_refuses_is_named_and_the_others_are_stored(mongo_database):
    """A validator stands for whatever MongoDB may dislike about one document."""
    await mongo_database.create_collection(EXECUTIONS, validator={"worker": {"$ne": "poison"}})
    sink = MongoRecordSink(mongo_database)
    poison = execution(2, worker="poison")

    report = await sink.write([execution(1), poison, execution(3)])

    assert [poison] == [record for record, _ in report.refused]
    assert "validation" in report.refused[0][1]
    assert 2 == await mongo_database[EXECUTIONS].count_documents({})


@pytest.mark.integration
async def test_record_that_cannot_be_encoded_is_named(mongo_database):
    sink = MongoRecordSink(mongo_database)
    poison = execution(2, exit_code=2**70)

    report = await sink.write([execution(1), poison, execution(3)])

    assert [poison] == [record for record, _ in report.refused]
    assert 2 == await mongo_database[EXECUTIONS].count_documents({})


@pytest.mark.integration
async def test_lost_output_marks_the_execution(mongo_database):
    sink = MongoRecordSink(mongo_database)

    await sink.write([execution(seq=Seq.FINISHED), OutputLoss(execution_id="samplejob1.1.1", fence=101)])
    document = await mongo_database[EXECUTIONS].find_one({"_id": "samplejob1.1.1"})

    assert document["truncated"] is True
