"""The worker as a whole: which loops run, and in which order they end.

The session and the journal outlive the work. A stop takes nothing new, keeps the lease until the commands
have ended, makes the records durable, and only then gives the lease back. A loop that fails ends the
process: a supervisor starts it again, and what it left is found.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from common.domain.errors import STORE_FAILURES
from common.kv.session import Session
from common.runtime.lifecycle import Stop, end_all
from worker.adoption import Adoption
from worker.clock_watch import ClockWatch
from worker.dispatcher import Dispatcher
from worker.domain.assignment import StopCause
from worker.drain_switch import DrainSwitch
from worker.fencing import LeaseWatchdog
from worker.gate import Bar, Gate
from worker.job_feed import JobFeed
from worker.kill_switch import KillSwitch
from worker.launcher import Launcher
from worker.ports import Journal
from worker.registration import Registration
from worker.roster import Roster
from worker.running import RunningExecutions
from worker.self_audit import SelfAudit
from worker.store_watch import StoreWatch
from worker.trigger_desk import TriggerDesk

log: Final = structlog.get_logger(__name__)

#: Beyond the grace of the commands: verification of the kill, last output, the finish transactions.
_CLOSING_S: Final = 10.0


class Background(Protocol):
    """A part that only has to be kept running."""

    async def run(self) -> None: ...


class RunningJournal(Journal, Protocol):
    """A journal with its life cycle."""

    async def run(self) -> None: ...

    async def close(self) -> None:
        """Ship or at least sync what is left."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a worker consists of; made in `wiring`."""

    session: Session
    registration: Registration
    journal: RunningJournal
    gate: Gate
    roster: Roster
    job_feed: JobFeed
    dispatcher: Dispatcher
    trigger_desk: TriggerDesk
    kill_switch: KillSwitch
    drain_switch: DrainSwitch
    launcher: Launcher
    running: RunningExecutions
    watchdog: LeaseWatchdog
    clock_watch: ClockWatch
    store_watch: StoreWatch
    self_audit: SelfAudit
    adoption: Adoption
    background: tuple[Background, ...] = ()


class Worker:
    """Runs the parts until it is asked to stop."""

    def __init__(self, parts: Parts, *, shutdown_grace_s: float, kill_grace_s: float) -> None:
        self._parts = parts
        self._more: list[Background] = []
        self._shutdown_grace_s = shutdown_grace_s
        self._kill_grace_s = kill_grace_s

    def keep_running(self, part: Background) -> None:
        """Run *part* beside the others; call it before `run`."""
        self._more.append(part)

    async def run(self, stop: Stop) -> None:
        """Work until *stop*; return when everything is closed in order."""
        parts = self._parts
        async with asyncio.TaskGroup() as outer:
            keepers = [
                outer.create_task(parts.session.run(), name="session"),
                outer.create_task(parts.registration.run(), name="registration"),
                outer.create_task(parts.journal.run(), name="journal"),
                outer.create_task(parts.watchdog.run(), name="watchdog"),
            ]
            async with asyncio.TaskGroup() as work:
                loops = [
                    work.create_task(part.run(), name=type(part).__name__) for part in self._working_parts()
                ]
                await stop.wait()
                await self._let_commands_end(stop)
                await end_all(loops)
            await self._leave()
            await end_all(keepers)

    def _working_parts(self) -> tuple[Background, ...]:
        """What ends before the session and the journal do; executions need the launcher first."""
        parts = self._parts
        return (
            parts.launcher,
            parts.roster,
            parts.kill_switch,
            parts.drain_switch,
            parts.job_feed,
            parts.dispatcher,
            parts.trigger_desk,
            parts.clock_watch,
            parts.store_watch,
            parts.self_audit,
            parts.adoption,
            *parts.background,
            *self._more,
        )

    async def _let_commands_end(self, stop: Stop) -> None:
        """Take nothing new; wait for what runs, then TERM, then KILL."""
        parts = self._parts
        parts.gate.close(Bar.STOPPING, "the worker stops")
        parts.registration.announce()
        await parts.dispatcher.settled()
        await parts.trigger_desk.settled()
        if len(parts.running):
            log.info("worker.draining", running=len(parts.running), grace_s=self._shutdown_grace_s)
        if not await self._idle_within(self._shutdown_grace_s, stop):
            for running in parts.running:
                running.switch.press(StopCause.SHUTDOWN, by="worker", grace_s=self._kill_grace_s)
            if not await self._idle_within(self._kill_grace_s + _CLOSING_S, None):
                log.error("worker.left_running", executions=[running.id for running in parts.running])

    async def _idle_within(self, limit_s: float, hurry: Stop | None) -> bool:
        """Whether everything ended within *limit_s*; a hurried stop does not wait for it."""
        idle = asyncio.create_task(self._parts.running.idle.wait(), name="worker.idle")
        waits = {idle}
        if hurry is not None:
            waits.add(asyncio.create_task(hurry.hurried.wait(), name="worker.hurried"))
        try:
            await asyncio.wait(waits, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        return self._parts.running.idle.is_set()

    async def _leave(self) -> None:
        """Records first, then the place in the cluster, then the lease."""
        parts = self._parts
        await parts.journal.close()
        try:
            async with asyncio.timeout(3):
                await parts.registration.withdraw()
        except (*STORE_FAILURES, TimeoutError) as error:
            log.debug("worker.withdraw_failed", error=str(error))
        await parts.session.close()
        log.info("worker.stopped")
