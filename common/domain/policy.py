"""The policies of a job: what to do when ticks meet running executions, outages and lost leases.

Pure. Each member says what the user gets; `docs/job-reference.md` and the dashboard show the same words.
"""

from enum import StrEnum


class Overlap(StrEnum):
    """What happens to a tick that comes due while an execution of the same job still runs."""

    ALLOW = "allow"
    """Start regardless; executions of this job may overlap."""
    SKIP = "skip"
    """Drop the tick; the ledger names the execution that blocked it."""
    QUEUE_ONE = "queue_one"
    """Remember the first blocked tick and start it when the running execution ends; skip further ones."""
    REPLACE = "replace"
    """Kill the running execution, then start."""


class CatchUp(StrEnum):
    """What happens to ticks that came due while nobody could run them."""

    NONE = "none"
    """They do not start; the ledger lists them as missed."""
    LAST = "last"
    """Only the newest one within the catch-up window starts."""
    ALL = "all"
    """Oldest first, one at a time, at most 100 per recovery and one per second."""


class OnLeaseLoss(StrEnum):
    """What a worker does with a running execution when it cannot renew its session's lease."""

    KILL = "kill"
    """Stop it before the lease can end, so that it never overlaps with another worker's."""
    CONTINUE = "continue"
    """Let it go on; overlap with another worker is possible."""
