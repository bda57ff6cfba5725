"""Containment without cgroups: everything of one execution by session, parents, adoption and environment.

Complete as far as a process cannot at the same time leave its session, lose its parent and drop its
environment while another execution runs: then nobody can say whose it is, until the last one it may belong
to has ended. Where cgroups can be used (`cgroup.py`) even that one does not get away.
"""

import os
import signal
from typing import Protocol

from worker.adapters.process_table import (
    ProcessEntry,
    all_entries,
    descendants_of,
    execution_of,
    signal_exactly,
)
from worker.adapters.subreaper import Subreaper


class Containment(Protocol):
    """What holds one execution together. Killing goes in rounds, because what is killed may still fork."""

    def enclose(self, pid: int) -> None:
        """The main process was spawned."""
        ...

    def signal(self, signum: int) -> None:
        """Signal every process; the main process has not been reaped."""
        ...

    def kill(self) -> None:
        """One round of SIGKILL at everything."""
        ...

    def ended(self) -> None:
        """The main process was seen to have ended."""
        ...

    def reaped(self) -> None:
        """The main process was reaped: its number no longer names it."""
        ...

    def is_surely_empty(self) -> bool:
        """Whether nothing is left, told cheaply; False may also mean not known."""
        ...

    def members(self) -> list[ProcessEntry]:
        """What is alive, the main process included; takes a look at the whole process table."""
        ...

    def release(self) -> None:
        """The execution is over."""
        ...


class SessionContainment:
    """Session, parents, adoption, environment."""

    def __init__(self, execution_id: str, subreaper: Subreaper) -> None:
        self._execution_id = execution_id
        self._subreaper = subreaper
        self._pid = 0
        self._is_reaped = False
        self._seen_by: int | None = None

    def enclose(self, pid: int) -> None:
        self._pid = pid

    def signal(self, signum: int) -> None:
        self._signal_group(signum)
        for entry in self.members():
            # The group has it already, and a second TERM may mean something else to it.
            if entry.group != self._pid:
                signal_exactly(entry, signum)

    def kill(self) -> None:
        # The group in one system call: the kernel holds its list while it goes through it, so a fork bomb
        # cannot outrun it as it outruns anyone who kills one by one.
        self._signal_group(signal.SIGKILL)
        seen: set[int] = set()
        for _ in range(3):
            # Stopped first, so that what was seen cannot fork while the rest is looked for.
            fresh = [entry for entry in self.members() if entry.pid not in seen]
            if not fresh:
                break
            for entry in fresh:
                signal_exactly(entry, signal.SIGSTOP)
                seen.add(entry.pid)
        for entry in self.members():
            signal_exactly(entry, signal.SIGKILL)

    def ended(self) -> None:
        self._seen_by = self._subreaper.looks + 1

    def reaped(self) -> None:
        self._is_reaped = True

    def is_surely_empty(self) -> bool:
        if not self._is_reaped:
            return False
        try:
            # Signal 0 only asks. If it finds a group the number may have been used again: `members` tells.
            os.killpg(self._pid, 0)
        except ProcessLookupError:
            # Nobody is left in the group, and whoever left the group and lost its parent is an orphan.
            return not self._subreaper.orphans_of(self._execution_id, seen_by=self._seen_by)
        except PermissionError:
            pass
        return False

    def members(self) -> list[ProcessEntry]:
        orphans = {orphan.pid for orphan in self._subreaper.orphans_of(self._execution_id)}
        entries = all_entries()
        roots = orphans | self._group_members(entries)
        if not self._is_reaped:
            roots.add(self._pid)
        found = descendants_of(roots & entries.keys(), entries)
        found |= self._named_by_environment(entries, found)
        found = descendants_of(found, entries)
        return [entries[pid] for pid in sorted(found) if entries[pid].is_alive]

    def release(self) -> None:
        pass

    def _signal_group(self, signum: int) -> None:
        # While the main process is not reaped its number is taken, so the group is the right one.
        if self._is_reaped:
            return
        try:
            os.killpg(self._pid, signum)
        except (ProcessLookupError, PermissionError):
            # A command that changed its user may refuse a worker that is not root; `members` reports it.
            return

    def _group_members(self, entries: dict[int, ProcessEntry]) -> set[int]:
        if self._is_reaped and self._pid in entries:
            # The number is somebody else's now; a group or session of that number is theirs.
            return set()
        return {
            entry.pid
            for entry in entries.values()
            if self._pid in (entry.group, entry.session)
            and execution_of(entry.pid) in (None, self._execution_id)
        }

    def _named_by_environment(self, entries: dict[int, ProcessEntry], known: set[int]) -> set[int]:
        own_session = os.getsid(0)
        return {
            entry.pid
            for entry in entries.values()
            if entry.pid not in known
            and entry.is_alive
            and entry.session != own_session
            and execution_of(entry.pid) == self._execution_id
        }
