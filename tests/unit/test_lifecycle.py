"""Stopping: which request does what, and how a failing loop ends the others."""

import asyncio
import os
import signal

import pytest

from common.runtime.lifecycle import Stop, install_signal_handlers, run_until


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


async def test_loops_are_named_and_cleaned_up():
    """A stop cancels every loop and returns when all have cleaned up."""
    stop = Stop()
    seen: list[str] = []

    async def heartbeat() -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            stop.request("enough")
            await asyncio.Event().wait()
        finally:
            seen.append(task.get_name())

    await run_until(stop, heartbeat)

    assert [heartbeat.__qualname__] == seen


async def test_a_failing_loop_ends_the_others():
    """The error comes out itself, not in a group, and no loop is left behind."""
    cleaned_up = asyncio.Event()

    async def steady() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()

    async def failing() -> None:
        raise ValueError("no luck")

    with pytest.raises(ValueError, match="no luck"):
        await run_until(Stop(), steady, failing)

    assert cleaned_up.is_set()


async def test_every_failure_is_told():
    """The first error is raised; the others stand in its notes."""

    async def first() -> None:
        raise ValueError("one")

    async def second() -> None:
        raise KeyError("two")

    with pytest.raises(ValueError, match="one") as caught:
        await run_until(Stop(), first, second)

    expected = ["also failed: KeyError: 'two'"]
    assert expected == caught.value.__notes__


async def test_a_loop_that_returns_is_not_missed():
    """The others go on until the stop."""
    stop = Stop()
    rounds: list[int] = []

    async def once() -> None:
        rounds.append(1)

    async def then_stop() -> None:
        await asyncio.sleep(0)
        rounds.append(2)
        stop.request("done")

    await run_until(stop, once, then_stop)

    expected = [1, 2]
    assert expected == rounds
