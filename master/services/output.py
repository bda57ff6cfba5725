"""What a command wrote: from the start, from where one stopped reading, or from the end.

Chunks are numbered from 0 without a gap; reading goes by their numbers, so following a running execution
costs one look at what is new. An answer is bounded in chunks and in lines.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from common.domain.records import Document, Stream
from common.runtime.clock import Clock
from master.domain.execution_views import is_finished
from master.ports import HistoryReader

_CHUNKS_PER_ANSWER: Final = 64
_CHUNKS_PER_READ: Final = 32
#: A search goes through everything that is kept, and stops here.
_LINES_PER_SEARCH: Final = 10_000
#: The record of the end may be stored before the last lines. Chunks that are still missing after this time
#: were lost with their worker, or have expired.
_LATEST_CHUNK: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class OutputQuery:
    """
    Which part of the output.

    Attributes:
        after_seq: Chunks behind this one; -1 from the start.
        tail: The last so many lines instead.
        stream: Lines of this stream only.
        search: Lines that contain this text, in any case.
    """

    after_seq: int = -1
    tail: int | None = None
    stream: Stream | None = None
    search: str | None = None


class OutputReader:
    """Reads output from history. Raises StoreUnavailable when MongoDB cannot be reached."""

    def __init__(self, history: HistoryReader, clock: Clock) -> None:
        self._history = history
        self._clock = clock

    async def read(self, execution: Document, query: OutputQuery) -> Document:
        """The part of *execution*'s output that *query* asks for, as the API shows it."""
        execution_id = execution["_id"]
        numbers = await self._history.chunk_numbers(execution_id)
        if query.tail is not None:
            lines, last = await self._tail(execution_id, numbers, query), numbers[-1] if numbers else -1
        else:
            lines, last = await self._forward(execution_id, numbers, query)
        out = execution.get("out") or {}
        return {
            "execution_id": execution_id,
            "chunks": len(numbers),
            "next_seq": last + 1,
            "lines": lines,
            "truncated": bool(execution.get("truncated")),
            "finished": last == (numbers[-1] if numbers else -1) and self._is_all(execution, len(numbers)),
            "dropped_bytes": out.get("dropped", 0),
        }

    def _is_all(self, execution: Document, stored: int) -> bool:
        """Whether no chunk can come any more."""
        if not is_finished(execution):
            return False
        out = execution.get("out") or {}
        was_dropped = execution.get("truncated") and not out.get("dropped", 0)
        if stored >= out.get("chunks", 0) or was_dropped:
            return True
        finished_at = execution.get("finished_at")
        return finished_at is None or self._clock.now() - finished_at > _LATEST_CHUNK

    async def raw(self, execution_id: str, stream: Stream | None) -> AsyncIterator[bytes]:
        """All lines as text, chunk by chunk."""
        numbers = await self._history.chunk_numbers(execution_id)
        for part in _slices(numbers, _CHUNKS_PER_READ):
            for chunk in await self._history.chunks(execution_id, part):
                lines = [text for _, name, text in chunk["lines"] if stream in (None, name)]
                if lines:
                    yield ("\n".join(lines) + "\n").encode()

    async def _forward(
        self, execution_id: str, numbers: Sequence[int], query: OutputQuery
    ) -> tuple[list[Document], int]:
        wanted = [number for number in numbers if number > query.after_seq]
        if query.search is None:
            wanted = wanted[:_CHUNKS_PER_ANSWER]
        lines: list[Document] = []
        # Lines are numbered as long as all chunks before them are in hand.
        line_number = 0 if query.after_seq < 0 else None
        last = max(query.after_seq, -1)
        for part in _slices(wanted, _CHUNKS_PER_READ):
            for chunk in await self._history.chunks(execution_id, part):
                lines += _selected(chunk, query, line_number)
                line_number = None if line_number is None else line_number + len(chunk["lines"])
            last = part[-1]
            if query.search is not None and len(lines) >= _LINES_PER_SEARCH:
                break
        return lines, last

    async def _tail(self, execution_id: str, numbers: Sequence[int], query: OutputQuery) -> list[Document]:
        count = query.tail or 0
        chunks: list[Document] = []
        lines: list[Document] = []
        for part in _slices(numbers[::-1], _CHUNKS_PER_READ):
            found = await self._history.chunks(execution_id, part)
            chunks = found + chunks
            lines = [line for chunk in found for line in _selected(chunk, query, None)] + lines
            if len(lines) >= count:
                break
        if len(chunks) == len(numbers):
            lines = _numbered(chunks, query)
        return lines[-count:] if count else []


def _numbered(chunks: Iterable[Document], query: OutputQuery) -> list[Document]:
    lines: list[Document] = []
    before = 0
    for chunk in chunks:
        lines += _selected(chunk, query, before)
        before += len(chunk["lines"])
    return lines


def _selected(chunk: Document, query: OutputQuery, first_number: int | None) -> Iterable[Document]:
    search = query.search.lower() if query.search else None
    for index, (elapsed_ms, stream, text) in enumerate(chunk["lines"]):
        if query.stream is not None and stream != query.stream.value:
            continue
        if search is not None and search not in text.lower():
            continue
        number = None if first_number is None else first_number + index + 1
        yield {"seq": chunk["seq"], "n": number, "ms": elapsed_ms, "stream": stream, "text": text}


def _slices(numbers: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
