"""The watchdog's answer at the very moment of a start, on virtual time over the fake store."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from common.domain.codec import RunRecord
from common.kv.session import Session
from tests.commands import assignment, job
from tests.fakes.kv import FakeStore
from tests.sim.clocks import SkewedClock
from tests.sim.loop import Host, JumpingLoop
from tests.sim.playing import play
from worker.domain.assignment import StopCause
from worker.fencing import LeaseWatchdog
from worker.gate import Gate
from worker.registration import Membership
from worker.running import RunningExecution, RunningExecutions

TTL_S = 10


class Scene:
    """A session that runs, and a watchdog over it."""

    def __init__(self, loop: JumpingLoop) -> None:
        self.host = Host(loop, "worker")
        self.store = FakeStore()
        self.clock = SkewedClock(loop)
        self.session = Session(self.store.client("worker"), self.clock, ttl_s=TTL_S)
        self.watchdog = LeaseWatchdog(
            self.session, Membership("worker", "/agent/health/worker"), RunningExecutions(), Gate()
        )

    def claimed(self) -> RunningExecution:
        """An execution claimed under the present session."""
        given = assignment(job(command="x"), session=f"{self.session.lease_id:x}")
        record = RunRecord(
            worker="worker",
            session=given.session,
            nonce="n",
            namespace="default",
            name="x",
            generation=1,
            cause=given.cause,
            scheduled_at=given.scheduled_at,
            claimed_at=given.claimed_at,
        )
        return RunningExecution(given, record, exclusive=True, job_revision=1)


async def nothing(_scene: Scene, _running: RunningExecution) -> None:
    pass


async def press(_scene: Scene, running: RunningExecution) -> None:
    running.switch.press(StopCause.REQUESTED)


async def stand_still(scene: Scene, _running: RunningExecution) -> None:
    """Frozen for longer than the lease, and looked at before the loop has had a turn."""
    scene.host.freeze()
    await asyncio.sleep(TTL_S + 1)


async def begin_another_session(scene: Scene, _running: RunningExecution) -> None:
    scene.store.away = True
    await scene.session.lost(1)
    scene.store.away = False
    await scene.session.opened()


@pytest.mark.parametrize(
    ("happens", "may_start"),
    [
        pytest.param(nothing, True, id="nothing"),
        pytest.param(press, False, id="asked to stop"),
        pytest.param(stand_still, False, id="frozen"),
        pytest.param(begin_another_session, False, id="another session"),
    ],
)
def test_whether_a_claimed_execution_may_still_start(
    happens: Callable[[Scene, RunningExecution], Awaitable[None]], may_start: bool
) -> None:
    """Situation 21, between the decision to start and the start itself."""

    async def story(loop: JumpingLoop) -> bool:
        scene = Scene(loop)
        scene.host.start(scene.session.run(), name="session")
        await scene.session.opened()
        running = scene.claimed()
        await happens(scene, running)
        return scene.clock.uptime_s() < scene.watchdog.start_by(running)

    assert may_start is play(story)
