"""Measures this host's clock and closes the gate while it cannot be trusted (situations 13 to 16)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from common.domain.errors import STORE_FAILURES
from common.runtime.clock import Clock
from worker.domain.clock_guard import ClockState, measure, observe
from worker.gate import Bar, Gate

log: Final = structlog.get_logger(__name__)

_LOOK_S: Final = 1.0


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


class ClockWatch:
    """Keeps the gate's clock bar in step with what is known of the clock."""

    def __init__(
        self,
        clock: Clock,
        gate: Gate,
        reference: ClockReference,
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
        self._interval_s = interval_s
        self._on_step = on_step
        self._announce = announce
        self._sleep = sleep
        self._state = ClockState()

    @property
    def offset_ms(self) -> int | None:
        return self._state.offset_ms

    async def run(self) -> None:
        """Look at the own clocks every second and at the others' every few seconds, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look(), name="clock_watch.look")
            group.create_task(self._measure(), name="clock_watch.measure")

    async def _look(self) -> None:
        while True:
            state, step = observe(
                self._state, wall_s=self._clock.now().timestamp(), uptime_s=self._clock.uptime_s()
            )
            self._become(state)
            if step is not None:
                log.warning("clock.stepped", step_s=round(step.step_s, 3))
                self._on_step()
            await self._sleep(_LOOK_S)

    async def _measure(self) -> None:
        while True:
            try:
                sample = await self._reference.sample()
            except STORE_FAILURES as error:
                log.debug("clock.unmeasured", error=str(error))
            else:
                self._become(
                    measure(self._state, own_offset_ms=sample.own_ms, peer_offsets_ms=sample.peers_ms)
                )
            await self._sleep(self._interval_s)

    def _become(self, state: ClockState) -> None:
        before = self._state.distrust
        self._state = state
        if state.distrust == before:
            return
        if state.distrust is None:
            self._gate.open(Bar.CLOCK)
        else:
            log.error("clock.distrusted", why=state.distrust)
            self._gate.close(Bar.CLOCK, state.distrust)
        self._announce()
