"""Lists of rare things do not walk through all that went as planned."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.execution import Cause, Status
from common.domain.records import EXECUTIONS
from common.mongo.schema import INDEXES
from master.adapters.mongo_history import condition_of
from master.ports import ExecutionFilter

NOW = datetime(2026, 3, 1, tzinfo=UTC)


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
    ],
)
async def test_rare_executions_are_found_by_an_index(
    mongo_database: AsyncDatabase[Any], where: ExecutionFilter
) -> None:
    """Of five hundred executions the server looks at the one that fits, and sorts nothing."""
    executions = mongo_database[EXECUTIONS]
    await executions.create_indexes(list(INDEXES[EXECUTIONS]))
    await executions.insert_many(
        {
            "_id": f"j{number}",
            "status": "lost" if number == 7 else "succeeded",
            "cause": "manual" if number == 7 else "schedule",
            "scheduled_at": NOW + timedelta(seconds=number),
        }
        for number in range(500)
    )

    order = [("scheduled_at", -1), ("_id", -1)]
    plan = await executions.find(condition_of(where)).sort(order).limit(50).explain()
    found = plan["executionStats"]

    assert (1, 1) == (found["nReturned"], found["totalDocsExamined"])
