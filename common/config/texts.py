"""Values that arrive as text: environment variables and the command line.

Pure. Text is turned into what the key's type asks for and into nothing else; text that does not fit stays
text, so that validation finds it and says what was expected, in the same words as for a file.
"""

import json
import re
import types
from collections.abc import Mapping
from typing import Final, Union, get_args, get_origin

from pydantic import BaseModel

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,30}")
_FLOAT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


def value_of(text: str, annotation: object) -> object:
    """
    Return *text* as the JSON value that *annotation* takes.

    Lists are JSON or `a,b,c`, objects JSON or `a=b,c=d`, booleans true/false, yes/no, on/off or 1/0.
    """
    wanted = _plain_type(annotation)
    stripped = text.strip()
    if wanted is bool:
        word = stripped.lower()
        return True if word in _TRUE else False if word in _FALSE else text
    if wanted is int:
        return int(stripped) if _INTEGER.fullmatch(stripped) else text
    if wanted is float:
        return float(stripped) if _FLOAT.fullmatch(stripped) else text
    if wanted is tuple:
        return _json_or(stripped, "[", [part.strip() for part in stripped.split(",") if part.strip()])
    if wanted is dict:
        return _json_or(stripped, "{", _pairs(stripped))
    return text


def env_suffix(key: str) -> str:
    """Return the upper snake form of a camelCase key: `logBatchSize` is `LOG_BATCH_SIZE`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).upper()


def option_of(key: str) -> str:
    """Return the command line flag of a camelCase key: `logBatchSize` is `--log-batch-size`."""
    return "--" + env_suffix(key).lower().replace("_", "-")


def annotations_by_key(model: type[BaseModel]) -> Mapping[str, object]:
    """Return the type of every configuration key of *model*, in the order of the model."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _plain_type(annotation: object) -> object:
    """The type behind Annotated, Optional and generic parameters; the bare form of anything else."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        return _plain_type(members[0])
    if hasattr(annotation, "__metadata__"):
        return _plain_type(get_args(annotation)[0])
    return origin or annotation


def _json_or(text: str, opening: str, otherwise: object) -> object:
    if not text.startswith(opening):
        return otherwise
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return parsed


def _pairs(text: str) -> object:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all("=" in part for part in parts):
        return text
    return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
