"""The switch that stops one execution: kill, timeout, replace, lease loss and shutdown all press it.

The first cause wins and is what the record says; a later, more urgent press only shortens the grace.
"""

from collections.abc import Callable

from worker.domain.assignment import StopCause


class StopSwitch:
    """Pressed at most once with effect; the supervisor of the execution listens to it."""

    __slots__ = ("_listener", "by", "cause", "grace_s")

    def __init__(self) -> None:
        self.cause: StopCause | None = None
        self.by: str | None = None
        self.grace_s: float | None = None
        self._listener: Callable[[], None] | None = None

    @property
    def is_pressed(self) -> bool:
        return self.cause is not None

    def press(self, cause: StopCause, *, by: str | None = None, grace_s: float | None = None) -> None:
        """
        Ask for the execution to be stopped.

        Args:
            by: Who asked, for the record.
            grace_s: Seconds between TERM and KILL; None leaves the job's own `kill_grace_s`. A second press
                can shorten the grace, never lengthen it.
        """
        if self.cause is None:
            self.cause = cause
            self.by = by
        if grace_s is not None and (self.grace_s is None or grace_s < self.grace_s):
            self.grace_s = grace_s
        if self._listener is not None:
            self._listener()

    def listen(self, listener: Callable[[], None] | None) -> None:
        """
        Call *listener* at every press from now on; None ends it. There is one: the supervisor.

        A call instead of a waiting task: most executions are never stopped, and a task for each would cost
        as much as the rest of its supervision.
        """
        self._listener = listener
