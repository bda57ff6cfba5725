"""Whether this host's clock can be trusted with starting commands (situations 13 to 16).

Pure. Two witnesses: the distance between wall clock and uptime shows a step within a second; the offset to
MongoDB's clock, compared with the median of all live workers' offsets, shows a clock that was wrong from
the beginning (the median, so that a wrong MongoDB host stops nobody).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

#: A clock further than this from its peers claims nothing.
MAX_OFFSET_MS: Final = 2_000
#: A forward step up to this is treated as if the scheduler had been down; a longer one is not believed.
MAX_FORWARD_STEP_S: Final = 3 * 3600
#: A step smaller than this is the clock being disciplined.
_NOTICEABLE_STEP_S: Final = 0.5
GOOD_SAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class ClockState:
    """
    What is known of the clock.

    Attributes:
        base_s: Wall clock minus uptime, when last looked at.
        distrust: Why it is not trusted; None when it is.
        good_samples: Good samples in a row since it was distrusted.
        offset_ms: Distance to the median of the peers, when last measured.
    """

    base_s: float | None = None
    distrust: str | None = None
    good_samples: int = 0
    offset_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock moved by `step_s` seconds against uptime."""

    step_s: float


def observe(state: ClockState, *, wall_s: float, uptime_s: float) -> tuple[ClockState, ClockStep | None]:
    """Take note of the two clocks of this host; the second result is a step, if there was one."""
    base_s = wall_s - uptime_s
    if state.base_s is None or abs(base_s - state.base_s) < _NOTICEABLE_STEP_S:
        # Slow drift moves the base along, so that a month of it never adds up to a step.
        return _with(state, base_s=base_s), None
    step_s = base_s - state.base_s
    moved = _with(state, base_s=base_s)
    if step_s > MAX_FORWARD_STEP_S:
        moved = _distrusted(moved, f"the clock jumped {step_s / 3600:.1f} h ahead")
    return moved, ClockStep(step_s)


def measure(state: ClockState, *, own_offset_ms: int, peer_offsets_ms: Sequence[int]) -> ClockState:
    """
    Take note of a measured offset.

    Args:
        own_offset_ms: This host's clock minus the reference clock.
        peer_offsets_ms: The same of the other live workers. Without peers the reference itself is trusted.
    """
    reference = median([own_offset_ms, *peer_offsets_ms]) if len(peer_offsets_ms) >= 2 else 0
    offset_ms = round(own_offset_ms - reference)
    if abs(offset_ms) > MAX_OFFSET_MS:
        side = "ahead of" if offset_ms > 0 else "behind"
        words = f"the clock is {abs(offset_ms) / 1000:.1f} s {side} its peers"
        return _with(_distrusted(state, words), offset_ms=offset_ms)
    if state.distrust is None:
        return _with(state, offset_ms=offset_ms)
    good = state.good_samples + 1
    if good >= GOOD_SAMPLES:
        return ClockState(base_s=state.base_s, offset_ms=offset_ms)
    return ClockState(state.base_s, state.distrust, good, offset_ms)


def _distrusted(state: ClockState, why: str) -> ClockState:
    return ClockState(state.base_s, why, 0, state.offset_ms)


def _with(state: ClockState, *, base_s: float | None = None, offset_ms: int | None = None) -> ClockState:
    return ClockState(
        state.base_s if base_s is None else base_s,
        state.distrust,
        state.good_samples,
        state.offset_ms if offset_ms is None else offset_ms,
    )
