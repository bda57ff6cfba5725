"""The worker as subreaper: orphans of its commands become its children, so that none gets out of sight.

Whoever a command leaves behind is adopted by the worker, attributed to its execution and, once dead, reaped.
Children the worker started by other means share its own session and are left alone; every command has a
session of its own. The main processes of commands are reaped by their owners, never here.
"""

import asyncio
import ctypes
import os
from typing import Final

import structlog

from common.domain.errors import ConfigError
from worker.adapters.process_table import ProcessEntry, children_of, entry_of, execution_of

log = structlog.get_logger()

_PR_SET_CHILD_SUBREAPER: Final = 36
_ROUND_S: Final = 1.0


class Subreaper:
    """Keeps track of commands that run and of the orphans they left. One per process."""

    def __init__(self) -> None:
        self._mains: set[int] = set()
        self._running: set[str] = set()
        self._orphans: dict[int, ProcessEntry] = {}
        self._owners: dict[int, str] = {}
        #: Orphans whose environment names nobody: executions that ran when they were first seen.
        self._suspects: dict[int, set[str]] = {}
        self._own_pid = os.getpid()
        self._own_session = os.getsid(0)
        self._timer: asyncio.TimerHandle | None = None
        #: How many looks there have been.
        self.looks = 0
        #: Commands being started: each is a session leader that is not an orphan, and has not been added yet.
        self.starting = 0

    def enable(self) -> None:
        """
        Become the subreaper of everything this process starts.

        Raises:
            ConfigError: The kernel refuses.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise ConfigError(f"the worker cannot adopt orphans of its commands: {reason}")

    def add(self, pid: int, execution_id: str) -> None:
        """A command was started. Its owner reaps *pid*, then says `reaped`, and in the end `remove`."""
        self._mains.add(pid)
        self._running.add(execution_id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_ROUND_S, self._round)

    def reaped(self, pid: int) -> None:
        """The main process is gone; its number may come back as somebody else."""
        self._mains.discard(pid)

    def remove(self, execution_id: str) -> None:
        """The execution is over; orphans it leaves are only reaped from now on."""
        self._running.discard(execution_id)

    def orphans_of(self, execution_id: str, *, seen_by: int | None = None) -> list[ProcessEntry]:
        """
        Orphans that belong to *execution_id*. Reaps the dead ones of all executions.

        Args:
            seen_by: Number of a look that would do, or any later one; None wants one of this moment. Commands
                that end together share a look: what one left behind was ours before its end could be seen.

        One that names no execution belongs to the last execution of those that ran when it was found: nobody
        else can have started it.
        """
        if seen_by is None or self.looks < seen_by:
            self.look()
        if not self._orphans:
            return []
        found = []
        for pid, orphan in self._orphans.items():
            owner = self._owners.get(pid)
            if owner is None:
                suspects = self._suspects[pid]
                if execution_id in suspects and not (suspects - {execution_id}) & self._running:
                    found.append(orphan)
            elif owner == execution_id:
                found.append(orphan)
        return found

    def look(self) -> None:
        """Take in new orphans and reap dead ones."""
        self.looks += 1
        children = children_of(self._own_pid)
        if not self._orphans and self._mains.issuperset(children):
            return
        for pid in children:
            if pid not in self._mains:
                self._adopt(pid)
        for pid in self._orphans.keys() - set(children):
            self._forget(pid)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _adopt(self, pid: int) -> None:
        entry = entry_of(pid)
        if entry is None or entry.session == self._own_session:
            return
        if self.starting and entry.session == pid:
            # An orphan that looks the same is taken in by the next look.
            return
        if not entry.is_alive:
            self._reap(pid)
            return
        known = self._orphans.get(pid)
        if known is not None and known.start_ticks == entry.start_ticks:
            return
        self._orphans[pid] = entry
        owner = execution_of(pid)
        if owner is not None:
            self._owners[pid] = owner
        else:
            self._suspects[pid] = set(self._running)

    def _reap(self, pid: int) -> None:
        try:
            reaped, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            reaped = pid
        if reaped:
            self._forget(pid)

    def _forget(self, pid: int) -> None:
        self._orphans.pop(pid, None)
        self._owners.pop(pid, None)
        self._suspects.pop(pid, None)

    def _round(self) -> None:
        """A long command may leave many dead orphans behind before it ends."""
        self._timer = None
        self.look()
        if self._mains or self._orphans:
            self._timer = asyncio.get_running_loop().call_later(_ROUND_S, self._round)
