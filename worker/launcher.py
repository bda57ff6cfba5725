"""From a won claim to a running execution: the slot, the switch, the task that runs it.

The one place where executions begin on this worker, for ticks and triggers alike.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from common.domain.execution import Cause
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from common.runtime.clock import Clock
from worker.claims import Won
from worker.domain.accounts import expires_at
from worker.domain.assignment import Assignment
from worker.domain.slots import Slots
from worker.kill_switch import KillSwitch
from worker.registration import Membership
from worker.runner import Runner
from worker.running import RunningExecution, RunningExecutions

log: Final = structlog.get_logger(__name__)


class Launcher:
    """Starts the task of each claimed execution; holds its slot until the execution is closed."""

    def __init__(
        self,
        runner: Runner,
        running: RunningExecutions,
        slots: Slots,
        kill_switch: KillSwitch,
        membership: Membership,
        clock: Clock,
    ) -> None:
        self.slots = slots
        self.running = running
        self._runner = runner
        self._kill_switch = kill_switch
        self._membership = membership
        self._clock = clock
        self._group: asyncio.TaskGroup | None = None
        self._ended: list[Callable[[str], None]] = []

    def on_end(self, listener: Callable[[str], None]) -> None:
        """Call *listener* with the job's uid whenever an execution of it is closed here."""
        self._ended.append(listener)

    async def run(self) -> None:
        """Own the tasks of all executions, for ever."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    def launch(
        self,
        won: Won,
        *,
        execution: ExecutionId,
        spec: JobSpec,
        job_revision: int,
        start_not_before: datetime,
        queued_ms: int | None = None,
        flags: tuple[str, ...] = (),
    ) -> None:
        """Start the execution that *won* stands for; its slot was reserved by the caller."""
        record = won.record
        assignment = Assignment(
            execution=execution,
            spec=spec,
            cause=record.cause,
            scheduled_at=record.scheduled_at,
            claimed_at=record.claimed_at,
            start_not_before=start_not_before,
            fence=won.fence,
            worker_id=record.worker,
            session=record.session,
            expires_at=expires_at(spec, self._clock.now()),
            requested_by=record.requested_by,
            parameters=record.parameters,
            queued_ms=queued_ms if record.cause is Cause.QUEUED else None,
            flags=flags,
            trace_parent=record.trace_parent,
        )
        running = RunningExecution(assignment, record, exclusive=record.exclusive, job_revision=job_revision)
        self.running.add(running)
        self._kill_switch.check(running)
        # Executions are claimed only while the service runs, and it starts the launcher first.
        assert self._group is not None  # noqa: S101
        task = self._group.create_task(self._runner.run(running), name=f"execution.{running.id}")
        task.add_done_callback(lambda _: self._closed(execution.uid))

    def _closed(self, uid: str) -> None:
        self.slots.release()
        for listener in self._ended:
            listener(uid)
