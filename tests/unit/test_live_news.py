"""How executions end, as live events: looked up, patiently, and within bounds."""

import asyncio
import json
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from common.domain.codec import RunRecord
from common.domain.errors import StoreUnavailable
from common.domain.execution import Cause
from common.domain.ids import ExecutionId
from master.domain.live_events import Audience
from master.services.event_hub import EventHub
from master.services.live_news import LiveNews
from master.services.live_runs import LiveRun
from tests.sim.loop import JumpingLoop

AT = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


class LoopClock:
    """The loop's own time, as both clocks."""

    def now(self) -> datetime:
        return AT + timedelta(seconds=self.uptime_s())

    def uptime_s(self) -> float:
        return asyncio.get_running_loop().time()


def played(story: Coroutine[Any, Any, "Story"]) -> "Story":
    """The end of *story*, in no time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(story)


class Records:
    """Records by id; away while told so."""

    def __init__(self) -> None:
        self.stored: dict[str, dict] = {}
        self.is_away = False
        self.looks = 0

    async def executions_by_id(self, execution_ids):
        self.looks += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return [self.stored[one] for one in execution_ids if one in self.stored]


class Story:
    """A hub with one listener."""

    def __init__(self) -> None:
        self.records = Records()
        self.hub = EventHub(master="m1", version="1")
        self.news = LiveNews(self.hub, self.records, LoopClock())
        self.stream = self.hub.open("ann", Audience(), None)
        self.told: list[tuple[str, object]] = []

    async def play(self, seconds: float) -> None:
        loops = [asyncio.create_task(loop()) for loop in (self.hub.run, self.news.run, self._listen)]
        await asyncio.sleep(seconds)
        for loop in loops:
            loop.cancel()

    async def _listen(self) -> None:
        while text := await self.stream.next():
            for block in text.decode().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in block.splitlines())
                if fields and fields["event"] != "hello":
                    self.told.append((fields["event"], json.loads(fields["data"]).get("status")))


def run_of(number: int) -> LiveRun:
    record = RunRecord(
        worker="w1",
        session="s1",
        nonce="n1",
        namespace="default",
        name="hello",
        generation=1,
        cause=Cause.SCHEDULE,
        scheduled_at=AT,
        claimed_at=AT,
    )
    return LiveRun(ExecutionId.of_tick("kq3x5h2m9w1abc", number), record, number)


def stored(run: LiveRun, status: str = "failed") -> dict:
    return {
        "_id": str(run.execution),
        "namespace": "default",
        "job": "hello",
        "status": status,
        "worker": "w1",
        "scheduled_at": AT,
    }


def test_outcome_follows_when_the_spool_delivers_late():
    """Running, then what the record says: once, and not before it is there."""

    async def story() -> Story:
        play, run = Story(), run_of(1)
        play.news.run_started(run)
        playing = asyncio.create_task(play.play(8))
        await asyncio.sleep(1)
        play.records.stored[str(run.execution)] = stored(run, "running")
        play.news.run_ended(run)
        await asyncio.sleep(3)
        play.records.stored[str(run.execution)] = stored(run)
        await playing
        return play

    assert [("execution", "running"), ("execution", "failed")] == played(story()).told


def test_an_end_without_a_record_is_told_as_an_end_and_completed_later():
    """MongoDB is away for a minute: lists need not show it as running that long, and learn how it ended."""

    async def story() -> Story:
        play, run = Story(), run_of(1)
        play.records.is_away = True
        play.news.run_ended(run)
        playing = asyncio.create_task(play.play(70))
        await asyncio.sleep(60)
        play.records.stored[str(run.execution)] = stored(run)
        play.records.is_away = False
        await playing
        return play

    play = played(story())

    assert [("execution", None), ("execution", "failed")] == play.told
    assert 1 == play.news.unresolved
    assert play.records.looks < 70


def test_an_outage_longer_than_patience_ends_with_a_resync():
    """More ends than are kept waiting: nothing grows, and listeners start over when history is back."""

    async def story() -> Story:
        play = Story()
        play.records.is_away = True
        playing = asyncio.create_task(play.play(30))
        for number in range(10_500):
            play.news.run_ended(run_of(number))
        await asyncio.sleep(20)
        play.records.is_away = False
        await playing
        return play

    assert ("resync", None) in played(story()).told


def test_many_ends_are_read_in_batches():
    """A thousand ends are a few queries and not a thousand."""

    async def story() -> Story:
        play = Story()
        for number in range(1_000):
            run = run_of(number)
            play.records.stored[str(run.execution)] = stored(run)
            play.news.run_ended(run)
        await play.play(2)
        return play

    play = played(story())

    assert 1_000 == play.told.count(("execution", "failed"))
    assert 2 == play.records.looks
