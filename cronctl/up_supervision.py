"""Keep the programs of `cronctl up` running, and stop them in the order of trust.

While starting, a program that ends is an error that ends everything. Later it is started again with a
growing pause, and both are said. Stopping goes backwards through the groups: workers first, while masters and
servers still answer them, then the masters, then MongoDB, then etcd.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from common.domain.errors import CronError
from cronctl.up_child import Child
from cronctl.up_process_record import ProcessRecord
from cronctl.up_stop import StopRequest

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
#: A program that ran this long has recovered: its next pause is short again.
_STEADY_AFTER_S: Final = 60.0
_HURRIED_LIMIT_S: Final = 20.0
_POLL_S: Final = 0.1


class NotReady(CronError):
    """A program runs but does not become ready."""


def next_pause_s(pause_s: float, ran_s: float) -> float:
    """The pause before the next start of a program that paused *pause_s* before and then ran *ran_s*."""
    if pause_s == 0 or ran_s >= _STEADY_AFTER_S:
        return _FIRST_PAUSE_S
    return min(pause_s * 2, _LONGEST_PAUSE_S)


class Supervisor:
    """
    Owns the child processes.

    Groups are stopped in the reverse order of their start; the children of one group together.
    """

    def __init__(self, record: ProcessRecord, stop: StopRequest, say: Callable[[str], None]) -> None:
        self._record = record
        self._stop = stop
        self._say = say
        self._groups: list[list[Child]] = []

    async def start_group(self, children: Sequence[Child]) -> None:
        """Start *children*, which belong together when it comes to stopping."""
        group: list[Child] = []
        self._groups.append(group)
        for child in children:
            self._record.add(child.name, await child.start())
            group.append(child)

    async def until(self, ready: Callable[[], Awaitable[bool]], child: Child, *, limit_s: float) -> None:
        """
        Ask *ready* until it says yes.

        Raises:
            ProgramDied: *child*, or another program that was started before, ended meanwhile.
            NotReady: *limit_s* seconds passed; the message carries the last lines of *child*.
        """
        deadline = time.monotonic() + limit_s
        while not await ready():
            await self._raise_for_dead()
            if time.monotonic() > deadline:
                told = "\n".join(f"  | {line}" for line in child.last_words())
                raise NotReady(
                    f"{child.name} was not ready within {limit_s:.0f} s. Its last lines:\n{told}\n"
                    f"The whole log: {child.log}"
                )
            await asyncio.sleep(_POLL_S)
        await self._raise_for_dead()

    async def _raise_for_dead(self) -> None:
        for child in self._children():
            if not child.is_running:
                raise child.death(await child.exited())

    async def keep_running(self) -> None:
        """Start again, for ever, what ends; returns only by cancellation."""
        async with asyncio.TaskGroup() as group:
            for child in self._children():
                group.create_task(self._keep(child), name=f"keep {child.name}")

    async def _keep(self, child: Child) -> None:
        pause_s = 0.0
        while True:
            started_s = time.monotonic()
            code = await child.exited()
            pause_s = next_pause_s(pause_s, time.monotonic() - started_s)
            self._say(f"{child.death(code)}\n{child.name} is started again in {pause_s:.0f} s")
            await asyncio.sleep(pause_s)
            try:
                self._record.add(child.name, await child.start())
            except OSError as error:
                # A full disk or process table may pass; the program that ended is found ended again.
                self._say(f"{child.name} cannot be started: {error}")
            else:
                self._say(f"{child.name} runs again (pid {child.pid})")

    async def stop_all(self) -> None:
        """Stop what was started, last group first, each child within its limit."""
        for group in reversed(self._groups):
            running = [child for child in group if child.is_running]
            if running:
                self._say(f"stopping {', '.join(child.name for child in running)}")
                async with asyncio.TaskGroup() as tasks:
                    for child in running:
                        tasks.create_task(self._stop_child(child), name=f"stop {child.name}")
            for child in group:
                self._record.remove(child.name)
        self._groups.clear()

    async def _stop_child(self, child: Child) -> None:
        child.send(signal.SIGTERM)
        if await _ended(child, child.stop_limit_s, unless=self._stop.hurried):
            return
        if self._stop.hurried.is_set():
            # A worker takes the second TERM as "end the running commands now".
            child.send(signal.SIGTERM)
            if await _ended(child, min(_HURRIED_LIMIT_S, child.stop_limit_s)):
                return
        self._say(f"{child.name} did not stop in time and is killed")
        child.send(signal.SIGKILL)
        await child.exited()

    def _children(self) -> list[Child]:
        return [child for group in self._groups for child in group]


async def _ended(child: Child, limit_s: float, *, unless: asyncio.Event | None = None) -> bool:
    """Whether *child* ended within *limit_s* seconds; gives up early when *unless* is set."""
    waits = {asyncio.ensure_future(child.exited())}
    if unless is not None:
        waits.add(asyncio.ensure_future(unless.wait()))
    try:
        await asyncio.wait(waits, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    return not child.is_running
