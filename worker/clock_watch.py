"""Measures this host's clock and closes the gate while it cannot be trusted (situations 13 to 16)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from common.domain.errors import STORE_FAILURES
from common.runtime.clock import Clock
from common.runtime.lifecycle import run_together
from common.runtime.wakeup import Wakeup
from worker.domain.clock_guard import NOT_COMPARED, ClockState, confirmed, measure, observe
from worker.gate import Bar, Gate

log: Final = structlog.get_logger(__name__)

_LOOK_S: Final = 1.0
#: How long a clock that nobody can be asked about is not claimed by.
_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class OffsetSample:
    """This host's clock minus the reference clock, in milliseconds, and what the other live workers found."""

    own_ms: int
    peers_ms: Sequence[int]


class ClockReference(Protocol):
    async def sample(self) -> OffsetSample:
        """
        Measure once.

        Raises:
            StoreUnavailable: The reference cannot be reached.
        """
        ...


class ClockMark(Protocol):
    """Remembers over restarts that the clock is not trusted: a fresh process may have nobody to ask."""

    def read(self) -> str | None: ...

    def write(self, why: str | None) -> None: ...


class ClockWatch:
    """Keeps the gate's clock bar in step with what is known of the clock."""

    def __init__(
        self,
        clock: Clock,
        gate: Gate,
        reference: ClockReference,
        mark: ClockMark,
        *,
        interval_s: float,
        on_step: Callable[[], None],
        announce: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """*on_step* is called after every step of the wall clock, *announce* when trust changes."""
        self._clock = clock
        self._gate = gate
        self._reference = reference
        self._mark = mark
        self._interval_s = interval_s
        self._on_step = on_step
        self._announce = announce
        self._sleep = sleep
        self._state = replace(NOT_COMPARED, distrust=mark.read())
        self._unconfirmed_since_s = clock.uptime_s()
        self._is_wanted = Wakeup()
        gate.close(Bar.CLOCK, self._state.why_barred or "")
        gate.look_first(self.look)

    @property
    def offset_ms(self) -> int | None:
        return self._state.offset_ms

    async def run(self) -> None:
        """Look at the own clocks every second and at the others' every few seconds, for ever."""
        await run_together(self._keep_looking, self._measure)

    def look(self) -> None:
        """Compare the two clocks of this host, now."""
        state, step = observe(
            self._state, wall_s=self._clock.now().timestamp(), uptime_s=self._clock.uptime_s()
        )
        if state.unconfirmed is not None and state.unconfirmed != self._state.unconfirmed:
            self._unconfirmed_since_s = self._clock.uptime_s()
            self._is_wanted.set()
        self._become(state)
        if step is not None:
            log.warning("clock.stepped", step_s=round(step.step_s, 3))
            self._on_step()

    async def _keep_looking(self) -> None:
        while True:
            self.look()
            await self._sleep(_LOOK_S)

    async def _measure(self) -> None:
        while True:
            self._is_wanted.clear()
            try:
                sample = await self._reference.sample()
            except STORE_FAILURES as error:
                log.debug("clock.unmeasured", error=str(error))
                if self._clock.uptime_s() - self._unconfirmed_since_s >= _PATIENCE_S:
                    # Nobody to ask, and starts must go on without MongoDB (situation 25).
                    self._become(confirmed(self._state))
            else:
                self._become(
                    measure(self._state, own_offset_ms=sample.own_ms, peer_offsets_ms=sample.peers_ms)
                )
            await self._wait()

    async def _wait(self) -> None:
        """Until the next measurement is due: soon when the clock waits for one."""
        pause_s = self._interval_s if self._state.unconfirmed is None else min(1.0, self._interval_s)
        await self._is_wanted.wait(pause_s)

    def _become(self, state: ClockState) -> None:
        before = self._state.why_barred
        if (state.distrust is None) != (self._state.distrust is None):
            self._mark.write(state.distrust)
        self._state = state
        if state.why_barred == before:
            return
        if state.why_barred is None:
            self._gate.open(Bar.CLOCK)
        else:
            if state.distrust is not None:
                log.error("clock.distrusted", why=state.distrust)
            self._gate.close(Bar.CLOCK, state.why_barred)
        self._announce()
