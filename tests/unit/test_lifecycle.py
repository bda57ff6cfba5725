"""Stopping: which request does what, and how a failing loop ends the others."""

import asyncio
import os
import signal

import pytest

from common.runtime.lifecycle import Stop, end_all, install_signal_handlers, run_together


@pytest.mark.parametrize(
    ("happenings", "expected"),
    [
        pytest.param([], (False, False, ""), id="nothing"),
        pytest.param(["drain"], (True, False, "drain"), id="one request"),
        pytest.param(["drain", "lease lost"], (True, False, "drain"), id="two requests do not hurry"),
        pytest.param([signal.SIGTERM], (True, False, "SIGTERM"), id="one signal"),
        pytest.param(["drain", signal.SIGINT], (True, False, "drain"), id="first signal into a drain"),
        pytest.param([signal.SIGINT, signal.SIGTERM], (True, True, "SIGINT"), id="second signal"),
    ],
)
def test_signals_and_requests(happenings, expected):
    """A request is orderly, however often it comes; only a second signal hurries."""
    stop = Stop()

    for happening in happenings:
        if isinstance(happening, str):
            stop.request(happening)
        else:
            stop.receive(happening)

    assert expected == (stop.requested.is_set(), stop.hurried.is_set(), stop.reason)


def test_hurry_includes_the_request():
    """Whoever only waits for `requested` hears of a hurried stop too."""
    stop = Stop()

    stop.hurry("lost")

    assert stop.requested.is_set()
    assert stop.hurried.is_set()


async def test_a_real_signal_reaches_the_stop():
    """SIGTERM to the process sets the event inside the loop."""
    stop = Stop()
    install_signal_handlers(stop)

    try:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await stop.wait()
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(signum)

    expected = "SIGTERM"
    assert expected == stop.reason


async def test_a_signal_ignored_from_outside_stays_ignored():
    """`nohup worker` survives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        install_signal_handlers(Stop())
        handler = signal.getsignal(signal.SIGHUP)
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(signum)
        signal.signal(signal.SIGHUP, before)

    assert handler is signal.SIG_IGN


async def test_every_task_has_cleaned_up_at_the_end():
    """Also one that failed meanwhile, or was done already."""
    seen: list[str] = []

    async def steady() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("steady")

    async def failing() -> None:
        raise ValueError("no luck")

    async def once() -> None:
        seen.append("once")

    tasks = [asyncio.create_task(loop()) for loop in (steady, failing, once)]
    await asyncio.sleep(0)

    await end_all(tasks)

    assert ["once", "steady"] == seen
    assert all(task.done() for task in tasks)
    assert isinstance(tasks[1].exception(), ValueError)


class DeafOnce:
    """As `asyncio.wait_for` of Python 3.11 may do it: the loop goes on as if nobody had asked."""

    def __init__(self) -> None:
        self.swallowed = 0

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.swallowed += 1
        await asyncio.Event().wait()


@pytest.mark.parametrize("is_inner", [pytest.param(False, id="a loop"), pytest.param(True, id="in a loop")])
async def test_a_swallowed_cancellation_is_repeated(is_inner):
    """Also to what runs inside the loop that is told to end."""
    deaf = DeafOnce()
    task = asyncio.create_task(run_together(deaf.run) if is_inner else deaf.run())
    await asyncio.sleep(0.01)

    async with asyncio.timeout(10):
        await end_all([task])

    assert 1 == deaf.swallowed
    assert task.cancelled()


async def test_loops_that_run_together_end_together():
    """The failure of one is the failure of all, after the others have ended."""
    deaf = DeafOnce()

    async def failing() -> None:
        raise ValueError("no luck")

    async with asyncio.timeout(10):
        with pytest.raises(ValueError, match="no luck"):
            await run_together(deaf.run, asyncio.Event().wait, failing)

    assert 1 == deaf.swallowed
