"""Which processes belong to a data directory, and stopping those a killed `cronctl up` left behind.

A pid alone proves nothing, it may be somebody else's by now: start time and boot id must match too, and the
signal goes through a pidfd that was opened before the comparison.
"""

import json
import os
import select
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cronctl.up_layout import write_atomically

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_START_TIME_FIELD: Final = 22


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process that can be recognised again: `started_at_ticks` counts clock ticks since boot."""

    name: str
    pid: int
    started_at_ticks: int
    boot_id: str


def mark(name: str, pid: int) -> ProcessMark | None:
    """Describe the running process *pid*, or None if there is none."""
    ticks = _started_at_ticks(pid)
    return None if ticks is None else ProcessMark(name, pid, ticks, _boot_id())


class ProcessRecord:
    """The processes of one data directory, kept in `processes.json`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marks: dict[str, ProcessMark] = {}

    def add(self, name: str, pid: int) -> None:
        """Remember that *name* now runs as *pid*, in place of an earlier process of that name."""
        if (found := mark(name, pid)) is not None:
            self._marks[name] = found
            self._write()

    def remove(self, name: str) -> None:
        if self._marks.pop(name, None) is not None:
            self._write()

    def leftovers(self) -> list[ProcessMark]:
        """Those of the file that still run, in the order they were started."""
        try:
            stored = json.loads(self._path.read_text())["processes"]
            marks = [ProcessMark(**entry) for entry in stored]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return [found for found in marks if mark(found.name, found.pid) == found]

    def _write(self) -> None:
        document = {"processes": [asdict(found) for found in self._marks.values()]}
        write_atomically(self._path, json.dumps(document, indent=2) + "\n")


def stop_leftovers(marks: Sequence[ProcessMark], *, grace_s: float = 10.0) -> None:
    """
    Stop *marks*, last started first: TERM, and KILL after *grace_s* seconds each.

    A process that ended meanwhile, or whose pid has become somebody else's, is left alone.
    """
    for found in reversed(marks):
        _stop(found, grace_s)


def _stop(found: ProcessMark, grace_s: float) -> None:
    try:
        descriptor = os.pidfd_open(found.pid)
    except ProcessLookupError:
        return
    try:
        if mark(found.name, found.pid) != found:
            return
        for signum, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signum)
            # A pidfd becomes readable when its process has ended.
            readable, _, _ = select.select([descriptor], [], [], wait_s)
            if readable:
                return
    finally:
        os.close(descriptor)


def _started_at_ticks(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
    fields = text[text.rindex(")") + 2 :].split()
    if fields[0] == "Z":
        return None
    return int(fields[_START_TIME_FIELD - 3])


def _boot_id() -> str:
    return _BOOT_ID.read_text().strip()
