"""Layers of settings: who set what, and who wins.

Pure. A layer is a mapping of configuration key (camelCase) to `Setting`; the strongest layer that has a key
wins that key alone. Values are what JSON can hold; nothing is checked here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MASK: Final = "***"
_SHOWN_LENGTH: Final = 60


class Layer(IntEnum):
    """Where a value can come from; the greater one wins."""

    DEFAULT = 0
    FILE = 1
    ENVIRONMENT = 2
    COMMAND_LINE = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """The layer that set a value, and the name it was set by there (file, variable, option)."""

    layer: Layer
    name: str = ""

    def __str__(self) -> str:
        words = self.layer.name.lower().replace("_", " ")
        return f"{words} {self.name}" if self.name else words


@dataclass(frozen=True, slots=True)
class Setting:
    """One value and where it comes from."""

    value: object
    origin: Origin


Settings = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing a person must change.

    Attributes:
        message: What is wrong and what to do, without the key.
        key: The configuration key, or empty when it is none in particular (a file that cannot be read).
        setting: What was set and by whom; None when nothing was set or the message says it.
        is_secret: Do not quote the value.
    """

    message: str
    key: str = ""
    setting: Setting | None = None
    is_secret: bool = False


def merge(*layers: Settings) -> dict[str, Setting]:
    """Return for each key the setting of the strongest layer that has it; order of arguments is no matter."""
    merged: dict[str, Setting] = {}
    for layer in layers:
        for key, setting in layer.items():
            # Equal layers: the later wins, so that of two --set of one key the last counts, as in any shell.
            if key not in merged or setting.origin.layer >= merged[key].origin.layer:
                merged[key] = setting
    return merged


def told(problem: Problem, source: str) -> str:
    """
    Return the one line a person reads about *problem*.

    Args:
        source: The configuration file, or the program where there is none: what the line is about.
    """
    parts = [source, problem.key, problem.message] if problem.key else [source, problem.message]
    return ": ".join(parts) + _blame(problem)


def shown(value: object) -> str:
    """Return *value* as a short piece of JSON."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 3]}..."


def _blame(problem: Problem) -> str:
    setting = problem.setting
    if setting is None:
        return ""
    if setting.origin.layer is Layer.DEFAULT:
        return f" ({'the default' if problem.is_secret else f'{shown(setting.value)} is the default'})"
    if problem.is_secret:
        return f" (set by {setting.origin})"
    return f" (set to {shown(setting.value)} by {setting.origin})"
