"""Values for tests: jobs and instants in one line, everything else at its default."""

from datetime import UTC, datetime
from typing import Any

from common.domain.job import JobSpec
from common.domain.timing import timing_of
from worker.domain.plan import PlannedJob

CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str, day: str = "2026-03-02") -> datetime:
    """An instant of one ordinary Monday, such as `at("10:00:05")`."""
    return datetime.fromisoformat(f"{day}T{text}+00:00")


def spec_of(name: str = "job", **fields: Any) -> JobSpec:
    """A stored job that runs `true`; *fields* override."""
    defaults: dict[str, Any] = {
        "name": name,
        "uid": f"u{name.replace('-', '').replace('.', ''):0<9}"[:20],
        "command": "true",
        "schedule": "0 * * * * *",
        "created_at": CREATED_AT,
        "changed_at": CREATED_AT,
    }
    return JobSpec.model_validate(defaults | fields)


def planned(spec: JobSpec, *, cursor: datetime, rank: int = 0) -> PlannedJob:
    """*spec* in the plan, with its cursor at *cursor*."""
    timing = timing_of(spec)
    assert timing is not None
    job = PlannedJob(
        uid=spec.uid,
        key=f"/cron/jobs/{spec.namespace}/{spec.name}",
        value=b"",
        revision=1,
        timing=timing,
        cursor=int(cursor.timestamp()),
        rank=rank,
    )
    job.look_ahead()
    return job
