"""The journal with a real disk and a real MongoDB that is killed, and the schema both programs make."""

import asyncio
from pathlib import Path

import pytest

from common.domain.errors import StoreUnavailable
from common.domain.records import EXECUTIONS, LEDGER, OUTPUT, WORKER_METRICS, WORKERS, Seq
from common.mongo.client import connect, durable_database
from common.mongo.record_sink import MongoRecordSink
from common.mongo.schema import INDEXES, ensure_schema
from tests import servers
from tests.records import chunk, execution, missed
from worker.adapters.spool import FileSpool
from worker.log_shipper import LogShipper

pytestmark = pytest.mark.integration

_EXECUTIONS = 1_500


async def test_killed_mongodb_loses_no_record_and_delays_nobody(tmp_path: Path):
    """Killed in the middle of the writes, away for a while, started again on its files."""
    server = servers.start_mongod(servers.find_mongod(), tmp_path / "mongod")
    spool = FileSpool(tmp_path / "spool")
    loop = asyncio.get_running_loop()
    slowest_s = 0.0
    try:
        async with connect(server.uri, connect_timeout_ms=1000) as client, asyncio.timeout(90):
            database = durable_database(client, "cron")
            shipper = LogShipper(spool=spool, sink=MongoRecordSink(database))
            running = asyncio.ensure_future(shipper.run())
            for tick in range(_EXECUTIONS):
                if tick == 300:
                    server.kill()
                began_s = loop.time()
                shipper.record(execution(tick, Seq.STARTED))
                shipper.record(chunk(tick))
                await shipper.record_durably(execution(tick, Seq.FINISHED))
                slowest_s = max(slowest_s, loop.time() - began_s)
            while shipper.is_connected:  # noqa: ASYNC110 - a poll with a deadline
                await asyncio.sleep(0.05)
            await asyncio.to_thread(server.restart)
            while shipper.backlog:  # noqa: ASYNC110 - a poll with a deadline
                await asyncio.sleep(0.05)
            running.cancel()
            stored = await database[EXECUTIONS].count_documents({"status": "succeeded"})
            lines = await database[OUTPUT].count_documents({})
    finally:
        spool.close()
        server.stop()

    assert (_EXECUTIONS, _EXECUTIONS) == (stored, lines)
    assert slowest_s < 2.0


async def test_away_is_unavailable(tmp_path: Path):
    port = servers.free_port()

    async with connect(f"mongodb://127.0.0.1:{port}", connect_timeout_ms=200) as client:
        with pytest.raises(StoreUnavailable, match="MongoDB"):
            await MongoRecordSink(durable_database(client, "cron")).write([execution(1)])


async def test_schema_may_be_made_by_many_at_once(mongo_database):
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ensure_schema(mongo_database))

    names = set(await mongo_database.list_collection_names())
    indexes = await mongo_database[EXECUTIONS].index_information()

    assert {EXECUTIONS, LEDGER, OUTPUT, WORKERS, WORKER_METRICS} <= names
    assert {"_id_", *(index.document["name"] for index in INDEXES[EXECUTIONS])} == indexes.keys()
    assert 0 == indexes["expiry"]["expireAfterSeconds"]


async def test_all_kinds_of_records_in_one_batch(mongo_database):
    report = await MongoRecordSink(mongo_database).write(
        [execution(1), chunk(1), missed(2), execution(1, Seq.FINISHED)]
    )

    assert (4, ()) == (report.stored, report.fenced)
    assert 1 == await mongo_database[EXECUTIONS].count_documents({})
