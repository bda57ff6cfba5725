"""A story of one test, told on virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.sim.loop import JumpingLoop

T = TypeVar("T")


def play(story: Callable[[JumpingLoop], Coroutine[Any, Any, T]]) -> T:
    """What *story* returns, told on a loop of its own whose time jumps."""
    loop = JumpingLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(story(loop))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
