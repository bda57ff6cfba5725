"""One program that `cronctl up` started: its process, its log file, its last words.

The program runs in a session of its own, so that Ctrl-C in the terminal reaches `cronctl up` only, which then
stops its programs in order.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from common.domain.errors import CronError

_LIFELINE: Final = Path(__file__).with_name("up_lifeline.py")
_ROTATE_ABOVE_BYTES: Final = 16 * 1024 * 1024
_TAIL_BYTES: Final = 16 * 1024
#: mongod says it before a long backtrace.
_SEARCHED_BYTES: Final = 256 * 1024
_IN_USE: Final = "address already in use"


def watch_children_without_threads() -> None:
    """
    Wait for children through pidfds, as Python does by itself from 3.12 on.

    The kernel sends the death signal once for every thread of ours that a dying process passes its children
    to: with the thread per child of Python 3.11 a worker gets TERM twice and takes it for "hurry".
    """
    if sys.version_info < (3, 12):
        watcher = asyncio.PidfdChildWatcher()
        watcher.attach_loop(asyncio.get_running_loop())
        asyncio.set_child_watcher(watcher)


class ProgramDied(CronError):
    """A program ended although it should run."""


class PortLost(ProgramDied):
    """A program ended because its port, free when it was chosen, was taken when it wanted it."""


class Child:
    """
    A program that runs until it is stopped.

    Attributes:
        name: What people call it: `etcd`, `mongod`, `master`, `worker-1`.
        stop_limit_s: Seconds between TERM and KILL in an orderly stop.
    """

    def __init__(self, name: str, argv: Sequence[str], *, log: Path, stop_limit_s: float) -> None:
        self.name = name
        self.argv = tuple(argv)
        self.log = log
        self.stop_limit_s = stop_limit_s
        self._process: asyncio.subprocess.Process | None = None
        self._log_start_bytes = 0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> int:
        """Start the program and return its pid; its output is appended to the log."""
        # Only here, while nobody has the file open.
        if self.log.exists() and self.log.stat().st_size > _ROTATE_ABOVE_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._log_start_bytes = os.fstat(descriptor).st_size
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                str(_LIFELINE),
                str(os.getpid()),
                *self.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        return self._process.pid

    async def exited(self) -> int:
        """Wait for the end; return the exit code, negative for a signal."""
        if self._process is None:
            raise ProgramDied(f"{self.name} was never started")
        return await self._process.wait()

    def send(self, signum: signal.Signals) -> None:
        """Signal the program; nothing happens if it has ended."""
        if self._process is not None and self.is_running:
            with suppress(ProcessLookupError):
                self._process.send_signal(signum)

    def death(self, code: int) -> ProgramDied:
        """The error that says how the program ended, with the last lines of its log."""
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        lines = self.last_words() or ["(it wrote nothing)"]
        quoted = "\n".join(f"  | {line}" for line in lines)
        kind = PortLost if _IN_USE in self._told(_SEARCHED_BYTES).lower() else ProgramDied
        return kind(f"{self.name} ended ({how}). Its last lines:\n{quoted}\nThe whole log: {self.log}")

    def last_words(self, lines: int = 8) -> list[str]:
        """The last lines the program wrote since its latest start."""
        told = [readable(line) for line in self._told(_TAIL_BYTES).splitlines() if line.strip()]
        return told[-lines:]

    def _told(self, limit_bytes: int) -> str:
        """What the program wrote since its latest start, the last *limit_bytes* of it."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_start_bytes, size - limit_bytes))
                return file.read().decode(errors="replace")
        except OSError:
            return ""


def readable(line: str) -> str:
    """A log line for people: the JSON of mongod and etcd becomes `severity message: error`."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line[:400]
    if not isinstance(entry, dict):
        return line[:400]
    severity = entry.get("s") or entry.get("level") or ""
    message = entry.get("msg") or entry.get("event") or ""
    if not message:
        return line[:400]
    nested = entry.get("attr")
    attributes = nested if isinstance(nested, dict) else entry
    reason = attributes.get("error") or attributes.get("errmsg") or ""
    return " ".join(f"{severity} {message}{f': {reason}' if reason else ''}".split())[:400]
