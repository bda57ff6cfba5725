"""Strips of jobs: what is read, and what is known without a question."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.domain.job import JobSpec
from common.domain.records import Document
from master.services.recent import RecentExecutions

NOW = datetime(2026, 3, 29, 12, 0, 0, tzinfo=UTC)


def spec(uid: str) -> JobSpec:
    known = {"name": uid, "command": "true", "uid": uid, "created_at": NOW, "changed_at": NOW}
    return JobSpec.model_validate(known)


class Records:
    """History with one execution of the job `ranbefore`; remembers of whom the newest ones were read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def last_of_jobs(self) -> list[Document]:
        return [{"_id": "ranbefore.1.1", "uid": "ranbefore", "status": "succeeded", "scheduled_at": NOW}]

    async def finished_since(self, _instant: datetime, _limit: int) -> list[Document]:
        return []

    async def recent(self, jobs: Sequence[JobSpec], _count: int) -> dict[str, list[Document]]:
        self.read += [job.uid for job in jobs]
        return {
            job.uid: [{"_id": f"{job.uid}.1.1", "status": "succeeded"}]
            for job in jobs
            if job.uid != "neverran"
        }


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW + timedelta(seconds=1)

    def uptime_s(self) -> float:
        return 1_000.0


@pytest.mark.parametrize(
    ("has_looked", "max_age_s", "expected"),
    [
        pytest.param(
            True, 2.0, ["ranbefore", "justended"], id="a list: not of what is known never to have run"
        ),
        pytest.param(
            True, 0, ["ranbefore", "justended", "neverran"], id="one job, as it is now: of everything"
        ),
        pytest.param(
            False, 2.0, ["ranbefore", "justended", "neverran"], id="nothing is known yet: of everything"
        ),
    ],
)
async def test_strips_are_read_of_jobs_that_ran(has_looked: bool, max_age_s: float, expected: list[str]):
    """`justended` has ended and stands in no look yet; its strip must not be empty for that."""
    records: Any = Records()
    recent = RecentExecutions(records, Still(), lambda _: (), lambda uid: uid == "justended")
    looking = asyncio.create_task(recent.run())
    if has_looked:
        await asyncio.sleep(0.01)
    strips = await recent.strips(
        [spec(uid) for uid in ("ranbefore", "justended", "neverran")], max_age_s=max_age_s
    )
    looking.cancel()

    assert expected == records.read
    assert {"ranbefore": 1, "justended": 1, "neverran": 0} == {
        uid: len(strip.entries) for uid, strip in strips.items()
    }
