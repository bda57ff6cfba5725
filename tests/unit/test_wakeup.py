"""The flag a loop waits for, or some seconds at most."""

import asyncio
import time

import pytest

from common.runtime.wakeup import Wakeup


async def test_a_wait_ends_when_somebody_wakes_it():
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait(60))
    await asyncio.sleep(0)
    wakeup.set()
    assert await asyncio.wait_for(waiting, 1) is True


async def test_a_wait_ends_after_its_time():
    started_s = time.monotonic()
    assert await Wakeup().wait(0.05) is False
    assert 0.04 < time.monotonic() - started_s < 1


async def test_a_time_that_is_over_is_no_wait():
    assert await Wakeup().wait(-1) is False


async def test_what_came_before_the_wait_counts_until_it_is_cleared():
    wakeup = Wakeup()
    wakeup.set()
    assert await wakeup.wait(60) is True
    assert await wakeup.wait(60) is True
    wakeup.clear()
    assert await wakeup.wait(0.001) is False


async def test_a_cancelled_wait_leaves_nothing_behind():
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait(60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    wakeup.set()
    assert await wakeup.wait(60) is True
