"""What validation found, in words for the person who wrote the configuration.

Pure. Every message is the end of a sentence that begins with the key: "must be at least 1".
"""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from common.config.layering import shown

_SUGGESTION_CUTOFF: Final = 0.7

_WORDS: Final[dict[str, Callable[[dict[str, Any], object], str]]] = {
    "value_error": lambda ctx, _: str(ctx["error"]),
    "greater_than_equal": lambda ctx, _: f"must be at least {ctx['ge']}",
    "less_than_equal": lambda ctx, _: f"must be at most {ctx['le']}",
    "int_type": lambda _, value: f"must be a whole number, not {shown(value)}",
    "int_from_float": lambda _, value: f"must be a whole number, not {shown(value)}",
    "int_parsing_size": lambda *_: "must be a number of reasonable size",
    "float_type": lambda _, value: f"must be a number, not {shown(value)}",
    "bool_type": lambda _, value: f"must be true or false, not {shown(value)}",
    "string_type": lambda _, value: f"must be text, not {shown(value)}",
    "tuple_type": lambda _, value: f'must be a list such as ["a", "b"], not {shown(value)}',
    "dict_type": lambda _, value: f'must be an object such as {{"a": "b"}}, not {shown(value)}',
    "literal_error": lambda ctx, _: f"must be {ctx['expected']}".replace("'", ""),
    "too_short": lambda ctx, _: f"must have at least {_entries(ctx['min_length'])}",
    "too_long": lambda ctx, _: f"must have at most {_entries(ctx['max_length'])}",
    "string_too_short": lambda *_: "must not be empty",
    "string_too_long": lambda ctx, _: f"must not be longer than {ctx['max_length']} characters",
    "string_pattern_mismatch": lambda *_: "has a character that is not allowed there, or too many of them",
}


def message_of(error: ErrorDetails, *, is_secret: bool = False) -> str:
    """Return the words for one pydantic error; a secret's value is not quoted."""
    word = _WORDS.get(error["type"])
    value = "what was given" if is_secret else error["input"]
    text = word(error.get("ctx", {}), value) if word else error["msg"][:1].lower() + error["msg"][1:]
    where = _entry(error["loc"][1:])
    return f"{where} {text}" if where else text


def nearest(name: str, known: Iterable[str], *, cutoff: float = _SUGGESTION_CUTOFF) -> str | None:
    """
    Return the known name that *name* was probably meant to be, or None.

    Case, hyphens and underscores do not count: `log_batch_size` is `logBatchSize`.
    """
    plain = {_plain(candidate): candidate for candidate in known}
    matches = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=cutoff)
    return plain[matches[0]] if matches else None


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return `; did you mean x?`, or nothing when no known name is near."""
    suggestion = nearest(name, known)
    return f"; did you mean {suggestion}?" if suggestion else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _entry(path: Sequence[int | str]) -> str:
    """Which entry of a list or object it is about; people count from 1."""
    names = [part for part in path if part != "[key]"]
    if not names:
        return ""
    first = names[0]
    return f"entry {first + 1}" if isinstance(first, int) else f"entry {shown(first)}"
