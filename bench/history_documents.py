"""Made-up history in numbers: documents as workers write them, inserted directly."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from common.domain.execution import Cause, Status
from common.domain.job import JobSpec
from common.domain.records import EXECUTIONS, ExecutionRecord, OutputSummary, Seq
from common.mongo.schema import INDEXES

_AT_ONCE = 5_000
_INTERVAL_S = 60
WORKERS = tuple(f"bench-{number}" for number in range(5))


def insert_history(database: Database[dict[str, Any]], jobs: Sequence[JobSpec], count: int) -> None:
    """Insert *count* executions of *jobs*, the latest just now, one of each job a minute; 2 % failed."""
    collection = database[EXECUTIONS]
    collection.create_indexes(list(INDEXES[EXECUTIONS]))
    batch: list[dict[str, Any]] = []
    for document in _documents(jobs, count):
        batch.append(document)
        if len(batch) == _AT_ONCE:
            collection.insert_many(batch, ordered=False)
            batch = []
    if batch:
        collection.insert_many(batch, ordered=False)


def _documents(jobs: Sequence[JobSpec], count: int) -> Iterator[dict[str, Any]]:
    last = datetime.now(UTC).replace(second=0, microsecond=0)
    templates = [_record(job, last).document() | {"history": []} for job in jobs]
    for number in range(count):
        job, age = number % len(jobs), number // len(jobs)
        due = last - timedelta(seconds=age * _INTERVAL_S)
        started, tick = due + timedelta(milliseconds=3), int(due.timestamp())
        failed = number % 50 == 7
        yield templates[job] | {
            "_id": f"{jobs[job].uid}.{tick}.1",
            "tick": tick,
            "worker": WORKERS[number % len(WORKERS)],
            "fence": count - number,
            "status": (Status.FAILED if failed else Status.SUCCEEDED).value,
            "exit_code": int(failed),
            "scheduled_at": due,
            "claimed_at": due,
            "started_at": started,
            "finished_at": started + timedelta(milliseconds=20 + number % 400),
            "duration_ms": 20 + number % 400,
            "lateness_ms": number % 9,
            "expires_at": due + timedelta(days=36_500),
            "history": [
                {"status": "running", "at": started, "seq": 1},
                {"status": "failed" if failed else "succeeded", "at": started, "seq": 3},
            ],
        }


def _record(job: JobSpec, at: datetime) -> ExecutionRecord:
    return ExecutionRecord(
        execution_id="",
        namespace=job.namespace,
        job=job.name,
        uid=job.uid,
        tick=0,
        attempt=1,
        cause=Cause.SCHEDULE,
        worker=WORKERS[0],
        session="0",
        fence=1,
        seq=Seq.FINISHED,
        status=Status.SUCCEEDED,
        generation=1,
        scheduled_at=at,
        claimed_at=at,
        expires_at=at,
        recorded_at=at,
        cpu_ms=2,
        max_rss_kb=1800,
        out=OutputSummary(bytes=120, lines=3, head="one\ntwo\nthree\n", tail="one\ntwo\nthree\n"),
    )
