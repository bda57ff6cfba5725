"""One segment of the spool: a file of appended frames, each with its length and checksum.

A frame that was cut off by a crash ends the segment: what follows it was never whole.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger()

_HEADER: Final = struct.Struct(">II")


def framed(payload: bytes) -> bytes:
    return _HEADER.pack(len(payload), zlib.crc32(payload)) + payload


class Segment:
    """
    Attributes:
        number: Its place in the lane; higher is newer.
        size: Bytes appended, buffered ones included.
        records: Frames appended.
        acknowledged: Of these, how many are stored.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self.size = 0
        self.records = 0
        self.acknowledged = 0
        self._fd = -1
        self._buffer: list[bytes] = []
        self.is_dirty = False

    @property
    def is_done(self) -> bool:
        return self.acknowledged >= self.records

    def append(self, frame: bytes) -> None:
        self._buffer.append(frame)
        self.size += len(frame)
        self.records += 1

    def flush(self) -> None:
        """
        Hand what is buffered to the kernel: from here on it survives the death of the worker.

        Raises:
            OSError: The disk refuses; the buffer is kept, and the file is as it was.
        """
        if not self._buffer:
            return
        data = b"".join(self._buffer)
        if self._fd < 0:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        written = os.write(self._fd, data)
        if written != len(data):
            # Half a frame would end the segment for a reader.
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise OSError(f"{self.path}: only {written} of {len(data)} bytes were written")
        self._buffer.clear()
        self.is_dirty = True

    def descriptor(self) -> int | None:
        """A descriptor for a sync in another thread, to be closed there; None if nothing is to be synced."""
        if self._fd < 0 or not self.is_dirty:
            return None
        self.is_dirty = False
        return os.dup(self._fd)

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read(self, start: int = 0) -> Iterator[tuple[bytes, int]]:
        """The payloads from byte *start* on, each with the position behind it, buffered ones included."""
        with suppress(OSError):
            self.flush()
        on_disk = self.size - sum(map(len, self._buffer))
        position = start
        if start < on_disk or not self.size:
            for payload, position in self._read_file(start):
                yield payload, position
        offset = on_disk
        for frame in tuple(self._buffer):
            offset += len(frame)
            if offset > position:
                yield frame[_HEADER.size :], offset

    def _read_file(self, start: int) -> Iterator[tuple[bytes, int]]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        position = start
        while position < len(content):
            if position + _HEADER.size > len(content):
                break
            length, checksum = _HEADER.unpack_from(content, position)
            end = position + _HEADER.size + length
            payload = content[position + _HEADER.size : end]
            if not length or len(payload) < length or zlib.crc32(payload) != checksum:
                break
            position = end
            yield payload, position
        if position < len(content):
            log.warning("spool.torn", file=self.path.name, position=position)
