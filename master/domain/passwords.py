"""Which passwords are refused, and why.

Pure. Length is what counts (12 to 128 characters, no rule about kinds of characters), and that it is not one
of those people choose first: twelve characters are soon filled by a common word with a year behind it, a run
over the keyboard, or the same few characters again and again.
"""

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from master.domain.common_passwords import KEYBOARD_ROWS, WORDS

SHORTEST: Final = 12
LONGEST: Final = 128
#: Fewer different characters than this are a pattern, however long.
_FEWEST_DIFFERENT: Final = 5
_LEET: Final = str.maketrans("0134578@$!", "oleastbasi")
_WORD: Final = re.compile(r"[^\W\d_]+")
#: What words leave over must be worth something by itself.
_LEFT_OVER: Final = 8


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """`code` for programs, `text` for people."""

    code: str
    text: str


def normalised(password: str) -> str:
    """The form that is hashed: the same characters typed on another keyboard or system are the same."""
    return unicodedata.normalize("NFKC", password)


def broken_rule(password: str, user_name: str) -> BrokenRule | None:
    """The first rule that *password* breaks as the password of *user_name*; None for a good one."""
    password = normalised(password)
    if len(password) < SHORTEST:
        return BrokenRule("password_too_short", f"a password has {SHORTEST} characters at least")
    if len(password) > LONGEST:
        return BrokenRule("password_too_long", f"a password has {LONGEST} characters at most")
    if _holds_name(password.casefold(), user_name.casefold()):
        return BrokenRule("password_contains_name", "a password must not be built from the user's name")
    if is_common(password):
        return BrokenRule(
            "password_too_common",
            "this is one of the passwords that are tried first: take several unrelated words, or let a "
            "password manager make one",
        )
    return None


def is_common(password: str) -> bool:
    """Whether *password* is a common word with decoration, a run, or a repetition."""
    plain = password.casefold()
    if len(set(plain)) < _FEWEST_DIFFERENT or _is_repetition(plain):
        return True
    return any(_is_made_of_words(form) for form in (plain, plain.translate(_LEET))) or _is_run(plain)


def _holds_name(password: str, user_name: str) -> bool:
    """The name, or the part before its @, with little beside it."""
    names = {user_name, user_name.partition("@")[0]}
    return any(
        len(name) >= 3 and len(password.replace(name, "")) < _LEFT_OVER for name in names if name in password
    )


def _is_repetition(text: str) -> bool:
    """`abcabcabcabc`: some beginning of at most half the text, again and again."""
    return text in (text + text)[1:-1] or any(
        text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2)
    )


def _is_made_of_words(text: str) -> bool:
    """Without the common words, digits and signs almost nothing is left."""
    rest = text
    for word in _LONGEST_FIRST:
        rest = rest.replace(word, " ")
    left = "".join(_WORD.findall(rest))
    return len(left) < _LEFT_OVER // 2 and rest != text


def _is_run(text: str) -> bool:
    """Steps to a neighbour, up or down the alphabet, the digits or a row of keys, nearly all the way."""
    steps = sum(first + second in _NEIGHBOURS for first, second in itertools.pairwise(text))
    return steps >= 0.7 * (len(text) - 1)


def _pairs() -> frozenset[str]:
    rows = ("abcdefghijklmnopqrstuvwxyz", "01234567890", *KEYBOARD_ROWS)
    lines = [line for row in rows for line in (row, row[::-1])]
    return frozenset(a + b for line in lines for a, b in itertools.pairwise(line))


_NEIGHBOURS: Final = _pairs()
_LONGEST_FIRST: Final = sorted(WORDS, key=lambda word: (-len(word), word))
