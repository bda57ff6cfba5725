"""Lines from bytes: encodings, NUL, line ends, and lines that never end."""

import pytest

from worker.domain.lines import CUT_MARK, MAX_LINE_CHARS, LineSplitter
from worker.domain.masking import Masker


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([b"one\ntwo\n"], ["one", "two"], id="two lines"),
        pytest.param([b"one\ntw", b"o\n"], ["one", "two"], id="cut in a line"),
        pytest.param([b"no end"], ["no end"], id="last line without its end"),
        pytest.param([b"a\n\nb\n"], ["a", "", "b"], id="empty line"),
        pytest.param([b"dos\r\nunix\n"], ["dos", "unix"], id="carriage return at the end"),
        pytest.param([b"dos\r", b"\n"], ["dos"], id="carriage return cut off"),
        pytest.param([b"50%\r100%\n"], ["50%\r100%"], id="carriage return inside"),
        pytest.param([b"caf\xc3", b"\xa9\n"], ["café"], id="character cut in two"),
        pytest.param([b"bad \xff\xfe byte\n"], ["bad \ufffd\ufffd byte"], id="invalid UTF-8"),
        pytest.param([b"half \xc3"], ["half \ufffd"], id="half a character at the end"),
        pytest.param([b"a\x00b\n"], ["ab"], id="NUL"),
        pytest.param([b""], [], id="nothing"),
    ],
)
def test_lines(pieces, expected):
    """Every line once, as text that MongoDB takes."""
    splitter = LineSplitter()

    lines = [line for piece in pieces for line in splitter.feed(piece)] + splitter.finish()

    assert expected == lines


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        pytest.param(MAX_LINE_CHARS, [MAX_LINE_CHARS], id="as long as it may be"),
        pytest.param(MAX_LINE_CHARS + 1, [MAX_LINE_CHARS + len(CUT_MARK), 1], id="one too long"),
        pytest.param(
            2 * MAX_LINE_CHARS, [MAX_LINE_CHARS + len(CUT_MARK), MAX_LINE_CHARS], id="twice as long"
        ),
    ],
)
def test_long_lines_are_cut_and_say_so(length, expected):
    """Every piece but the last carries the mark."""
    lines = LineSplitter().feed(b"x" * length + b"\n")

    assert expected == [len(line) for line in lines]


def test_secret_over_two_pieces_is_masked():
    """The line waits for the rest of what may be a secret."""
    splitter = LineSplitter(Masker(["hunter2"]))

    lines = splitter.feed(b"pw hunt") + splitter.feed(b"er2\nnext\n")

    assert ["pw ***", "next"] == lines


def test_what_is_cut_off_shows_no_half_secret():
    """The rest will never be seen, so nobody can say whether it was one."""
    splitter = LineSplitter(Masker(["hunter2"]))
    splitter.feed(b"pw hunt")

    assert ["pw "] == splitter.finish(is_cut_off=True)
