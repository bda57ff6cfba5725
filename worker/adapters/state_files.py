"""What runs, on disk: a restarted worker reads it to find and kill what its predecessor left behind.

One file of appended lines, three per execution: intent before the spawn, pid after it, end. Lines of one
round of the loop are written together, the intent before its command is spawned. Not synced: a worker that
is killed loses nothing that was written, and after a crash of the host there are no processes to look for.
"""

import json
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from worker.adapters.process_table import (
    TICKS_PER_S,
    ProcessEntry,
    all_entries,
    boot_id,
    descendants_of,
    execution_of,
    signal_exactly,
)

log = structlog.get_logger()

_FILE_NAME: Final = "executions.state"
_COMPACT_BYTES: Final = 1024 * 1024
_KILL_ROUNDS: Final = 5
_ROUND_WAIT_S: Final = 0.2
#: Start times are rounded to clock ticks.
_SLACK_S: Final = 2 / TICKS_PER_S


@dataclass(frozen=True, slots=True)
class Leftover:
    """
    An execution that had no end in the state file.

    Attributes:
        pid: Its main process; None if only the intent to spawn was noted.
        killed: Processes that were still alive and were killed now, as `pid name`.
        survived: Processes that could not be killed.
    """

    execution_id: str
    pid: int | None
    killed: tuple[str, ...] = ()
    survived: tuple[str, ...] = ()


@dataclass(slots=True)
class _Open:
    intended_s: float
    started_s: float | None = None
    pid: int | None = None


class StateFile:
    """The state file of the worker that owns *state_dir*."""

    def __init__(self, state_dir: Path, later: Callable[[Callable[[], None]], object] | None = None) -> None:
        """
        Args:
            later: Calls a function at the end of this round of the loop; without it, lines are written at
                once.
        """
        self._later = later
        self._unwritten: deque[str] = deque()
        self._writing = threading.Lock()
        self._path = state_dir / _FILE_NAME
        self._open: dict[str, _Open] = {}
        self._size = 0
        self._fd = -1
        self._boot_id = boot_id()
        self._rewrite()

    def intend(self, execution_id: str) -> None:
        """The execution is about to be spawned."""
        entry = _Open(intended_s=_uptime_s())
        self._open[execution_id] = entry
        self._append(f'["intend", "{execution_id}", {entry.intended_s}]')

    def started(self, execution_id: str, pid: int) -> None:
        """It was spawned."""
        entry = self._open[execution_id]
        entry.pid = pid
        entry.started_s = _uptime_s()
        self._append(f'["started", "{execution_id}", {entry.started_s}, {pid}]')

    def done(self, execution_id: str) -> None:
        """Nothing of it is left, or what is left was left on purpose."""
        if self._open.pop(execution_id, None) is None:
            return
        self._append(f'["done", "{execution_id}"]')
        if self._size > _COMPACT_BYTES:
            self._rewrite()

    def flush(self) -> None:
        """Return when all that was noted before is written; from any thread."""
        with self._writing:
            lines = []
            while self._unwritten:
                lines.append(self._unwritten.popleft())
            if lines:
                self._write("".join(lines).encode())

    def close(self) -> None:
        self.flush()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _append(self, line: str) -> None:
        # Lines of JSON, put together by hand: an execution id needs no escaping, and encoding took longer
        # than the write.
        self._unwritten.append(f"{line}\n")
        if self._later is None:
            self.flush()
        elif len(self._unwritten) == 1:
            self._later(self.flush)

    def _write(self, data: bytes) -> None:
        self._size += len(data)
        try:
            os.write(self._fd, data)
        except OSError as error:
            # A full disk: commands go on, and a restarted worker still finds them by their environment.
            log.warning("state_file.failed", file=str(self._path), error=str(error))

    def _rewrite(self) -> None:
        """Replace the file by one that names what is open now."""
        with self._writing:
            self._unwritten.clear()
            self._replace()

    def _replace(self) -> None:
        lines: list[list[object]] = [["boot", self._boot_id]]
        for execution_id, entry in self._open.items():
            lines.append(["intend", execution_id, entry.intended_s])
            if entry.pid is not None:
                lines.append(["started", execution_id, entry.started_s, entry.pid])
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        new = self._path.with_suffix(".new")
        new.write_bytes(data)
        new.replace(self._path)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size = 0


def recover(state_dir: Path) -> list[Leftover]:
    """
    Kill what an earlier worker with this state directory left running, and say which executions that were.

    Call it before a `StateFile` is made there. A process is killed if its environment names the execution,
    or if it is the recorded pid with the recorded start time, or descends from one of these. May take a
    second; call it before the event loop has work to do.
    """
    recorded = _read(state_dir / _FILE_NAME)
    if not recorded:
        return []
    killed: dict[str, dict[int, str]] = {execution_id: {} for execution_id in recorded}
    survived: dict[str, list[ProcessEntry]] = {}
    for _ in range(_KILL_ROUNDS):
        survived = _alive(recorded)
        if not survived:
            break
        for execution_id, entries in survived.items():
            for entry in entries:
                signal_exactly(entry, signal.SIGSTOP)
            for entry in entries:
                if signal_exactly(entry, signal.SIGKILL):
                    killed[execution_id][entry.pid] = str(entry)
        time.sleep(_ROUND_WAIT_S)
    survived = _alive(recorded)
    return [
        Leftover(
            execution_id=execution_id,
            pid=entry.pid,
            killed=tuple(killed[execution_id].values()),
            survived=tuple(map(str, survived.get(execution_id, ()))),
        )
        for execution_id, entry in recorded.items()
    ]


def _alive(recorded: dict[str, _Open]) -> dict[str, list[ProcessEntry]]:
    entries = all_entries()
    roots: dict[str, set[int]] = {}
    pids = {entry.pid: execution_id for execution_id, entry in recorded.items() if entry.pid is not None}
    for pid, process in entries.items():
        owner = execution_of(pid)
        if owner in recorded:
            roots.setdefault(owner, set()).add(pid)
        elif owner is None and pid in pids and _started_as_recorded(process, recorded[pids[pid]]):
            roots.setdefault(pids[pid], set()).add(pid)
    own_pid = os.getpid()
    alive: dict[str, list[ProcessEntry]] = {}
    for execution_id, found in roots.items():
        # A test or an operator may start a worker from within a job: never the own process.
        tree = [entries[pid] for pid in sorted(descendants_of(found, entries)) if pid != own_pid]
        living = [process for process in tree if process.is_alive]
        if living:
            alive[execution_id] = living
    return alive


def _started_as_recorded(process: ProcessEntry, entry: _Open) -> bool:
    started_s = process.start_ticks / TICKS_PER_S
    return entry.intended_s - _SLACK_S <= started_s <= (entry.started_s or 0) + _SLACK_S


def _read(path: Path) -> dict[str, _Open]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, _Open] = {}
    for line in lines:
        try:
            kind, subject, *rest = json.loads(line)
        except ValueError:
            # The worker died in the middle of a line.
            continue
        if kind == "boot":
            found.clear()
            if subject != boot_id():
                # The host was started since: whatever was noted, nothing of it runs. Still reported as lost.
                log.info("state_file.other_boot", file=str(path))
        elif kind == "intend":
            found[subject] = _Open(intended_s=rest[0])
        elif kind == "started" and subject in found:
            found[subject].started_s, found[subject].pid = rest
        elif kind == "done":
            found.pop(subject, None)
    return found


def _uptime_s() -> float:
    # Start times in /proc count from boot and go on during suspend, as this clock does.
    return time.clock_gettime(time.CLOCK_BOOTTIME)
