"""What /proc says about processes: parents, sessions, start times, and the execution they belong to.

A process may vanish between two reads; that is answered with None or by leaving it out. A pid is never
trusted alone: it is compared with its start time, and signalled through a pidfd that was checked after it
was opened.
"""

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from worker.domain.account import EXECUTION_VARIABLE

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
#: clock_getcpuclockid(3): all threads of a process, user and system time.
_CPU_CLOCK: Final = 2
_MARK: Final = f"{EXECUTION_VARIABLE}=".encode()


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """
    One process.

    Attributes:
        start_ticks: Clock ticks from boot to its start; with the pid it names a process for ever.
    """

    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int
    start_ticks: int

    @property
    def is_alive(self) -> bool:
        return self.state not in "ZX"

    def __str__(self) -> str:
        return f"{self.pid} {self.name}"


def boot_id() -> str:
    """The id of this boot: pids and start times of another one mean nothing."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def entry_of(pid: int) -> ProcessEntry | None:
    """The process *pid*, a zombie too; None if there is none."""
    stat = _read(f"/proc/{pid}/stat")
    if not stat:
        return None
    # The name stands in parentheses and may hold any character, also a parenthesis.
    name_start, name_end = stat.index(b"("), stat.rindex(b")")
    fields = stat[name_end + 2 :].split()
    return ProcessEntry(
        pid=pid,
        name=stat[name_start + 1 : name_end].decode("utf-8", "replace"),
        state=fields[0].decode(),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        start_ticks=int(fields[19]),
    )


def all_entries() -> dict[int, ProcessEntry]:
    """Every process of this host."""
    entries = (entry_of(int(name)) for name in os.listdir("/proc") if name.isdecimal())
    return {entry.pid: entry for entry in entries if entry is not None}


def children_of(pid: int) -> list[int]:
    """The children of the main thread of *pid*, zombies included."""
    listed = _read(f"/proc/{pid}/task/{pid}/children")
    if listed is None:
        # The file needs a kernel option (CONFIG_PROC_CHILDREN); without it the whole table is read.
        return [entry.pid for entry in all_entries().values() if entry.parent == pid]
    return [int(child) for child in listed.split()]


def has_ended(pid: int) -> bool:
    """Whether our child *pid* has ended and waits to be reaped."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def cpu_s(pid: int) -> float:
    """Seconds of CPU *pid* has used so far; 0 if it is gone. Asking /proc would take 20 times as long."""
    try:
        # The clock of another process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~pid << 3) | _CPU_CLOCK)
    except OSError:
        return 0.0


def execution_of(pid: int) -> str | None:
    """The execution the environment of *pid* names; None if it names none or may not be read."""
    environ = _read(f"/proc/{pid}/environ")
    if not environ:
        return None
    if environ.startswith(_MARK):
        start = len(_MARK)
    else:
        start = environ.find(b"\0" + _MARK)
        if start < 0:
            return None
        start += 1 + len(_MARK)
    end = environ.find(b"\0", start)
    return environ[start : end if end >= 0 else len(environ)].decode("utf-8", "replace")


def descendants_of(roots: Iterable[int], entries: dict[int, ProcessEntry]) -> set[int]:
    """*roots* and everything below them."""
    below: dict[int, list[int]] = {}
    for entry in entries.values():
        below.setdefault(entry.parent, []).append(entry.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += below.get(pid, ())
    return found


def signal_exactly(entry: ProcessEntry, signum: int) -> bool:
    """Send *signum* to that very process; False if it is gone or may not be signalled."""
    try:
        pidfd = os.pidfd_open(entry.pid)
    except OSError:
        return False
    try:
        # Checked after opening: from here on the pidfd means this process, whoever gets its number.
        now = entry_of(entry.pid)
        if now is None or now.start_ticks != entry.start_ticks:
            return False
        signal.pidfd_send_signal(pidfd, signum)
    except OSError:
        return False
    finally:
        os.close(pidfd)
    return True


def _read(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        pieces = []
        while piece := os.read(fd, 65536):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return None
    finally:
        os.close(fd)
