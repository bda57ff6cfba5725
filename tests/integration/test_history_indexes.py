"""Lists of rare things, of one worker, and by end do not walk through all of history."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.execution import Cause, Status
from common.domain.records import EXECUTIONS
from common.mongo.schema import INDEXES, ensure_schema
from master.adapters.execution_queries import list_query
from master.ports import ExecutionFilter, ExecutionOrder

pytestmark = pytest.mark.integration

Database = AsyncDatabase[dict[str, Any]]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


async def fill(database: Database) -> None:
    """Five hundred executions, one a second, each running for a minute; the eighth is a special one."""
    executions = database[EXECUTIONS]
    await executions.create_indexes(list(INDEXES[EXECUTIONS]))
    await executions.insert_many(
        {
            "_id": f"j{number}",
            "namespace": "default",
            "status": "lost" if number == 7 else "succeeded",
            "cause": "manual" if number == 7 else "schedule",
            "worker": "w2" if number == 7 else "w1",
            "scheduled_at": at(number),
            "finished_at": at(number + 60),
        }
        for number in range(500)
    )


async def explained(database: Database, where: ExecutionFilter, order: ExecutionOrder) -> Mapping[str, Any]:
    """How the server finds the first page."""
    query = list_query(where, order, None)
    cursor = database[EXECUTIONS].find(query.condition, hint=query.index).sort(query.order).limit(50)
    return await cursor.explain()


def sorts_in_memory(plan: Mapping[str, Any]) -> bool:
    """Merging what several walks through an index bring in order is none."""
    return "'stage': 'SORT'" in str(plan["queryPlanner"]["winningPlan"])


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(ExecutionFilter(statuses=(Status.LOST,)), id="one status"),
        pytest.param(ExecutionFilter(statuses=(Status.LOST, Status.KILLED)), id="two statuses"),
        pytest.param(ExecutionFilter(causes=(Cause.MANUAL,)), id="one cause"),
        pytest.param(ExecutionFilter(causes=(Cause.MANUAL, Cause.RETRY)), id="two causes"),
        pytest.param(
            ExecutionFilter(causes=(Cause.MANUAL, Cause.RETRY), statuses=(Status.LOST, Status.KILLED)),
            id="causes and statuses",
        ),
        pytest.param(ExecutionFilter(worker="w2"), id="one worker"),
        pytest.param(ExecutionFilter(worker="w2", until=at(400)), id="one worker, up to an instant"),
    ],
)
async def test_rare_executions_are_found_by_an_index(mongo_database: Database, where: ExecutionFilter):
    """Of five hundred executions the server looks at the one that fits, and sorts nothing."""
    await fill(mongo_database)
    plan = await explained(mongo_database, where, ExecutionOrder.SCHEDULED_AT_DESC)

    found = plan["executionStats"]
    assert (1, 1) == (found["nReturned"], found["totalDocsExamined"])
    assert not sorts_in_memory(plan)


@pytest.mark.parametrize(
    ("where", "order"),
    [
        pytest.param(ExecutionFilter(until=at(100)), "-finished_at", id="up to an instant, latest end first"),
        pytest.param(ExecutionFilter(until=at(100)), "finished_at", id="up to an instant, first end first"),
        pytest.param(
            ExecutionFilter(since=at(20), until=at(100)), "-finished_at", id="a range, latest end first"
        ),
        pytest.param(
            ExecutionFilter(namespaces=("default",), until=at(100)), "-finished_at", id="in one namespace"
        ),
    ],
)
async def test_a_list_by_end_reads_nothing_but_its_page(
    mongo_database: Database, where: ExecutionFilter, order: str
):
    """What was due too late is passed over in the index, and nothing is sorted in memory."""
    await fill(mongo_database)
    plan = await explained(mongo_database, where, ExecutionOrder(order))

    found = plan["executionStats"]
    assert (50, 50) == (found["nReturned"], found["totalDocsExamined"])
    assert not sorts_in_memory(plan)


async def test_an_index_others_have_replaced_is_dropped(mongo_database: Database):
    """Writes need not pay for it any longer; who comes second finds nothing to do."""
    await mongo_database[EXECUTIONS].create_index([("finished_at", -1), ("_id", -1)], name="finished")
    await ensure_schema(mongo_database)
    await ensure_schema(mongo_database)

    names = set(await mongo_database[EXECUTIONS].index_information())
    assert {index.document["name"] for index in INDEXES[EXECUTIONS]} == names - {"_id_"}
