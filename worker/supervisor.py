"""The supervisor: one command from its spawn to its last byte, and the one way in which it is stopped.

Kill, timeout, replace, lease loss and shutdown all press the switch; what follows is the same: TERM to the
tree, a grace, KILL, and a look at what is left. Plain asyncio and injected ports, so it runs on virtual
time too. An execution costs no task of its own: the process calls back, and one future is waited for.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from common.domain.errors import SpawnFailed
from common.domain.execution import Reason, Status
from common.domain.records import OutputSummary, Stream
from common.runtime.clock import Clock
from worker.domain.account import Account
from worker.domain.assignment import Assignment, RunReport, StopCause
from worker.domain.environment import environment_of, secrets_of
from worker.domain.output import ExecutionOutput
from worker.executors.interface import Executor, StartRequest
from worker.ports import Journal
from worker.processes import Process, ProcessExit, Spawner, StartWithheld, at_any_time
from worker.stopping import StopSwitch

log = structlog.get_logger()

#: How long pipes are read after the main process has ended: a daemon may hold them open for ever.
DRAIN_S: Final = 2.0
_LONGEST_NAP_S: Final = 1.0

_STOPPED: Final[dict[StopCause, tuple[Status, Reason]]] = {
    StopCause.TIMEOUT: (Status.TIMED_OUT, Reason.TIMEOUT),
    StopCause.REQUESTED: (Status.KILLED, Reason.REQUESTED),
    StopCause.REPLACED: (Status.KILLED, Reason.REPLACED),
    StopCause.SHUTDOWN: (Status.KILLED, Reason.SHUTDOWN),
    StopCause.LEASE: (Status.LOST, Reason.LEASE),
    StopCause.FENCED: (Status.LOST, Reason.FENCED),
}


class CommandSupervisor:
    """Runs assignments with the executors of this worker (implements `ports.Supervisor`)."""

    def __init__(
        self,
        *,
        executors: Mapping[str, Executor],
        spawner: Spawner,
        account_of: Callable[[str | None], Account],
        journal: Journal,
        clock: Clock,
        output_flush_s: float = 0.5,
    ) -> None:
        """
        Args:
            account_of: The account of a user name (None: the worker's own); raises SpawnFailed.
            output_flush_s: How long lines wait for more before they are recorded.
        """
        self._executors = executors
        self._spawner = spawner
        self._account_of = account_of
        self._journal = journal
        self._clock = clock
        self._output_flush_s = output_flush_s

    async def run(
        self,
        assignment: Assignment,
        switch: StopSwitch,
        on_started: Callable[[datetime], None],
        start_by: Callable[[], float] = at_any_time,
    ) -> RunReport:
        run = _Run(assignment, switch, self._journal, self._clock, self._output_flush_s)
        switch.listen(run.wake)
        try:
            await run.wait_for_start()
            if switch.cause is not None:
                return self._not_started(assignment, switch)
            try:
                process = await self._start(assignment, run, start_by)
            except StartWithheld:
                switch.press(StopCause.FENCED)
                return self._not_started(assignment, switch)
            except SpawnFailed as error:
                return self._failed(error)
            except Exception as error:
                # A plug-in's failure belongs to its job; the worker goes on.
                log.exception("executor.failed", execution=str(assignment.execution))
                return self._failed(error)
            return await run.supervise(process, on_started)
        finally:
            switch.listen(None)

    async def _start(self, assignment: Assignment, run: "_Run", start_by: Callable[[], float]) -> Process:
        spec = assignment.spec
        executor = self._executors.get(spec.executor)
        if executor is None:
            known = ", ".join(sorted(self._executors))
            raise SpawnFailed(f"this worker does not offer the executor {spec.executor!r}; it offers {known}")
        request = StartRequest(
            assignment=assignment,
            env=environment_of(assignment, self._account_of(spec.user)),
            spawner=self._spawner,
            listener=run,
            start_by=start_by,
        )
        return await executor.start(request)

    def _not_started(self, assignment: Assignment, switch: StopSwitch) -> RunReport:
        assert switch.cause is not None  # noqa: S101 - asked by the caller
        status, reason = _STOPPED[switch.cause]
        if switch.cause in (StopCause.REQUESTED, StopCause.LEASE, StopCause.FENCED):
            reason = Reason.BEFORE_START
        log.debug("execution.not_started", execution=str(assignment.execution), cause=switch.cause.value)
        return RunReport(
            status=status,
            reason=reason,
            finished_at=self._clock.now(),
            kill_requested=_requester(switch),
        )

    def _failed(self, error: Exception) -> RunReport:
        text = str(error) if isinstance(error, SpawnFailed) else f"{type(error).__name__}: {error}"
        return RunReport(status=Status.FAILED, reason=Reason.SPAWN, error=text, finished_at=self._clock.now())


class _Run:
    """One execution; what its process tells arrives here (implements `processes.ProcessListener`)."""

    __slots__ = (
        "_assignment",
        "_clock",
        "_exit",
        "_flush_s",
        "_flush_timer",
        "_has_output_ended",
        "_journal",
        "_loop",
        "_output",
        "_started_s",
        "_stopped_by",
        "_survivors",
        "_switch",
        "_waiter",
    )

    def __init__(
        self, assignment: Assignment, switch: StopSwitch, journal: Journal, clock: Clock, flush_s: float
    ) -> None:
        self._assignment = assignment
        self._switch = switch
        self._journal = journal
        self._clock = clock
        self._flush_s = flush_s
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._output: ExecutionOutput | None = None
        self._exit: ProcessExit | None = None
        self._has_output_ended = False
        self._stopped_by: StopCause | None = None
        self._survivors: tuple[str, ...] = ()
        self._started_s = self._loop.time()

    # What the process tells.

    def on_output(self, stream: Stream, data: bytes) -> None:
        self._written().feed(stream, data, self._elapsed_ms())
        self._flush_later()

    def on_output_end(self) -> None:
        self._has_output_ended = True
        self.wake()

    def on_exit(self, ended: ProcessExit) -> None:
        self._exit = ended
        self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the supervisor does.

    async def wait_for_start(self) -> None:
        """Return at the instant the command may start, never before it, or when the switch is pressed."""
        not_before = self._assignment.start_not_before
        while not self._switch.is_pressed:
            ahead_s = (not_before - self._clock.now()).total_seconds()
            if ahead_s <= 0:
                return
            # In short naps: the wall clock may be set while we sleep on the monotonic one.
            await self._wait(min(ahead_s, _LONGEST_NAP_S))

    async def supervise(self, process: Process, on_started: Callable[[datetime], None]) -> RunReport:
        """From the spawn to the report; the process is closed whatever happens."""
        self._started_s = process.started_s
        started_at = self._clock.now() - timedelta(seconds=self._loop.time() - self._started_s)
        timeout_s = self._assignment.spec.timeout_s
        timer = None
        if timeout_s:
            timer = self._loop.call_at(self._started_s + timeout_s, self._switch.press, StopCause.TIMEOUT)
        try:
            if process.has_ended:
                await process.poll()
            else:
                on_started(started_at)
            while self._exit is None and not self._switch.is_pressed:
                await self._wait()
            if self._exit is None:
                # It may have ended at this very moment: then its own outcome counts (situation 32).
                await process.poll()
            if self._exit is None:
                await self._stop(process)
            duration_ms = self._elapsed_ms(self._exit.at_s if self._exit else None)
            if timer is not None:
                timer.cancel()
            await self._end(process)
        except BaseException:
            # Cancelled: whoever did it must not find the command running.
            await process.sweep()
            await process.close()
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if self._flush_timer is not None:
                self._flush_timer.cancel()
        usage = await process.close()
        out = self._output.finish(duration_ms) if self._output else OutputSummary()
        status, reason = self._outcome()
        return RunReport(
            status=status,
            reason=reason,
            error=_incomplete(self._survivors),
            started_at=started_at,
            finished_at=self._clock.now(),
            duration_ms=duration_ms,
            exit_code=self._exit.exit_code if self._exit else None,
            signal=self._exit.signal if self._exit else None,
            cpu_ms=usage.cpu_ms,
            max_rss_kb=usage.max_rss_kb,
            out=out,
            truncated=out.dropped > 0,
            kill_requested=_requester(self._switch),
            kill_incomplete=self._survivors,
        )

    async def _stop(self, process: Process) -> None:
        """TERM, the grace, KILL; returns when the main process has ended or cannot be killed."""
        self._stopped_by = self._switch.cause
        self._remark(f"[stopping: {_in_words(self._switch)}]")
        process.signal_tree(signal.SIGTERM)
        # A stopped process takes no TERM before it goes on.
        process.signal_tree(signal.SIGCONT)
        asked_s = self._loop.time()
        while self._exit is None:
            # Looked up in every round: a later press may have shortened it.
            grace_s: float = self._assignment.spec.kill_grace_s
            if self._switch.grace_s is not None:
                grace_s = min(grace_s, self._switch.grace_s)
            left_s = asked_s + grace_s - self._loop.time()
            if left_s <= 0:
                break
            await self._wait(left_s)
        if self._exit is None:
            self._remark("[still running after the grace: killing it]")
            self._survivors = (await process.sweep()).survivors

    async def _end(self, process: Process) -> None:
        """The main process has ended: take what its pipes hold, and see to what it left behind."""
        drained_s = self._loop.time() + DRAIN_S
        while self._exit is not None and not self._has_output_ended:
            left_s = drained_s - self._loop.time()
            if left_s <= 0:
                break
            await self._wait(left_s)
        if self._assignment.spec.kill_leftovers or self._stopped_by is not None:
            swept = await process.sweep()
            self._survivors = swept.survivors
            if swept.found_any and self._stopped_by is None:
                self._remark("[processes the command left behind were killed]")
            if swept.survivors:
                self._remark(f"[could not be killed: {', '.join(swept.survivors)}]")
            return
        left = await process.leftovers()
        if left:
            self._remark(f"[left running, as the job asks: {', '.join(left)}]")

    def _outcome(self) -> tuple[Status, Reason | None]:
        if self._stopped_by is not None:
            return _STOPPED[self._stopped_by]
        if self._exit is None or self._exit.signal is not None:
            return Status.FAILED, Reason.SIGNAL
        if self._exit.exit_code in self._assignment.spec.success_exit_codes:
            return Status.SUCCEEDED, None
        return Status.FAILED, Reason.EXIT_CODE

    async def _wait(self, timeout_s: float | None = None) -> None:
        """Until something happens, or for *timeout_s*."""
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(timeout_s, self.wake) if timeout_s is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    # Output.

    def _written(self) -> ExecutionOutput:
        if self._output is None:
            assignment = self._assignment
            self._output = ExecutionOutput(
                execution_id=str(assignment.execution),
                fence=assignment.fence,
                expires_at=assignment.expires_at,
                max_output_bytes=assignment.spec.max_output_bytes,
                secrets=secrets_of(assignment.spec),
                emit=self._journal.record,
            )
        return self._output

    def _remark(self, text: str) -> None:
        self._written().remark(text, self._elapsed_ms())
        self._flush_later()

    def _flush_later(self) -> None:
        if self._flush_timer is None and self._output is not None and self._output.has_unsent_lines:
            self._flush_timer = self._loop.call_later(self._flush_s, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        if self._output is not None:
            self._output.flush()

    def _elapsed_ms(self, until_s: float | None = None) -> int:
        until_s = self._loop.time() if until_s is None else until_s
        return round((until_s - self._started_s) * 1000)


def _requester(switch: StopSwitch) -> str | None:
    """Who asked for a kill; a timeout is nobody's request."""
    if switch.cause is None or switch.cause is StopCause.TIMEOUT:
        return None
    return switch.by or switch.cause.value


def _in_words(switch: StopSwitch) -> str:
    cause = switch.cause.value if switch.cause else "asked to"
    return f"{cause} by {switch.by}" if switch.by else cause


def _incomplete(survivors: tuple[str, ...]) -> str | None:
    if not survivors:
        return None
    return (
        f"{len(survivors)} process(es) could not be killed: {', '.join(survivors)}; look at them on the "
        "worker's host (a process in state D waits for a device or a network file system)"
    )
