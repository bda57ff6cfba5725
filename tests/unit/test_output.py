"""The output of an execution: what is kept, what is counted, what is said about the rest."""

from datetime import UTC, datetime

import pytest

from common.domain.records import OutputChunk, OutputSummary, Stream
from worker.domain.batching import CHUNK_BYTES
from worker.domain.lines import CUT_MARK
from worker.domain.output import SUMMARY_CHARS, ExecutionOutput
from worker.domain.output_window import HEAD_BYTES, TAIL_BYTES

_EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)


class Captured:
    """An output with everything it emitted."""

    def __init__(self, *, max_output_bytes: int = 10 * 1024 * 1024, secrets: tuple[str, ...] = ()) -> None:
        self.chunks: list[OutputChunk] = []
        self.output = ExecutionOutput(
            execution_id="x",
            fence=1,
            expires_at=_EXPIRES,
            max_output_bytes=max_output_bytes,
            secrets=frozenset(secrets),
            emit=self.chunks.append,
        )

    def feed(self, data: bytes, stream: Stream = Stream.STDOUT) -> None:
        for at in range(0, len(data), 65_536):
            self.output.feed(stream, data[at : at + 65_536], 5)

    def finish(self) -> OutputSummary:
        return self.output.finish(9)

    def lines(self, stream: Stream = Stream.STDOUT) -> list[str]:
        return [text for chunk in self.chunks for _, of, text in chunk.lines if of is stream]


def test_streams_are_kept_apart_and_in_order():
    captured = Captured()

    captured.feed(b"one\n")
    captured.feed(b"oops\n", Stream.STDERR)
    captured.feed(b"two")
    summary = captured.finish()

    assert (
        (5, Stream.STDOUT, "one"),
        (5, Stream.STDERR, "oops"),
        (9, Stream.STDOUT, "two"),
    ) == captured.chunks[0].lines
    assert OutputSummary(bytes=12, lines=3, chunks=1, head="one\noops\ntwo", tail="one\noops\ntwo") == summary


def test_chunks_are_numbered_without_a_gap():
    captured = Captured()

    captured.feed(b"0123456789\n" * 50_000)
    captured.finish()

    assert list(range(len(captured.chunks))) == [chunk.seq for chunk in captured.chunks]
    assert all(chunk.size_bytes < 2 * CHUNK_BYTES for chunk in captured.chunks)


def test_head_and_tail_survive_a_budget_of_nothing():
    """The first 64 KiB and the last 192 KiB are kept whatever the job says, and the gap is named."""
    captured = Captured(max_output_bytes=0)
    data = b"".join(b"%09d\n" % number for number in range(100_000))

    captured.feed(data)
    summary = captured.finish()
    lines = captured.lines()
    kept = sum(len(line) + 1 for line in lines)

    assert lines[0] == "000000000"
    assert lines[-1] == "000099999"
    assert HEAD_BYTES + TAIL_BYTES - 20 <= kept <= HEAD_BYTES + TAIL_BYTES + 10
    assert len(data) == kept + summary.dropped - (HEAD_BYTES % 10 and 1)
    assert [
        f"[{summary.dropped} bytes of stdout dropped here: max_output_bytes is used up]"
    ] == captured.lines(Stream.SYSTEM)
    assert 100_000 == summary.lines


def test_tail_that_fits_leaves_no_gap():
    """Above the budget, but head and tail cover it all."""
    captured = Captured(max_output_bytes=0)
    data = b"x" * 99 + b"\n"

    captured.feed(data * 2_000)
    summary = captured.finish()

    assert 0 == summary.dropped
    assert ["x" * 99] * 2_000 == captured.lines()


def test_one_endless_line_is_bounded():
    captured = Captured(max_output_bytes=100_000)

    captured.feed("é".encode() * 5_000_000)
    summary = captured.finish()

    assert summary.dropped > 9_000_000
    assert "\ufffd" not in captured.lines()[-1]
    assert 1 == summary.lines


def test_half_a_secret_at_the_edge_of_the_gap_is_not_shown():
    """Both ends of the gap may cut a secret in two."""
    secret = "correct-horse-battery"
    captured = Captured(max_output_bytes=0, secrets=(secret,))

    captured.feed(secret.encode() * 40_000)
    captured.finish()
    shown = "".join(captured.lines())

    assert set() == set(shown.replace("*", "").replace(CUT_MARK, ""))


@pytest.mark.parametrize("count", [1, 10, 10_000])
def test_summary_shows_both_ends_in_a_few_kib(count):
    captured = Captured()

    captured.feed(b"".join(b"line %d\n" % number for number in range(count)))
    summary = captured.finish()

    assert summary.head.startswith("line 0")
    assert summary.tail.endswith(f"line {count - 1}")
    assert len(summary.head) <= SUMMARY_CHARS
    assert len(summary.tail) <= SUMMARY_CHARS


def test_very_short_lines_do_not_fill_the_database():
    """`yes` prints two bytes a line; a stored line costs more than that."""
    captured = Captured(max_output_bytes=1024 * 1024)

    captured.feed(b"y\n" * 2_000_000)
    captured.finish()

    assert sum(chunk.size_bytes for chunk in captured.chunks) < 20 * 1024 * 1024


def test_flush_hands_out_what_waits():
    """A running execution can be followed."""
    captured = Captured()
    captured.feed(b"working\n")

    captured.output.flush()

    assert ["working"] == captured.lines()
    assert not captured.output.has_unsent_lines


def test_no_output_is_no_chunk():
    captured = Captured()

    assert OutputSummary() == captured.finish()
    assert [] == captured.chunks
