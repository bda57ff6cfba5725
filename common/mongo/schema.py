"""Collections and indexes of history, made by whoever comes first; used by master and worker.

Repeating it changes nothing. Documents expire by a TTL index on `expires_at`. Only `worker_metrics` is a time
series: those cannot be upserted, and every other collection is.
"""

from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from common.domain.records import (
    AUDIT,
    EXECUTIONS,
    JOB_VERSIONS,
    LEDGER,
    OUTPUT,
    WORKER_EVENTS,
    WORKER_METRICS,
    WORKERS,
    Document,
)
from common.mongo.client import unavailable

METRICS_KEPT_S: Final = 7 * 86_400
_NAMESPACE_EXISTS: Final = 48
_INDEX_NOT_FOUND: Final = 27

#: Outcomes and causes with an index of their own: what people look for among many that went as planned.
RARE_STATUSES: Final = ("failed", "timed_out", "killed", "lost")
RARE_CAUSES: Final = ("catch_up", "manual", "retry", "queued")

#: The index of lists by end, named by their queries.
BY_END: Final = "finished_scheduled"

_EXPIRY: Final = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)
INDEXES: Final[dict[str, tuple[IndexModel, ...]]] = {
    EXECUTIONS: (
        IndexModel([("uid", ASCENDING), ("tick", DESCENDING)], name="uid_tick"),
        # By scheduled_at and not by tick: runs somebody asked for have no tick and belong into the same
        # lists.
        IndexModel(
            [("namespace", ASCENDING), ("job", ASCENDING), ("scheduled_at", DESCENDING), ("_id", DESCENDING)],
            name="job_scheduled",
        ),
        IndexModel([("scheduled_at", DESCENDING), ("_id", DESCENDING)], name="scheduled"),
        IndexModel(
            [("status", ASCENDING), ("started_at", DESCENDING)],
            name="unfinished",
            partialFilterExpression={"status": {"$in": ["claimed", "running"]}},
        ),
        # What people look for, and rare: a success costs nothing here.
        IndexModel(
            [("status", ASCENDING), ("scheduled_at", DESCENDING), ("_id", DESCENDING)],
            name="not_succeeded",
            partialFilterExpression={"status": {"$in": RARE_STATUSES}},
        ),
        # The same for causes: a list of what people started must not walk through all that the clock did.
        IndexModel(
            [("cause", ASCENDING), ("scheduled_at", DESCENDING), ("_id", DESCENDING)],
            name="not_scheduled",
            partialFilterExpression={"cause": {"$in": RARE_CAUSES}},
        ),
        # Bars of the timeline by what ran when; lists of a worker by what was due when.
        IndexModel([("worker", ASCENDING), ("started_at", DESCENDING)], name="worker_started"),
        IndexModel(
            [("worker", ASCENDING), ("scheduled_at", DESCENDING), ("_id", DESCENDING)],
            name="worker_scheduled",
        ),
        # With the time it was due: a list by end of what was due before an instant reads nothing younger.
        IndexModel(
            [("finished_at", DESCENDING), ("_id", DESCENDING), ("scheduled_at", DESCENDING)], name=BY_END
        ),
        _EXPIRY,
    ),
    LEDGER: (
        IndexModel([("uid", ASCENDING), ("tick", DESCENDING)], name="uid_tick"),
        IndexModel([("namespace", ASCENDING), ("job", ASCENDING), ("tick", DESCENDING)], name="job_tick"),
        IndexModel(
            [("kind", ASCENDING), ("tick", DESCENDING)],
            name="missed",
            partialFilterExpression={"kind": "missed"},
        ),
        _EXPIRY,
    ),
    OUTPUT: (
        IndexModel([("execution_id", ASCENDING), ("seq", ASCENDING)], name="execution_seq"),
        _EXPIRY,
    ),
    WORKERS: (_EXPIRY,),
    WORKER_EVENTS: (
        IndexModel([("worker", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="worker_at"),
        _EXPIRY,
    ),
    JOB_VERSIONS: (
        IndexModel([("uid", ASCENDING), ("generation", DESCENDING)], name="uid_generation"),
        _EXPIRY,
    ),
    # No expiry: a chain may only be cut at its beginning, which is the masters' business.
    AUDIT: (
        IndexModel([("fact_id", ASCENDING)], name="fact", unique=True),
        IndexModel([("object", ASCENDING), ("namespace", ASCENDING), ("_id", DESCENDING)], name="object"),
        IndexModel([("actor", ASCENDING), ("_id", DESCENDING)], name="actor"),
        IndexModel([("at", DESCENDING)], name="at"),
    ),
}

#: Indexes of older versions whose work others do now.
RETIRED: Final[dict[str, tuple[str, ...]]] = {EXECUTIONS: ("finished",)}


async def ensure_schema(database: AsyncDatabase[Document]) -> None:
    """
    Make what is missing, drop what is retired. Programs that start together may all call it.

    Raises:
        StoreUnavailable: MongoDB could not be reached or refused.
    """
    try:
        for name, indexes in INDEXES.items():
            await database[name].create_indexes(list(indexes))
        for name, retired in RETIRED.items():
            for index in retired:
                await _drop_index(database, name, index)
        await _make_metrics(database)
    except PyMongoError as error:
        raise unavailable(error) from error


async def _drop_index(database: AsyncDatabase[Document], name: str, index: str) -> None:
    try:
        await database[name].drop_index(index)
    except OperationFailure as error:
        if error.code != _INDEX_NOT_FOUND:
            raise


async def _make_metrics(database: AsyncDatabase[Document]) -> None:
    options: dict[str, Any] = {
        "timeseries": {"timeField": "at", "metaField": "worker", "granularity": "seconds"},
        "expireAfterSeconds": METRICS_KEPT_S,
    }
    try:
        await database.create_collection(WORKER_METRICS, **options)
    except CollectionInvalid:
        return
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
