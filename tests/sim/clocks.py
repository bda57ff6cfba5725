"""Wall clocks of simulated hosts: offset, drift and steps against the loop's true time."""

from datetime import UTC, datetime, timedelta
from typing import Final

from tests.sim.loop import JumpingLoop

#: Where every simulation begins: a Monday, on a whole hour.
EPOCH: Final = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)


class SkewedClock:
    """
    The two clocks of one host, as `common.runtime.clock.Clock`.

    Args:
        offset_s: How far the wall clock is ahead of true time at the start.
        drift: How much faster than true time it goes: 1e-4 gains 8.64 s a day.
    """

    def __init__(self, loop: JumpingLoop, offset_s: float = 0.0, drift: float = 0.0) -> None:
        self._loop = loop
        self._offset_s = offset_s
        self._drift = drift
        self._since_s = loop.time()
        self._told: tuple[float, datetime] = (-1.0, EPOCH)

    def now(self) -> datetime:
        # Asked several times at most instants, and a datetime costs more than all else here.
        shown_s = self._loop.time() + self.offset_s
        if self._told[0] != shown_s:
            self._told = (shown_s, EPOCH + timedelta(seconds=shown_s))
        return self._told[1]

    def uptime_s(self) -> float:
        # Not the loop's own number: code that mixes up uptime and loop time must not get away with it.
        return 100_000.0 + self._loop.time()

    @property
    def offset_s(self) -> float:
        """How far the wall clock is ahead of true time now."""
        return self._offset_s + self._drift * (self._loop.time() - self._since_s)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward (or back, if negative); the uptime does not notice."""
        self._offset_s = self.offset_s + seconds
        self._since_s = self._loop.time()

    def run_at(self, drift: float) -> None:
        """Change the speed from now on."""
        self._offset_s = self.offset_s
        self._since_s = self._loop.time()
        self._drift = drift


def true_time(loop: JumpingLoop) -> datetime:
    """What a perfect clock shows."""
    return EPOCH + timedelta(seconds=loop.time())
