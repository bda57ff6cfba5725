"""Python's garbage collector, told what kind of program this is.

Jobs stay in memory for days and the rest dies young. With the default thresholds the collector walks over
all jobs again and again: with 100,000 of them the loop stood still for half a second each time.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Final

#: New objects before the young generation is looked at, and how many rounds of each before the next older.
_THRESHOLDS: Final = (20_000, 20, 50)
_LOOK_S: Final = 5.0
_WORTH_IT: Final = 1_000


def relax_collector() -> None:
    """Look less often; call it once, at the start of a program."""
    gc.set_threshold(*_THRESHOLDS)


class LongLived:
    """Takes what was loaded and stays out of the collector's sight, whenever there is much more of it."""

    def __init__(self, count: Callable[[], int]) -> None:
        """*count* answers how much there is, such as the number of planned jobs."""
        self._count = count
        self._settled = 0

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        last = 0
        while True:
            await asyncio.sleep(_LOOK_S)
            count = self._count()
            # Only when it has stopped growing: half a load would have to be walked over twice.
            if count == last and count > self._settled * 1.2 + _WORTH_IT:
                gc.collect()
                gc.freeze()
                self._settled = count
            last = count
