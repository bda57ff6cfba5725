"""Lines do not depend on how the bytes were cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from worker.domain.lines import CUT_MARK, MAX_LINE_CHARS, LineSplitter

_BYTES = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"\n", b"\r\n", b"\x00", b"\xc3", b"\xa9", b"text"])
)


@st.composite
def _long_bytes(draw: st.DrawFn) -> bytes:
    return b"x" * draw(st.integers(MAX_LINE_CHARS - 3, 2 * MAX_LINE_CHARS + 3)) + draw(
        st.sampled_from([b"\n", b"\r\n", b""])
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(_BYTES, _long_bytes()), max_size=6), st.integers(7, 5_000))
def test_same_lines_however_cut(parts, size):
    data = b"".join(parts)
    whole, pieces = LineSplitter(), LineSplitter()

    at_once = whole.feed(data) + whole.finish()
    in_pieces = [
        line for at in range(0, len(data), size) for line in pieces.feed(data[at : at + size])
    ] + pieces.finish()

    assert at_once == in_pieces


@given(st.text(st.characters(exclude_characters="\x00\r", codec="utf-8"), max_size=200))
def test_nothing_is_lost(text):
    """Joined again, the lines are the text without its last line end."""
    splitter = LineSplitter()

    lines = splitter.feed(text.encode()) + splitter.finish()

    assert text.removesuffix("\n") == "\n".join(lines)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 3 * MAX_LINE_CHARS))
def test_cut_lines_can_be_put_together(length):
    splitter = LineSplitter()
    data = "é" * length

    lines = splitter.feed(data.encode()) + splitter.finish()

    assert data == "".join(line.removesuffix(CUT_MARK) for line in lines)
