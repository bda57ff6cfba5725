"""Lines: bytes as they arrive become lines of text.

Pure. Invalid UTF-8 is replaced, NUL is stripped, secrets are masked, and a line that is too long is cut into
pieces that say so. The lines do not depend on how the bytes were cut into chunks.
"""

import codecs
from typing import Final

from worker.domain.masking import Masker

#: Characters; a longer line is cut into pieces of this length.
MAX_LINE_CHARS: Final = 16 * 1024
#: Ends every piece of a cut line but the last.
CUT_MARK: Final = " [cut: the line goes on]"

_new_decoder: Final = codecs.getincrementaldecoder("utf-8")


class LineSplitter:
    """One stream of one execution: `feed` bytes, get complete lines; `finish` gives the last one."""

    def __init__(self, masker: Masker | None = None) -> None:
        self._decoder = _new_decoder("replace")
        self._masker = masker
        self._partial = ""
        self.is_finished = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that *data* completes, without their line ends."""
        return self._lines_of(self._decoder.decode(data))

    def finish(self, *, is_cut_off: bool = False) -> list[str]:
        """
        The last line, if it had no line end.

        Args:
            is_cut_off: More was written and is not known: the end may be half a character or half a secret.
        """
        self.is_finished = True
        if is_cut_off:
            if self._masker:
                self._masker.drop_carry()
            lines: list[str] = []
        else:
            lines = self._lines_of(self._decoder.decode(b"", True))
            if self._masker:
                lines += self._split(self._masker.finish())
        if self._partial:
            lines.append(self._partial.removesuffix("\r"))
            self._partial = ""
        return lines

    def _lines_of(self, text: str) -> list[str]:
        if "\x00" in text:
            text = text.replace("\x00", "")
        if self._masker:
            text = self._masker.feed(text)
        return self._split(text)

    def _split(self, text: str) -> list[str]:
        lines = (self._partial + text).split("\n")
        self._partial = lines.pop()
        if lines and len(max(lines, key=len)) > MAX_LINE_CHARS:
            lines = [piece for line in lines for piece in _pieces(line)]
        if "\r" in text or (lines and lines[0].endswith("\r")):
            lines = [line.removesuffix("\r") for line in lines]
        if len(self._partial) > MAX_LINE_CHARS:
            *pieces, self._partial = _pieces(self._partial)
            lines += pieces
        return lines


def _pieces(line: str) -> list[str]:
    last = (len(line) - 1) // MAX_LINE_CHARS * MAX_LINE_CHARS if line else 0
    pieces = [line[at : at + MAX_LINE_CHARS] + CUT_MARK for at in range(0, last, MAX_LINE_CHARS)]
    pieces.append(line[last:])
    return pieces
