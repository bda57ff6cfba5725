"""Batches of lines: nothing lost, nothing twice, no gap in the numbers."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from common.domain.records import Stream
from worker.domain.batching import CHUNK_BYTES, LINE_OVERHEAD_BYTES, ChunkBuilder

_LINES = st.lists(st.integers(0, 20_000).map(lambda length: "x" * length), max_size=20)


@given(
    st.lists(st.tuples(st.sampled_from([Stream.STDOUT, Stream.STDERR]), _LINES, st.booleans()), max_size=10)
)
def test_every_line_once_and_in_order(rounds):
    builder = ChunkBuilder(execution_id="x", fence=1, expires_at=datetime(2027, 1, 1, tzinfo=UTC))
    chunks = []

    for at_ms, (stream, lines, is_flushed) in enumerate(rounds):
        chunks += builder.add(at_ms, stream, lines)
        if is_flushed:
            chunks.append(builder.flush())
    chunks = [chunk for chunk in [*chunks, builder.flush()] if chunk is not None]

    assert [(at_ms, stream, line) for at_ms, (stream, lines, _) in enumerate(rounds) for line in lines] == [
        line for chunk in chunks for line in chunk.lines
    ]
    assert list(range(len(chunks))) == [chunk.seq for chunk in chunks]
    assert all(chunk.size_bytes < CHUNK_BYTES + 20_000 + LINE_OVERHEAD_BYTES for chunk in chunks)
