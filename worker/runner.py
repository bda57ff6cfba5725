"""One execution from its claim to its release.

The order is what makes records safe: claim, spawn, `started` spooled unless it has ended by then, exit,
`finished` on disk, and only then the finish transaction that removes the run record. So a run record that is
gone means a durable record exists; one that stays is closed by the reconciler.
"""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from common.domain.errors import STORE_FAILURES
from common.domain.execution import Reason, Status
from common.domain.records import LedgerRow
from common.domain.retry import next_retry
from common.runtime.clock import Clock, jittered
from worker.claims import Claims
from worker.domain.accounts import final_record, skipped_row, started_record
from worker.domain.assignment import Assignment, RunReport, StopCause
from worker.ports import Journal, Supervisor
from worker.running import RunningExecution, RunningExecutions

log: Final = structlog.get_logger(__name__)

#: A claim taken ahead waits for its tick at most this long; a clock that stepped back meanwhile gave it up.
_MAX_WAIT_S: Final = 5.0
_FINISH_RETRY_S: Final = 0.5
_FINISH_RETRY_MAX_S: Final = 10.0


class Runner:
    """Runs claimed executions; `run` returns when the execution is closed or handed to the reconciler."""

    def __init__(
        self,
        claims: Claims,
        supervisor: Supervisor,
        journal: Journal,
        clock: Clock,
        running: RunningExecutions,
        current_revision: Callable[[str], int | None],
        look_before_start: Callable[[RunningExecution], None] = lambda _running: None,
        start_by: Callable[[RunningExecution], float] = lambda _running: math.inf,
    ) -> None:
        """
        Args:
            current_revision: Answers the revision at which a job (by uid) is stored now.
            look_before_start: Presses the switch of an execution that may not run any more.
            start_by: Until when it may start; see `processes.Command`.
        """
        self._claims = claims
        self._supervisor = supervisor
        self._journal = journal
        self._clock = clock
        self._running = running
        self._current_revision = current_revision
        self._look_before_start = look_before_start
        self._start_by = start_by
        # Bound once: looking up the configuration took longer than not logging.
        self._log = log.bind()

    async def run(self, running: RunningExecution) -> None:
        """Wait for the tick, run the command, make the record durable, release the job."""
        try:
            report = await self._execute(running)
            running.has_ended = True
            if report is not None:
                await self._journal.record_durably(
                    final_record(running.assignment, report, is_start_recorded=running.is_start_recorded)
                )
                self._log_end(running.assignment, report)
            await self._release(running, report)
        finally:
            self._running.remove(running)

    async def _execute(self, running: RunningExecution) -> RunReport | None:
        """How the execution ended; None when it was given up before its start."""
        assignment = running.assignment
        given_up = await self._wait_for_tick(running)
        if given_up is not None:
            # Durable before the run record goes: nothing else knows of this tick any more.
            await self._journal.record_durably(self._given_up_row(assignment, given_up))
            log.info("execution.given_up", execution=running.id, reason=given_up.value)
            return None

        def on_started(started_at: datetime) -> None:
            self._journal.record(started_record(assignment, started_at))
            running.is_start_recorded = True

        try:
            return await self._supervisor.run(
                assignment, running.switch, on_started, partial(self._start_by, running)
            )
        except Exception as error:
            # Whatever went wrong with one command (the kernel refused something nobody thought of), the
            # others must not end with it: this execution is lost, and says why.
            log.exception("execution.supervision_failed", execution=running.id)
            return RunReport(
                status=Status.LOST, error=f"{type(error).__name__}: {error}", finished_at=self._clock.now()
            )

    async def _wait_for_tick(self, running: RunningExecution) -> Reason | None:
        """
        Sleep until the tick by this host's clock (situation 16).

        Returns:
            The reason if the execution must not start any more (situation 27).
        """
        assignment = running.assignment
        begun_s = self._clock.uptime_s()
        while not running.switch.is_pressed:
            ahead_s = (assignment.start_not_before - self._clock.now()).total_seconds()
            if ahead_s <= 0:
                break
            if self._clock.uptime_s() > begun_s + _MAX_WAIT_S:
                return Reason.CLOCK
            await asyncio.sleep(min(ahead_s, 1.0))
        self._look_before_start(running)
        if running.switch.is_pressed:
            return None
        if self._clock.uptime_s() > begun_s + _MAX_WAIT_S + assignment.spec.start_deadline_s:
            # This process stood still, and its lease outlived that: the tick is older than it may start.
            running.switch.press(StopCause.FENCED)
            return None
        revision = self._current_revision(assignment.spec.uid)
        if assignment.claimed_at < assignment.start_not_before and revision != running.job_revision:
            return Reason.CHANGED
        return None

    def _given_up_row(self, assignment: Assignment, reason: Reason) -> LedgerRow:
        tick = assignment.tick_s
        return skipped_row(
            assignment.spec,
            tick if tick is not None else int(assignment.scheduled_at.timestamp()),
            reason,
            self._clock.now(),
            assignment.worker_id,
            trigger=assignment.execution.tick.removeprefix("m") if tick is None else None,
        )

    async def _release(self, running: RunningExecution, report: RunReport | None) -> None:
        """
        Make the finish transaction, however long the store is away.

        The comparisons make it harmless at any time: a run record the reconciler has closed is not there, a
        lock that went with an earlier lease is not touched.
        """
        assignment = running.assignment
        retry = None
        if report is not None:
            retry = next_retry(
                assignment.spec,
                assignment.execution,
                report.status,
                scheduled_at=assignment.scheduled_at,
                now=self._clock.now(),
                parameters=assignment.parameters,
                requested_by=assignment.requested_by,
                trace_parent=assignment.trace_parent,
            )
        delay_s = _FINISH_RETRY_S
        while True:
            try:
                was_ours = await self._claims.finish(
                    assignment.execution, assignment.fence, exclusive=running.exclusive, retry=retry
                )
            except STORE_FAILURES as error:
                log.debug("execution.release_postponed", execution=running.id, error=str(error))
                await asyncio.sleep(jittered(delay_s, 0.2))
                delay_s = min(delay_s * 2, _FINISH_RETRY_MAX_S)
            else:
                if not was_ours:
                    log.debug("execution.closed_already", execution=running.id)
                return

    def _log_end(self, assignment: Assignment, report: RunReport) -> None:
        self._log.info(
            "execution.finished",
            execution=assignment.id,
            job=assignment.spec.qualified_name,
            status=str(report.status),
            reason=str(report.reason) if report.reason else None,
            exit_code=report.exit_code,
            duration_ms=report.duration_ms,
            cause=str(assignment.cause),
        )
        if report.status is Status.LOST:
            log.warning("execution.lost", execution=assignment.id, reason=report.reason)
