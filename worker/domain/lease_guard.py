"""How much longer the worker may rely on its lease.

Pure. The lease is counted from the moment a renewal was *sent*, on a clock that counts suspend, so the worker
always believes in an earlier end than the server. Two seconds before it the exclusive commands are stopped:
TERM at once, KILL early enough that nothing is left when another worker may start.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Exclusive commands are told to stop this long before the lease can end.
FENCE_MARGIN_S: Final = 2.0
#: And are killed this long before it.
KILL_MARGIN_S: Final = 0.75


class Hold(StrEnum):
    """What the worker may do under its lease."""

    SAFE = "safe"
    """Claim and run."""
    FENCING = "fencing"
    """The lease is about to end: claim nothing, stop exclusive commands."""
    OVER = "over"
    """It may have ended already (the process was frozen, or the host slept)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `decide_hold` found: `grace_s` is how long a command may take to stop."""

    hold: Hold
    grace_s: float = 0.0


def decide_hold(remaining_s: float) -> Verdict:
    """What to do with *remaining_s* seconds of lease left."""
    if remaining_s <= 0:
        return Verdict(Hold.OVER)
    if remaining_s <= FENCE_MARGIN_S:
        return Verdict(Hold.FENCING, grace_s=max(0.0, remaining_s - KILL_MARGIN_S))
    return Verdict(Hold.SAFE)


def next_check_s(remaining_s: float) -> float:
    """When to look again, in seconds from now: rarely while the lease is young, closely near its end."""
    return min(max(remaining_s - FENCE_MARGIN_S, 0.05), 1.0)
