"""From pydantic's idea of a place to a JSON pointer into what was sent.

Pure. pydantic names the member of a union that failed as if it were a field; such steps are not in the body,
so the pointer is found by walking the body itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from master.api.schemas import ErrorItem

_TELLING_ERRORS: Final = 20
#: What is missing is not in the body, and still is the place to point to.
_ABSENT: Final = "missing"


def error_items(errors: Iterable[Mapping[str, Any]], body: object) -> list[ErrorItem]:
    """What to show for pydantic's *errors*: at most twenty, one per place."""
    items: dict[str, ErrorItem] = {}
    for error in errors:
        pointer = pointer_of(error["loc"], body, is_missing=error["type"] == _ABSENT)
        field = (error.get("ctx") or {}).get("field")
        if field:
            pointer = f"{pointer}/{_escaped(str(field))}"
        items.setdefault(pointer, ErrorItem(pointer=pointer, detail=_detail(error)))
    return list(items.values())[:_TELLING_ERRORS]


def pointer_of(location: Sequence[object], body: object, *, is_missing: bool = False) -> str:
    """
    The pointer for one location.

    Args:
        location: Begins with `body`, `query`, `path` or `header`.
        body: What was sent, parsed; only looked at for locations in the body.
    """
    where, *parts = location or ("body",)
    if where != "body":
        return "".join(f"/{_escaped(str(part))}" for part in location)
    pointer, here = "", body
    for index, part in enumerate(parts):
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, Sequence) and not isinstance(here, str) and _indexes(part, here):
            here = here[part]  # type: ignore[call-overload]
        elif not (is_missing and index == len(parts) - 1):
            continue
        pointer += f"/{_escaped(str(part))}"
    return pointer


def field_pointer(field: str) -> str:
    """The pointer of a dotted field name (`retry.delay_s`)."""
    return "".join(f"/{_escaped(part)}" for part in field.split("."))


def _indexes(part: object, here: Sequence[object]) -> bool:
    return isinstance(part, int) and 0 <= part < len(here)


def _detail(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        reason = (error.get("ctx") or {}).get("error", "")
        return f"the body is not JSON: {str(reason).lower()} at character {error['loc'][-1]}"
    if error["type"] == "extra_forbidden":
        return "is not a field of this object"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
