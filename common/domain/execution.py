"""The life of an execution: its states, what may happen in each, and why it happened.

Pure. Any pair that is not in `TRANSITIONS` is a bug and changes nothing.
"""

from enum import StrEnum
from typing import Final

from common.domain.errors import IllegalTransition


class Status(StrEnum):
    """Where an execution stands. The last five are outcomes: terminal, recorded once."""

    CLAIMED = "claimed"
    """A worker has taken the tick and has not spawned the command yet."""
    RUNNING = "running"
    """The command runs."""
    SUCCEEDED = "succeeded"
    """It ended with an exit code the job counts as success."""
    FAILED = "failed"
    """It ended with another exit code or by a signal, or could not be spawned."""
    TIMED_OUT = "timed_out"
    """It was stopped because it ran longer than `timeout_s`."""
    KILLED = "killed"
    """A person, or overlap policy `replace`, or a worker's shutdown stopped it."""
    LOST = "lost"
    """Nobody knows how it ended: its worker died, or lost its lease."""

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL_STATUSES


TERMINAL_STATUSES: Final = frozenset(
    {Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.KILLED, Status.LOST}
)


class Event(StrEnum):
    """What can happen to an execution."""

    STARTED = "started"
    SPAWN_FAILED = "spawn_failed"
    EXITED_OK = "exited_ok"
    EXITED_BAD = "exited_bad"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    LOST = "lost"


TRANSITIONS: Final[dict[tuple[Status, Event], Status]] = {
    (Status.CLAIMED, Event.STARTED): Status.RUNNING,
    (Status.CLAIMED, Event.SPAWN_FAILED): Status.FAILED,
    (Status.CLAIMED, Event.KILLED): Status.KILLED,
    (Status.CLAIMED, Event.LOST): Status.LOST,
    (Status.RUNNING, Event.EXITED_OK): Status.SUCCEEDED,
    (Status.RUNNING, Event.EXITED_BAD): Status.FAILED,
    (Status.RUNNING, Event.TIMED_OUT): Status.TIMED_OUT,
    (Status.RUNNING, Event.KILLED): Status.KILLED,
    (Status.RUNNING, Event.LOST): Status.LOST,
    # Situation 36: the owner's real result arrives after the reconciler had given the execution up.
    (Status.LOST, Event.EXITED_OK): Status.SUCCEEDED,
    (Status.LOST, Event.EXITED_BAD): Status.FAILED,
    (Status.LOST, Event.TIMED_OUT): Status.TIMED_OUT,
    (Status.LOST, Event.KILLED): Status.KILLED,
}


def advance(status: Status, event: Event) -> Status:
    """
    The status after *event*.

    Raises:
        IllegalTransition: *event* cannot happen in *status*.
    """
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransition(status=status, event=event) from None


class Cause(StrEnum):
    """Why an execution was started."""

    SCHEDULE = "schedule"
    """Its tick came due."""
    CATCH_UP = "catch_up"
    """Its tick came due while nobody could run it."""
    MANUAL = "manual"
    """Somebody asked for it."""
    RETRY = "retry"
    """An earlier attempt of the same tick did not succeed."""
    QUEUED = "queued"
    """Its tick waited for the execution before it (overlap `queue_one`)."""


class LedgerKind(StrEnum):
    """What became of a tick that did not run."""

    SKIPPED = "skipped"
    """Deliberately not run."""
    MISSED = "missed"
    """Should have run, and nobody could."""


class EntryKind(StrEnum):
    """What the ledger says of a tick, or of a run of ticks."""

    EXECUTION = "execution"
    """It was started."""
    SKIPPED = LedgerKind.SKIPPED.value
    MISSED = LedgerKind.MISSED.value


class Reason(StrEnum):
    """Why a tick did not run, or why an execution ended as it did."""

    # skipped
    OVERLAP = "overlap"
    """The execution before it was still running."""
    CHANGED = "changed"
    """The job was changed between the claim and the start."""
    PAUSED = "paused"
    """The job was disabled or paused at that time."""
    # missed
    DEADLINE = "deadline"
    """It could not be started within its start deadline."""
    DOWNTIME = "downtime"
    """Older than the catch-up rules allow when the scheduler came back."""
    NO_WORKER = "no_worker"
    """No live worker fits the job's target and executor."""
    NO_SLOT = "no_slot"
    """Every worker that fits was full."""
    COORDINATION = "coordination"
    """etcd could not be reached."""
    CLOCK = "clock"
    """The clock of the worker could not be trusted."""
    # killed
    REQUESTED = "requested"
    REPLACED = "replaced"
    SHUTDOWN = "shutdown"
    # killed, lost
    BEFORE_START = "before_start"
    # lost
    WORKER_GONE = "worker_gone"
    """The session of the worker that ran it has ended."""
    LEASE = "lease"
    """The worker could not renew its lease and stopped the command itself."""
    FENCED = "fenced"
    """The worker was frozen past its lease."""
    # failed
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    SPAWN = "spawn"
    """The command could not be spawned; the record's `error` says why."""
    TIMEOUT = "timeout"
