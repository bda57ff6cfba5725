"""One lane of the spool: segments on disk, and in memory the oldest records of them.

At steady state a record goes to the file once and to the database from memory; nothing is read back. When the
database is away the window in memory stays small and the rest waits on disk.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import structlog

from common.domain.errors import CorruptValue
from common.domain.records import Record
from worker.adapters.record_codec import decode
from worker.adapters.spool_segments import Segment, framed

log = structlog.get_logger()

#: What is held in memory for shipping; some batches ahead.
_WINDOW_RECORDS: Final = 4_000
_WINDOW_BYTES: Final = 4 * 1024 * 1024
_NOTE_BYTES: Final = 32


class Lane:
    """Records in the order they were appended; the oldest are acknowledged first, or nearly so."""

    def __init__(self, directory: Path, name: str, *, segment_bytes: int) -> None:
        self._directory = directory
        self._name = name
        self._segment_bytes = segment_bytes
        self._ack_path = directory / f"{name}.ack"
        #: Kept open: a batch has a note of its own, and opening the file took longer than all else about it.
        self._note_fd = -1
        self._segments: deque[Segment] = deque()
        self._window: deque[tuple[Record, Segment, int]] = deque()
        self._window_bytes = 0
        #: Where the records begin that are not in the window: segment and position. None: all are.
        self._unread: tuple[Segment, int] | None = None
        self._acknowledged: set[int] = set()
        self.count = 0
        self.size_bytes = 0
        self._next_number = 1
        self._open_existing()

    def append(self, record: Record, payload: bytes) -> None:
        segment = self._writable()
        frame = framed(payload)
        size = len(frame)
        start = segment.size
        segment.append(frame)
        self.count += 1
        self.size_bytes += size
        if self._unread is None:
            if self._has_room(1.0):
                self._window.append((record, segment, size))
                self._window_bytes += size
            else:
                self._unread = (segment, start)

    def peek(self, limit: int, limit_bytes: int) -> Iterator[Record]:
        """The oldest records; one at least, however large it is."""
        self._read_on()
        taken_bytes = 0
        taken = 0
        for record, _, size in self._window:
            if id(record) in self._acknowledged:
                continue
            taken_bytes += size
            if taken >= limit or (taken and taken_bytes > limit_bytes):
                return
            taken += 1
            yield record

    def acknowledge(self, records: Sequence[Record]) -> None:
        """Forget *records*, which were peeked."""
        window, acknowledged = self._window, self._acknowledged
        acknowledged.update(map(id, records))
        before = self.count
        while window and (key := id(window[0][0])) in acknowledged:
            _, segment, size = window.popleft()
            acknowledged.remove(key)
            self._window_bytes -= size
            segment.acknowledged += 1
            self.count -= 1
        if self.count < before:
            self._remove_done()
            self._note_position()

    def flush(self) -> None:
        """Hand everything to the kernel. Raises OSError if the disk refuses."""
        for segment in self._segments:
            segment.flush()

    def descriptors(self) -> list[int]:
        """Descriptors to sync, to be closed by the caller."""
        found = []
        for segment in self._segments:
            descriptor = segment.descriptor()
            if descriptor is not None:
                found.append(descriptor)
            elif segment is not self._segments[-1]:
                # Full and synced: an outage makes hundreds of these.
                segment.close()
        return found

    def drop_oldest_segment(self) -> list[Record]:
        """Delete the oldest segment; return what in it was not acknowledged."""
        segment = self._segments[0]
        lost = self._unacknowledged_of(segment)
        while self._window and self._window[0][1] is segment:
            record, _, size = self._window.popleft()
            self._acknowledged.discard(id(record))
            self._window_bytes -= size
        self.count -= segment.records - segment.acknowledged
        self.size_bytes -= segment.size
        self._segments.popleft()
        segment.remove()
        if self._unread is not None and self._unread[0] is segment:
            self._unread = (self._segments[0], 0) if self._segments else None
        self._note_position()
        return lost

    def close(self) -> None:
        for segment in self._segments:
            segment.close()
        if self._note_fd >= 0:
            os.close(self._note_fd)
            self._note_fd = -1

    def _writable(self) -> Segment:
        if self._segments and self._segments[-1].size < self._segment_bytes:
            return self._segments[-1]
        if self._segments and not self._segments[-1].is_done:
            self._segments[-1].flush()
        segment = self._new_segment()
        self._segments.append(segment)
        self._remove_done()
        return segment

    def _remove_done(self) -> None:
        # The newest stays: it is written to.
        while len(self._segments) > 1 and self._segments[0].is_done:
            segment = self._segments.popleft()
            self.size_bytes -= segment.size
            segment.remove()

    def _note_position(self) -> None:
        """Write down how far the oldest segment is done; not synced, because replaying is harmless."""
        if not self._segments:
            return
        oldest = self._segments[0]
        # Always as long, so that nothing of the note before it is left behind.
        note = f"{oldest.number} {oldest.acknowledged}".ljust(_NOTE_BYTES - 1) + "\n"
        try:
            if self._note_fd < 0:
                self._note_fd = os.open(self._ack_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._note_fd, note.encode("ascii"), 0)
        except OSError as error:
            log.debug("spool.position_not_noted", error=str(error))

    def _read_on(self) -> None:
        """Fill the window from disk if there is room and more to read."""
        while self._unread is not None and self._has_room(0.5):
            segment, start = self._unread
            position = start
            for payload, behind in segment.read(start):
                position = behind
                self._take_from_disk(segment, payload)
                if not self._has_room(1.0):
                    break
            if position < segment.size and position > start:
                self._unread = (segment, position)
                continue
            if position < segment.size:
                # Damaged after it was written: what follows cannot be found any more.
                lost = segment.records - segment.acknowledged - self._in_window(segment)
                log.error("spool.damaged", file=segment.path.name, records=lost)
                self.count -= lost
                segment.records -= lost
            newer = [later for later in self._segments if later.number > segment.number]
            self._unread = (newer[0], 0) if newer else None

    def _has_room(self, share: float) -> bool:
        return len(self._window) < share * _WINDOW_RECORDS and self._window_bytes < share * _WINDOW_BYTES

    def _in_window(self, segment: Segment) -> int:
        return sum(1 for _, owner, _ in self._window if owner is segment)

    def _take_from_disk(self, segment: Segment, payload: bytes) -> None:
        size = len(framed(payload))
        try:
            record = decode(payload)
        except CorruptValue as error:
            log.error("spool.unreadable", file=segment.path.name, error=str(error))
            segment.acknowledged += 1
            self.count -= 1
            return
        self._window.append((record, segment, size))
        self._window_bytes += size

    def _unacknowledged_of(self, segment: Segment) -> list[Record]:
        found = []
        for index, (payload, _) in enumerate(segment.read()):
            if index >= segment.acknowledged:
                try:
                    found.append(decode(payload))
                except CorruptValue:
                    continue
        return found

    def _open_existing(self) -> None:
        """Take over what an earlier worker left; new records go to a new segment, behind any torn frame."""
        done_number, done_count = self._noted_position()
        # Never a number again: the note would call the new segment done.
        self._next_number = done_number + 1
        for path in sorted(self._directory.glob(f"{self._name}-*.log")):
            number = int(path.stem.rpartition("-")[2])
            segment = Segment(path, number)
            for _, behind in segment.read():
                segment.records += 1
                segment.size = behind
            self._next_number = max(self._next_number, number + 1)
            if number < done_number or (number == done_number and done_count >= segment.records):
                segment.remove()
                continue
            self._segments.append(segment)
            self.count += segment.records
            self.size_bytes += segment.size
            if number == done_number:
                self._skip(segment, done_count)
        if self._segments:
            first = self._segments[0]
            if self._unread is None:
                self._unread = (first, 0)
            # Never append to a file that may end in half a frame.
            self._segments.append(self._new_segment())

    def _skip(self, segment: Segment, count: int) -> None:
        for index, (_, behind) in enumerate(segment.read(), 1):
            if index == count:
                segment.acknowledged = count
                self.count -= count
                self._unread = (segment, behind)
                return

    def _new_segment(self) -> Segment:
        segment = Segment(self._directory / f"{self._name}-{self._next_number:08d}.log", self._next_number)
        self._next_number += 1
        return segment

    def _noted_position(self) -> tuple[int, int]:
        try:
            number, count = self._ack_path.read_text(encoding="ascii").split()
            return int(number), int(count)
        except (OSError, ValueError):
            return 0, 0
