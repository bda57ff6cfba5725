"""Masking: known secret values never leave the worker, also when they arrive in two pieces.

Pure. Every character that belongs to an occurrence of a secret is covered, overlapping ones together, and
each covered run becomes `***`. What could be the beginning of a secret is held back until more text decides.
Encoded forms (base64, percent) are not recognised.
"""

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "***"
#: A line of a secret of several lines (a key file) is a secret of its own from this length on.
_MIN_LINE_CHARS: Final = 8


class Masker:
    """Knows the secrets; `feed` text in order and `finish` at its end."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = _with_lines(secrets)
        self.longest = max(map(len, self._secrets), default=0)
        #: One match per position, the longest first, so that overlapping occurrences are all seen.
        self._occurrences = re.compile(f"(?=({'|'.join(map(re.escape, self._secrets))}))")
        self._carry = ""
        #: So many characters of the carry are covered already and their mask is out.
        self._carry_covered = 0

    def feed(self, text: str) -> str:
        """Return what is certain so far; the rest follows with the next call."""
        if not self._secrets:
            return text
        text = self._carry + text
        runs = self._covered_runs(text)
        undecided = self._undecided_from(text)
        masked = self._masked(text, runs, undecided)
        self._carry = text[undecided:]
        self._carry_covered = max(
            (
                end - undecided
                for start, end in runs
                if end > undecided and (start < undecided or (start == 0 and self._carry_covered))
            ),
            default=0,
        )
        return masked

    def finish(self) -> str:
        """Return what was held back: it was the beginning of no secret, or is covered."""
        text, covered = self._carry, self._carry_covered
        self._carry, self._carry_covered = "", 0
        runs = _merged([(0, covered)] if covered else [], self._starts(text))
        return _replaced(text, runs, already=covered > 0)

    def drop_carry(self) -> None:
        """Forget what was held back: what follows it will not be seen, so it may be half a secret."""
        self._carry, self._carry_covered = "", 0

    def masked(self, text: str) -> str:
        """Mask one complete text, apart from the stream."""
        return _replaced(text, _merged([], self._starts(text)), already=False)

    def _masked(self, text: str, runs: list[tuple[int, int]], undecided: int) -> str:
        sure = [(start, end) for start, end in runs if start < undecided]
        # A run that goes on beyond the undecided point is masked now and remembered as covered.
        clipped = [(start, min(end, undecided)) for start, end in sure]
        return _replaced(text[:undecided], clipped, already=self._carry_covered > 0)

    def _covered_runs(self, text: str) -> list[tuple[int, int]]:
        covered = [(0, self._carry_covered)] if self._carry_covered else []
        return _merged(covered, self._starts(text))

    def _starts(self, text: str) -> list[tuple[int, int]]:
        # A plain search first: most output holds no secret, and `in` is fifty times faster than the pattern.
        if not any(secret in text for secret in self._secrets):
            return []
        return [(found.start(), found.end(1)) for found in self._occurrences.finditer(text)]

    def _undecided_from(self, text: str) -> int:
        for start in range(max(0, len(text) - self.longest + 1), len(text)):
            if any(
                len(secret) > len(text) - start and secret.startswith(text[start:])
                for secret in self._secrets
            ):
                return start
        return len(text)


def _with_lines(secrets: Iterable[str]) -> tuple[str, ...]:
    # NUL is stripped from the output before it is masked.
    whole = {secret.replace("\x00", "") for secret in secrets}
    lines = {line for secret in whole for line in secret.splitlines() if len(line) >= _MIN_LINE_CHARS}
    return tuple(sorted({secret for secret in whole | lines if secret}, key=lambda s: (-len(s), s)))


def _merged(covered: list[tuple[int, int]], found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    runs = list(covered)
    for start, end in found:
        if runs and start < runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs


def _replaced(text: str, runs: list[tuple[int, int]], *, already: bool) -> str:
    """Put the mask in place of each run; `already`: the mask of a run at 0 is out."""
    if not runs:
        return text
    pieces: list[str] = []
    position = 0
    for start, end in runs:
        pieces.append(text[position:start])
        if not (already and start == 0):
            pieces.append(MASK)
        position = end
    pieces.append(text[position:])
    return "".join(pieces)
