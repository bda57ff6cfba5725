"""The watchdog of the lease: stops exclusive commands before another worker could start the next ones.

Runs beside everything else and does nothing as long as renewals are on time. A process that was frozen finds
its deadline in the past when it wakes up: then the exclusive commands are killed without grace.
"""

from typing import Final

import structlog

from common.domain.policy import OnLeaseLoss
from common.kv.session import Session
from worker.domain.assignment import StopCause
from worker.domain.lease_guard import Hold, Verdict, decide_hold, next_check_s
from worker.gate import Bar, Gate
from worker.registration import Membership
from worker.running import RunningExecution, RunningExecutions

log: Final = structlog.get_logger(__name__)


class LeaseWatchdog:
    """Presses the switches of executions that rely on a lease that is ending."""

    def __init__(
        self, session: Session, membership: Membership, running: RunningExecutions, gate: Gate
    ) -> None:
        self._session = session
        self._membership = membership
        self._running = running
        self._gate = gate
        self._covered_session = ""

    async def run(self) -> None:
        """Watch, for ever."""
        while True:
            remaining_s = self.look()
            self._membership.changed.clear()
            await self._membership.changed.wait(next_check_s(remaining_s))

    @property
    def _present(self) -> str:
        """
        The session that covers what runs, as run records name it; "0" while there is none.

        By the lease itself: the registration follows it some seconds later when etcd was away, and a claim
        that succeeded at the last moment of the lease before would start under a lock that is about to end.
        """
        return f"{self._session.lease_id:x}"

    def look(self) -> float:
        """
        Act on what is left of the lease at this moment, and return it in seconds.

        Asked before every start and every claim as well: a process that wakes up from a freeze finds all its
        timers due at once, and the one of the watchdog need not be the first (situation 21).
        """
        remaining_s = self._remaining_s()
        self.check(remaining_s)
        return remaining_s

    def check(self, remaining_s: float) -> Verdict:
        """Open or close the gate for what is left of the lease; stop what relies on a lease that ends."""
        verdict = decide_hold(remaining_s)
        if verdict.hold is Hold.SAFE:
            self._gate.open(Bar.LEASE)
        else:
            self._gate.close(Bar.LEASE, "the lease in etcd could not be renewed")
        if self._membership.is_active:
            self._gate.open(Bar.SESSION)
        else:
            self._gate.close(Bar.SESSION, "not registered in etcd")
        session = self._present
        if verdict.hold is Hold.SAFE and session == self._covered_session:
            # The usual answer, before every start: a burst must not look at everything each time.
            return verdict
        self._covered_session = session
        for running in self._running:
            self._stop_without_cover(running, verdict)
        return verdict

    def look_before_start(self, running: RunningExecution) -> None:
        """
        The same, and stop *running* if it was claimed under a session that is no more.

        Whatever its overlap policy: what has not started yet, a master may have closed and tried again.
        """
        verdict = self.check(self._remaining_s())
        # The check has just noted which session covers what runs.
        if verdict.hold is Hold.OVER or running.assignment.session != self._covered_session:
            self._press(running, StopCause.FENCED, 0.0)
        elif verdict.hold is Hold.FENCING:
            self._stop_without_cover(running, verdict)

    def start_by(self, running: RunningExecution) -> float:
        """
        The same question for the very moment of the start: only looks, and presses nothing.

        Commands are started in another process, and one that was frozen on the way there goes on there,
        however long this one needs until it looks. So it is told how long the lease lasts (`Clock.uptime_s`).
        """
        if running.switch.is_pressed or running.assignment.session != self._present:
            return 0.0
        return self._session.deadline_s

    def _remaining_s(self) -> float:
        return self._session.remaining_s() if self._session.lease_id else 0.0

    def _stop_without_cover(self, running: RunningExecution, verdict: Verdict) -> None:
        assignment = running.assignment
        if not running.exclusive or assignment.spec.effective_on_lease_loss is OnLeaseLoss.CONTINUE:
            return
        if assignment.session != self._present:
            # Its lock went with an earlier lease, whatever the present one says.
            self._press(running, StopCause.FENCED, 0.0)
        elif verdict.hold is Hold.OVER:
            self._press(running, StopCause.FENCED, 0.0)
        elif verdict.hold is Hold.FENCING:
            self._press(running, StopCause.LEASE, verdict.grace_s)

    def _press(self, running: RunningExecution, cause: StopCause, grace_s: float) -> None:
        if running.has_ended:
            # Only its release is under way.
            return
        if not running.switch.is_pressed:
            log.warning("execution.fenced", execution=running.id, cause=cause.value, grace_s=grace_s)
        running.switch.press(cause, grace_s=grace_s)
