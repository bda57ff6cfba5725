"""Roles as people type and read them: `viewer`, or `operator:shop,mail` for some namespaces."""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.errors import InvalidInput

ROLES: Final = ("viewer", "operator", "editor", "admin")


def read_role(text: str) -> dict[str, Any]:
    """
    The role that *text* stands for, as the API takes it.

    Raises:
        InvalidInput: It is none, or names an empty namespace.
    """
    role, colon, where = text.partition(":")
    if role not in ROLES:
        raise InvalidInput(f"{role!r} is no role: choose {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    namespaces = where.split(",") if colon else None
    if namespaces is not None and not all(namespaces):
        raise InvalidInput(f"{text!r} names an empty namespace: write `{role}` for all of them")
    return {"role": role, "namespaces": namespaces}


def roles_text(roles: Sequence[dict[str, Any]]) -> str:
    """The same the other way round."""
    return " ".join(
        role["role"] if role["namespaces"] is None else f"{role['role']}:{','.join(role['namespaces'])}"
        for role in roles
    )
