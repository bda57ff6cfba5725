"""The loop whose time jumps, its hosts and its clocks."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.sim.clocks import EPOCH, SkewedClock, true_time
from tests.sim.loop import Deadlock, Host, JumpingLoop, Livelock, NotSimulated, outside


@pytest.fixture
def loop() -> Iterator[JumpingLoop]:
    loop = JumpingLoop()
    yield loop
    loop.close()


async def beat(log: list[float], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        log.append(asyncio.get_running_loop().time())


def test_a_day_passes_at_once(loop: JumpingLoop) -> None:
    """86,400 seconds of sleep take none."""
    beats: list[float] = []
    host = Host(loop, "h")
    host.start(beat(beats, 60), name="beat")
    loop.run_until_complete(asyncio.sleep(86_400 + 1))
    host.dispose()

    assert 86_401 == pytest.approx(loop.time())
    assert 1440 == len(beats)


def test_timers_fire_in_order_and_timeouts_work(loop: JumpingLoop) -> None:
    """asyncio's own primitives run unchanged."""

    async def story() -> list[str]:
        log = []
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(10)
        except TimeoutError:
            log.append(f"timeout at {loop.time():g}")
        async with asyncio.TaskGroup() as group:
            for delay_s in (3, 1, 2):
                task = group.create_task(asyncio.sleep(delay_s), name=f"slept {delay_s}")
                task.add_done_callback(lambda done: log.append(done.get_name()))
        return log

    assert ["timeout at 5", "slept 1", "slept 2", "slept 3"] == loop.run_until_complete(story())


def test_waiting_for_nothing_is_a_deadlock(loop: JumpingLoop) -> None:
    """No timer, nothing ready: the error names who waits."""
    task = loop.create_task(asyncio.Event().wait(), name="the one who waits")
    with pytest.raises(Deadlock, match="the one who waits"):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_spinning_is_a_livelock(loop: JumpingLoop) -> None:
    """A task that yields for ever stops the test instead of the machine."""

    async def spin() -> None:
        while True:  # noqa: ASYNC110 - that is the mistake
            await asyncio.sleep(0)

    task = loop.create_task(spin())
    with pytest.raises(Livelock, match="spin"):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_an_executor_runs_inline(loop: JumpingLoop) -> None:
    """fsync in a thread becomes a call; errors reach the caller."""

    def fail() -> None:
        raise OSError("disk full")

    async def story() -> int:
        with pytest.raises(OSError, match="disk full"):
            await asyncio.to_thread(fail)
        return await asyncio.to_thread(threading.get_ident)

    assert threading.get_ident() == loop.run_until_complete(story())


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda loop: loop.subprocess_exec(None, "/bin/true"), id="a process"),
        pytest.param(lambda loop: loop.create_connection(None, "localhost", 1), id="a connection"),
        pytest.param(lambda loop: loop.getaddrinfo("localhost", 1), id="a name look-up"),
    ],
)
def test_the_real_world_is_refused(loop: JumpingLoop, call: Callable[[JumpingLoop], Any]) -> None:
    """What virtual time cannot cover fails loudly instead of hanging."""
    with pytest.raises(NotSimulated, match="real world"):
        loop.run_until_complete(call(loop))


def test_a_thread_is_refused(loop: JumpingLoop) -> None:
    """A callback from another thread would come at a random moment of virtual time."""
    seen: list[BaseException] = []

    def call_back() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except NotSimulated as error:
            seen.append(error)

    thread = threading.Thread(target=call_back)
    thread.start()
    thread.join()

    assert 1 == len(seen)


def test_a_frozen_host_stands_still_and_catches_up(loop: JumpingLoop) -> None:
    """Timers that come due meanwhile fire at the thaw; other hosts go on."""
    slow: list[float] = []
    other: list[float] = []
    host, neighbour = Host(loop, "frozen"), Host(loop, "other")
    host.start(beat(slow, 10), name="beat")
    neighbour.start(beat(other, 10), name="beat")
    loop.call_at(15, host.freeze)
    loop.call_at(47, host.thaw)
    loop.run_until_complete(asyncio.sleep(60))
    host.dispose()
    neighbour.dispose()

    assert [10, 47, 57] == slow
    assert [10, 20, 30, 40, 50] == other[:5]


def test_a_timer_cancelled_by_its_host_at_the_thaw_does_not_fire(loop: JumpingLoop) -> None:
    """A frozen worker that wakes up and cancels a timeout first is not hit by it."""
    log: list[str] = []

    async def story() -> None:
        timer = loop.call_later(5, log.append, "fired")
        loop.call_later(4, timer.cancel)
        await asyncio.sleep(10)

    host = Host(loop, "h")
    task = host.start(story(), name="story")
    loop.call_at(1, host.freeze)
    loop.call_at(30, host.thaw)
    loop.run_until_complete(task)

    assert [] == log


def test_a_killed_host_cleans_nothing_up(loop: JumpingLoop) -> None:
    """kill -9 runs no `finally` and answers nobody."""
    log: list[str] = []

    async def story() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            log.append("cleaned up")

    host = Host(loop, "h")
    host.start(story(), name="story")
    loop.call_at(1, host.kill)
    loop.run_until_complete(asyncio.sleep(1000))

    assert [] == log
    host.dispose()
    loop.run_until_complete(asyncio.sleep(0))


def test_what_starts_outside_outlives_its_host(loop: JumpingLoop) -> None:
    """A command goes on when the worker that spawned it dies."""
    log: list[float] = []

    async def spawn() -> None:
        outside(loop.call_later, 10, lambda: log.append(loop.time()))
        await asyncio.sleep(100)

    host = Host(loop, "h")
    host.start(spawn(), name="spawn")
    loop.call_at(1, host.kill)
    loop.run_until_complete(asyncio.sleep(50))
    host.dispose()
    loop.run_until_complete(asyncio.sleep(0))

    assert [10] == log


def test_an_empty_context_belongs_to_nobody(loop: JumpingLoop) -> None:
    """A message under way arrives when its sender is dead."""
    log: list[float] = []

    async def send() -> None:
        loop.call_later(10, lambda: log.append(loop.time()), context=contextvars.Context())
        await asyncio.sleep(100)

    host = Host(loop, "h")
    host.start(send(), name="send")
    loop.call_at(1, host.kill)
    loop.run_until_complete(asyncio.sleep(50))
    host.dispose()
    loop.run_until_complete(asyncio.sleep(0))

    assert [10] == log


@pytest.mark.parametrize(
    ("change", "expected_s"),
    [
        pytest.param(lambda _: None, 100 + 1.5, id="offset"),
        pytest.param(lambda clock: clock.step(3600), 100 + 1.5 + 3600, id="step forward"),
        pytest.param(lambda clock: clock.step(-90), 100 + 1.5 - 90, id="step back"),
        pytest.param(lambda clock: clock.run_at(0.01), 100 + 1.5 + 0.5, id="drift from then on"),
    ],
)
def test_a_skewed_clock(loop: JumpingLoop, change: Callable[[SkewedClock], None], expected_s: float) -> None:
    """The wall clock can be changed at 50 s; the uptime never notices."""
    clock = SkewedClock(loop, offset_s=1.5)
    uptime_s = clock.uptime_s()
    loop.call_at(50, change, clock)
    loop.run_until_complete(asyncio.sleep(100))

    assert expected_s == pytest.approx((clock.now() - EPOCH).total_seconds())
    assert 100 == pytest.approx(clock.uptime_s() - uptime_s)
    assert EPOCH + timedelta(seconds=100) == true_time(loop)
