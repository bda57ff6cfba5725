"""The output of one execution, from bytes to chunks and counters.

Pure: milliseconds come in with the bytes. Streams are kept apart and in their order of arrival; head and
tail of each always survive, and what was dropped between them is said in a line of its own.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from common.domain.records import OutputChunk, OutputSummary, Stream
from worker.domain.batching import ChunkBuilder
from worker.domain.lines import LineSplitter
from worker.domain.masking import MASK, Masker
from worker.domain.output_window import TAIL_BYTES, OutputBudget, StreamWindow

#: What lists and mails show of an execution, at either end.
SUMMARY_CHARS: Final = 4 * 1024


class _StreamState:
    def __init__(self, budget: OutputBudget, secrets: frozenset[str]) -> None:
        self.masker = Masker(secrets) if secrets else None
        # A character of a secret is up to four bytes.
        slack_bytes = 4 * self.masker.longest if self.masker else 0
        self.window = StreamWindow(budget, slack_bytes=slack_bytes)
        self.splitter = LineSplitter(self.masker)
        self.bytes = 0
        self.newlines = 0
        self.ends_in_newline = True


class ExecutionOutput:
    """
    Takes what the command writes; hands chunks to *emit* when they are complete.

    Args:
        secrets: Values that are masked wherever they occur.
    """

    def __init__(
        self,
        *,
        execution_id: str,
        fence: int,
        expires_at: datetime,
        max_output_bytes: int,
        secrets: frozenset[str],
        emit: Callable[[OutputChunk], None],
    ) -> None:
        self._builder = ChunkBuilder(execution_id=execution_id, fence=fence, expires_at=expires_at)
        self._budget = OutputBudget(max_output_bytes)
        self._secrets = secrets
        self._emit = emit
        self._streams: dict[Stream, _StreamState] = {}
        self._head: list[str] = []
        self._head_chars = 0
        self._tail: deque[tuple[int, list[str]]] = deque()
        self._tail_chars = 0

    @property
    def has_unsent_lines(self) -> bool:
        return not self._builder.is_empty

    def feed(self, stream: Stream, data: bytes, at_ms: int) -> None:
        """Take *data* that arrived *at_ms* after the start."""
        state = self._streams.get(stream)
        if state is None:
            state = self._streams[stream] = _StreamState(self._budget, self._secrets)
        state.bytes += len(data)
        state.newlines += data.count(b"\n")
        state.ends_in_newline = data.endswith(b"\n")
        passed = state.window.admit(data, at_ms)
        if passed:
            self._add(at_ms, stream, state.splitter.feed(passed))

    def remark(self, text: str, at_ms: int) -> None:
        """Add a line of the worker's own."""
        self._add(at_ms, Stream.SYSTEM, [text])

    def flush(self) -> None:
        """Emit the lines that wait: somebody may be following."""
        chunk = self._builder.flush()
        if chunk is not None:
            self._emit(chunk)

    def finish(self, at_ms: int) -> OutputSummary:
        """Emit the rest, tails included, and return the counters. Nothing may be fed after this."""
        dropped = sum(self._finish_stream(stream, state, at_ms) for stream, state in self._streams.items())
        self.flush()
        if not self._streams and not self._head:
            return OutputSummary()
        states = self._streams.values()
        return OutputSummary(
            bytes=sum(state.bytes for state in states),
            lines=sum(state.newlines + (not state.ends_in_newline) for state in states),
            dropped=dropped,
            chunks=self._builder.count,
            head="\n".join(self._head)[:SUMMARY_CHARS],
            tail="\n".join(line for _, lines in self._tail for line in lines)[-SUMMARY_CHARS:],
        )

    def _finish_stream(self, stream: Stream, state: _StreamState, at_ms: int) -> int:
        tail = state.window.take_tail()
        if not state.window.dropped:
            for tail_ms, data in tail:
                self._add(tail_ms, stream, state.splitter.feed(data))
            self._add(at_ms, stream, state.splitter.finish())
            return 0
        self._add(tail[0][0], stream, state.splitter.finish(is_cut_off=True))
        lines, skipped = _tail_lines(b"".join(data for _, data in tail), self._secrets)
        dropped = state.window.dropped + skipped
        self.remark(f"[{dropped} bytes of {stream.value} dropped here: max_output_bytes is used up]", at_ms)
        self._add(at_ms, stream, lines)
        return dropped

    def _add(self, at_ms: int, stream: Stream, lines: list[str]) -> None:
        if not lines:
            return
        if self._head_chars < SUMMARY_CHARS:
            self._extend_head(lines)
        self._extend_tail(lines)
        for chunk in self._builder.add(at_ms, stream, lines):
            self._emit(chunk)

    def _extend_head(self, lines: list[str]) -> None:
        for line in lines:
            self._head.append(line[:SUMMARY_CHARS])
            self._head_chars += len(line) + 1
            if self._head_chars >= SUMMARY_CHARS:
                return

    def _extend_tail(self, lines: list[str]) -> None:
        """Keep the last batches of lines that fill the summary together; the first may go beyond it."""
        # No more of *lines* than can matter: a command that floods brings thousands at a time. Counted by
        # the batch, because a look at every line took longer than all else that is done with it.
        kept = lines[-SUMMARY_CHARS:]
        chars = sum(map(len, kept)) + len(kept)
        self._tail.append((chars, kept))
        self._tail_chars += chars
        while self._tail_chars - self._tail[0][0] >= SUMMARY_CHARS:
            self._tail_chars -= self._tail.popleft()[0]


def _tail_lines(data: bytes, secrets: frozenset[str]) -> tuple[list[str], int]:
    """The lines of the last bytes of a stream whose middle is gone, and how many bytes were skipped."""
    if secrets:
        return _masked_tail_lines(data, secrets)
    skipped = max(0, len(data) - TAIL_BYTES)
    line_start = data.find(b"\n", skipped) + 1
    if line_start:
        skipped = line_start
    else:
        # One endless line: start at a whole character.
        while skipped < len(data) and data[skipped] & 0xC0 == 0x80:
            skipped += 1
    splitter = LineSplitter()
    lines = splitter.feed(data[skipped:])
    return lines + splitter.finish(), skipped


def _masked_tail_lines(data: bytes, secrets: frozenset[str]) -> tuple[list[str], int]:
    masker = Masker(secrets)
    text = masker.masked(data.decode("utf-8", "replace").replace("\x00", ""))
    # The first characters may be the second half of a secret. Each may have become a whole mask, if single
    # characters of it are secrets too; so that many are left out.
    unsafe = len(MASK) * masker.longest
    start = max(unsafe, len(text) - TAIL_BYTES)
    line_start = text.find("\n", start) + 1
    start = line_start or start
    splitter = LineSplitter()
    lines = splitter.feed(text[start:].encode())
    return lines + splitter.finish(), min(len(data), len(text[:start].encode()))
