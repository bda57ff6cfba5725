"""What an audit entry shows of a value: enough to see what changed, never a secret.

Pure. Secret values are masked as everywhere; so is every header of a request, credentials inside an address,
and whatever goes by a name that passwords and tokens go by.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from common.domain.job import JobDefinition
from master.domain.secrets import MASK, masked_fields

_SECRET_NAMES: Final = frozenset({"password", "current", "new", "token", "secret", "authorization", "cookie"})
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]*@")
#: Who and when stand in the entry itself.
_LEFT_OUT: Final = frozenset({"changed_at", "changed_by", "generation"})


def audit_text(value: object) -> str | None:
    """*value* (JSON values) as the text an entry holds, masked; None for None."""
    if value is None:
        return None
    return json.dumps(_masked(value), sort_keys=True, separators=(",", ":"), default=str)


def job_change(
    before: JobDefinition | None, after: JobDefinition | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """
    What an entry shows of a changed job: the fields that differ, or all of one that came or went.

    A secret that was changed shows as a masked field on both sides.
    """
    if before is None or after is None:
        return _shown(before), _shown(after)
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)} - _LEFT_OUT
    return _only(_shown(before), differing), _only(_shown(after), differing)


def _shown(definition: JobDefinition | None) -> dict[str, Any] | None:
    if definition is None:
        return None
    return {name: value for name, value in masked_fields(definition).items() if name not in _LEFT_OUT}


def _only(values: dict[str, Any] | None, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if name in names}


def _masked(value: object, name: str = "") -> object:
    if isinstance(value, Mapping):
        if value.get("secret") is True and "value" in value:
            return {**value, "value": MASK}
        if name == "headers":
            return {str(header): MASK for header in value}
        return {str(key): _masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    if isinstance(value, str):
        return MASK if name.lower() in _SECRET_NAMES else _CREDENTIALS.sub(f"{MASK}@", value)
    return value
