"""Reading what the configuration is in: the JSON file itself and the files its keys name.

All reading from disk that happens before a program starts is here. Nothing is written or created.
"""

import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NoReturn

from common.config.layering import Layer, Origin, Problem, Setting
from common.config.sections import FileRule
from common.domain.errors import ConfigError

_MAX_SECRET_BYTES: Final = 64 * 1024
_MAX_FILE_BYTES: Final = 1024 * 1024


def read_file_layer(path: Path) -> dict[str, Setting]:
    """
    Return the settings in a configuration file: one flat JSON object.

    Raises:
        ConfigError: It cannot be read or is no JSON object; the message names file, line and column.
    """
    try:
        text = _read_text(path, _MAX_FILE_BYTES)
        values = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON: {_readable(error, text)}"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {_reason(error)}{_where(path, error)}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: is nested too deeply: a configuration is one flat object") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f'{path}: must hold one JSON object, such as {{"logLevel": "info"}}')
    origin = Origin(Layer.FILE, str(path))
    return {key: Setting(value, origin) for key, value in values.items()}


def read_secret(path: Path) -> str:
    """
    Return what a secret file holds, without the line end.

    Raises:
        ValueError: The end of a sentence that begins with the key: cannot be read, is empty, ...
    """
    try:
        secret = _read_text(path, _MAX_SECRET_BYTES).rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"cannot read {path}: {_reason(error)}") from error
    if not secret:
        raise ValueError(f"{path} is empty: it must hold the secret and nothing else")
    return secret


def file_problems(files: Iterable[tuple[str, Path, FileRule, Setting]]) -> Iterable[Problem]:
    """Yield what is wrong with files that keys name: missing, unreadable, or open to others."""
    for key, path, rule, setting in files:
        message = _file_fault(path, rule)
        if message is not None:
            yield Problem(message, key, setting)


def is_readable_by_others(path: Path) -> bool:
    """True when any user of this host may read *path*; False as well when it cannot be looked at."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def default_state_root(env: Mapping[str, str]) -> Path:
    """
    Return where programs of this user keep their state.

    `/var/lib/everytick` for root and for users who may write there, else `$XDG_STATE_HOME/everytick`, else
    `~/.local/state/everytick`.
    """
    system = Path("/var/lib/everytick")
    if os.geteuid() == 0 or os.access(system, os.W_OK | os.X_OK):
        return system
    configured = env.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path there is to be ignored.
    if Path(configured).is_absolute():
        return Path(configured) / "everytick"
    home = env.get("HOME") or os.path.expanduser("~")
    return Path(home) / ".local" / "state" / "everytick"


def _file_fault(path: Path, rule: FileRule) -> str | None:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return f"there is no file {path}" if rule.is_required else None
    except OSError as error:
        return f"cannot read {path}: {_reason(error)}"
    # A group may be given the file on purpose (a mounted secret with fsGroup); everybody may not.
    if rule.is_secret and mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"{path} can be read or written by every user of this host: chmod o-rwx {path}"
    return None


def _read_text(path: Path, limit_bytes: int) -> str:
    with path.open("rb") as file:
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise ValueError(f"{path.name} is larger than {limit_bytes // 1024} KiB: not the file you meant?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not UTF-8 text (byte {error.start})") from None


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"{key}: stands in the file twice; keep one")
        values[key] = value
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _readable(error: json.JSONDecodeError, text: str) -> str:
    if not text.strip():
        return "the file is empty; {} is the smallest configuration"
    following = text[error.pos : error.pos + 1]
    # The commonest slip, which the parser describes as a missing property name or value.
    if following in "}]" and following and text[: error.pos].rstrip().endswith(","):
        return f"comma before {following}"
    if text[error.pos : error.pos + 2] in ("//", "/*") or following == "#":
        return "JSON has no comments"
    if following == "'":
        return "text stands in double quotes"
    return error.msg[:1].lower() + error.msg[1:]


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _where(path: Path, error: OSError) -> str:
    is_relative = isinstance(error, FileNotFoundError) and not path.is_absolute()
    return f" (looked in {Path.cwd()})" if is_relative else ""
