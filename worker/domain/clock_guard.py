"""Whether this host's clock can be trusted with starting commands (situations 13 to 16).

Pure. Two witnesses: the distance between wall clock and uptime shows a step at once; the offset to MongoDB's
clock, compared with the median of all live workers' offsets and MongoDB's own, shows a clock that was wrong
from the beginning. The median, so that a wrong MongoDB host stops nobody; MongoDB is among those asked, so
that two wrong clocks of three do not win: where half of them say otherwise, nobody claims. A clock set
ahead has to be compared before it is believed: an hour of ticks would start an hour early otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

#: A clock further than this from its peers claims nothing.
MAX_OFFSET_MS: Final = 2_000
#: A forward step up to this is treated as if the scheduler had been down; a longer one is not believed.
MAX_FORWARD_STEP_S: Final = 3 * 3600
#: A step smaller than this is the clock being disciplined.
_NOTICEABLE_STEP_S: Final = 0.5
#: Two readings a moment apart: asked before every claim, so nothing is built for them.
_SAME_S: Final = 0.001
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
        unconfirmed: Why it has to be compared with the others before anything is claimed by it.
    """

    base_s: float | None = None
    distrust: str | None = None
    good_samples: int = 0
    offset_ms: int | None = None
    unconfirmed: str | None = None

    @property
    def why_barred(self) -> str | None:
        """Why nothing may be claimed by this clock; None when it may."""
        return self.distrust or self.unconfirmed


#: Of a worker that has just started.
NOT_COMPARED: Final = ClockState(unconfirmed="the clock has not been compared with the others' yet")


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock moved by `step_s` seconds against uptime."""

    step_s: float


def observe(state: ClockState, *, wall_s: float, uptime_s: float) -> tuple[ClockState, ClockStep | None]:
    """Take note of the two clocks of this host; the second result is a step, if there was one."""
    base_s = wall_s - uptime_s
    if state.base_s is not None and abs(base_s - state.base_s) < _SAME_S:
        return state, None
    if state.base_s is None or abs(base_s - state.base_s) < _NOTICEABLE_STEP_S:
        # Slow drift moves the base along, so that a month of it never adds up to a step.
        return replace(state, base_s=base_s), None
    step_s = base_s - state.base_s
    moved = replace(state, base_s=base_s)
    if state.offset_ms is not None:
        # What was measured moves along: a clock that was right is wrong now, whether or not one can ask.
        moved = replace(moved, offset_ms=state.offset_ms + round(step_s * 1000))
    if step_s > MAX_FORWARD_STEP_S or (step_s > 0 and (moved.offset_ms or 0) > MAX_OFFSET_MS):
        moved = _distrusted(moved, f"the clock was set {step_s:.1f} s ahead")
    elif step_s > 0:
        moved = replace(moved, unconfirmed=f"the clock was set {step_s:.1f} s ahead and not compared since")
    return moved, ClockStep(step_s)


def measure(state: ClockState, *, own_offset_ms: int, peer_offsets_ms: Sequence[int]) -> ClockState:
    """
    Take note of a measured offset.

    Args:
        own_offset_ms: This host's clock minus the reference clock.
        peer_offsets_ms: The same of the other live workers. Without peers the reference itself is trusted.
    """
    state = confirmed(state)
    # MongoDB's own offset to itself is 0.
    reference = median([own_offset_ms, *peer_offsets_ms, 0]) if len(peer_offsets_ms) >= 2 else 0
    offset_ms = round(own_offset_ms - reference)
    if abs(offset_ms) > MAX_OFFSET_MS:
        side = "ahead of" if offset_ms > 0 else "behind"
        words = f"the clock is {abs(offset_ms) / 1000:.1f} s {side} its peers"
        return replace(_distrusted(state, words), offset_ms=offset_ms)
    if state.distrust is None:
        return replace(state, offset_ms=offset_ms)
    good = state.good_samples + 1
    if good >= GOOD_SAMPLES:
        return ClockState(base_s=state.base_s, offset_ms=offset_ms)
    return replace(state, good_samples=good, offset_ms=offset_ms)


def confirmed(state: ClockState) -> ClockState:
    """The clock was compared, or nobody is there to compare it with."""
    return replace(state, unconfirmed=None)


def _distrusted(state: ClockState, why: str) -> ClockState:
    return replace(state, distrust=why, good_samples=0)
