"""The journal of the audit trail: one file per running master in its state directory.

An intent is written before a change and needs no sync: it is there to survive the death of the process. An
outcome is synced before the change is answered; requests that wait at the same time share one sync. When all
is stored the file is emptied. A master that starts takes over what dead ones left in the same directory.
"""

import asyncio
import fcntl
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from common.domain.errors import ConfigError
from common.runtime.clock import new_nonce
from master.domain.audit import Fact, Outcome

log = structlog.get_logger()

MAX_BYTES: Final = 32 * 1024 * 1024
_SUFFIX: Final = ".journal"
_BATCH: Final = 200
#: A disk that hangs must not hang every change; the fact is in the page cache and on its way to the database.
_SYNC_LIMIT_S: Final = 2.0
_UNKNOWN: Final = "the master stopped before the outcome was known: look whether the change was made"


@contextmanager
def open_journal(folder: Path, *, max_bytes: int = MAX_BYTES) -> Iterator["Journal"]:
    """
    A journal of our own in *folder*, with what dead masters left there.

    Raises:
        ConfigError: Nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{new_nonce()}{_SUFFIX}"
        descriptor = _locked(path, os.O_CREAT | os.O_EXCL)
    except OSError as error:
        reason = (error.strerror or "cannot be used").lower()
        raise ConfigError(f"stateDir: {folder}: {reason}", key="stateDir") from error
    try:
        journal = Journal(descriptor, max_bytes)
        _take_over(folder, path, journal)
        yield journal
    finally:
        if os.fstat(descriptor).st_size == 0:
            path.unlink(missing_ok=True)
        os.close(descriptor)


class Journal:
    """See `AuditJournal`."""

    def __init__(self, descriptor: int, max_bytes: int) -> None:
        self._descriptor = descriptor
        self._max_bytes = max_bytes
        self._open: dict[str, Fact] = {}
        self._pending: deque[Fact] = deque()
        self._has_pending = asyncio.Event()
        self._syncing = asyncio.Lock()
        self._size_bytes = self._written = self._synced = self._lost = 0

    @property
    def waiting(self) -> int:
        return len(self._pending)

    def take_lost(self) -> int:
        lost, self._lost = self._lost, 0
        return lost

    def intend(self, fact: Fact) -> None:
        self._open[fact.id] = fact
        self._write("intent", fact)

    def forget(self, fact_id: str) -> None:
        fact = self._open.pop(fact_id, None)
        if fact is not None:
            self._write("forgotten", fact)
            self._empty_if_stored()

    async def keep(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            self._open.pop(fact.id, None)
            if not self._write("fact", fact):
                self._lost += 1
                log.error("audit.lost", reason="the journal is full or the disk is", **fact.plain())
                continue
            self._pending.append(fact)
        if self._pending:
            self._has_pending.set()
        try:
            async with asyncio.timeout(_SYNC_LIMIT_S):
                await self._sync(self._written)
        except (TimeoutError, OSError) as error:
            log.error("audit.not_synced", reason=str(error) or "the disk did not answer in time")

    async def pending(self) -> Sequence[Fact]:
        await self._has_pending.wait()
        return [self._pending[index] for index in range(min(_BATCH, len(self._pending)))]

    def stored(self, facts: Sequence[Fact]) -> None:
        for _ in facts:
            self._pending.popleft()
        if not self._pending:
            self._has_pending.clear()
        self._empty_if_stored()

    def adopt(self, facts: Sequence[Fact]) -> None:
        """Take over what another journal held; it was within its bound, so it is within ours."""
        for fact in facts:
            self._append("fact", fact)
        os.fsync(self._descriptor)
        self._pending.extend(facts)
        if facts:
            self._has_pending.set()

    def _empty_if_stored(self) -> None:
        """Start the file anew when nothing in it is needed; open intents are written again."""
        if self._pending or not self._size_bytes:
            return
        try:
            os.ftruncate(self._descriptor, 0)
        except OSError as error:
            log.error("audit.not_emptied", reason=str(error))
            return
        self._size_bytes = 0
        for fact in self._open.values():
            self._write("intent", fact)

    def _write(self, kind: str, fact: Fact) -> bool:
        if self._size_bytes > self._max_bytes:
            return False
        try:
            self._append(kind, fact)
        except OSError as error:
            log.error("audit.not_written", reason=str(error))
            return False
        return True

    def _append(self, kind: str, fact: Fact) -> None:
        # Begins with a line end, so that a line the disk had no room for spoils only itself.
        line = f"\n{json.dumps({kind: fact.plain()}, separators=(',', ':'))}\n".encode()
        written = os.write(self._descriptor, line)
        self._size_bytes += written
        self._written += written
        if written < len(line):
            raise OSError("the disk is full")

    async def _sync(self, upto: int) -> None:
        async with self._syncing:
            # Whoever waited while another synced was written before the next sync begins, which covers all.
            if self._synced >= upto:
                return
            covers = self._written
            await asyncio.to_thread(os.fdatasync, self._descriptor)
            self._synced = covers


def _take_over(folder: Path, own: Path, journal: Journal) -> None:
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if path == own:
            continue
        try:
            descriptor = _locked(path, 0)
        except (BlockingIOError, FileNotFoundError):
            # Of a master that is alive, or just taken over by another.
            continue
        try:
            facts = _facts_in(path)
            journal.adopt(facts)
            path.unlink()
        finally:
            os.close(descriptor)
        if facts:
            log.info("audit.taken_over", entries=len(facts), path=str(path))


def _facts_in(path: Path) -> list[Fact]:
    """What is to be stored of a journal: outcomes, and intents whose outcome nobody wrote."""
    facts: dict[str, Fact] = {}
    with path.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                ((kind, values),) = json.loads(line).items()
                fact = Fact.of_plain(values)
            except (ValueError, KeyError, TypeError, AttributeError):
                # Half a line is what a crash or a full disk leaves.
                log.warning("audit.line_unreadable", path=str(path))
                continue
            if kind == "forgotten":
                facts.pop(fact.id, None)
            else:
                is_open = kind == "intent"
                facts[fact.id] = replace(fact, outcome=Outcome.FAILED, detail=_UNKNOWN) if is_open else fact
    return list(facts.values())


def _locked(path: Path, flags: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
