"""Batching: lines of one execution become chunks, the unit in which output is stored.

Pure. A chunk is handed out when it is large; the caller asks for the rest when it has waited long enough.
Chunks are numbered from 0 without a gap.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from common.domain.records import OutputChunk, Stream

#: Estimated stored size at which a chunk is complete.
CHUNK_BYTES: Final = 64 * 1024
#: What a line costs besides its text: array, number and stream name in BSON, tuple and pointers in memory.
LINE_OVERHEAD_BYTES: Final = 48


class ChunkBuilder:
    """Collects the lines of one execution."""

    def __init__(self, *, execution_id: str, fence: int, expires_at: datetime) -> None:
        self._execution_id = execution_id
        self._fence = fence
        self._expires_at = expires_at
        self._lines: list[tuple[int, Stream, str]] = []
        self._size = 0
        self._next_seq = 0

    @property
    def count(self) -> int:
        """Chunks that were handed out."""
        return self._next_seq

    @property
    def is_empty(self) -> bool:
        return not self._lines

    def add(self, at_ms: int, stream: Stream, lines: Sequence[str]) -> Iterator[OutputChunk]:
        """Take *lines* and hand out the chunks they complete; must be iterated to its end."""
        size = self._size + sum(map(len, lines)) + LINE_OVERHEAD_BYTES * len(lines)
        if size < CHUNK_BYTES:
            self._lines += [(at_ms, stream, line) for line in lines]
            self._size = size
            return
        for line in lines:
            self._lines.append((at_ms, stream, line))
            self._size += len(line) + LINE_OVERHEAD_BYTES
            if self._size >= CHUNK_BYTES:
                yield self._chunk()

    def flush(self) -> OutputChunk | None:
        """The lines that wait, as a chunk; None if there are none."""
        return self._chunk() if self._lines else None

    def _chunk(self) -> OutputChunk:
        chunk = OutputChunk(
            execution_id=self._execution_id,
            fence=self._fence,
            seq=self._next_seq,
            lines=tuple(self._lines),
            size_bytes=self._size,
            expires_at=self._expires_at,
        )
        self._next_seq += 1
        self._lines = []
        self._size = 0
        return chunk
