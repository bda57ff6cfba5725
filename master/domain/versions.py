"""Versions of a job: what one changed against the one before.

Pure. Values are compared as they are stored and shown masked, so that a changed secret is seen to have
changed and nothing more.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from common.domain.job import JobSpec
from common.domain.records import Document
from master.domain.secrets import masked_fields

#: What every save sets by itself.
_IDENTITY = frozenset({"v", "uid", "generation", "created_at", "changed_at", "changed_by", "retention_days"})


def shown_definition(spec: JobSpec) -> Document:
    """The definition of *spec* as JSON values, with secrets masked."""
    return {name: value for name, value in masked_fields(spec).items() if name not in _IDENTITY}


def changes(before: JobSpec | None, after: JobSpec) -> list[Document]:
    """
    What differs, as `{pointer, before, after}`; nothing for a first version.

    A field that is not there is None on that side.
    """
    if before is None:
        return []
    pairs = _differences(_plain(before), _plain(after), "")
    shown_before, shown_after = shown_definition(before), shown_definition(after)
    return [
        {"pointer": pointer, "before": _at(shown_before, steps), "after": _at(shown_after, steps)}
        for pointer, steps in pairs
    ]


def _plain(spec: JobSpec) -> Document:
    fields = spec.model_dump(mode="json")
    return {name: value for name, value in fields.items() if name not in _IDENTITY}


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], pointer: str, steps: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in [*before, *(name for name in after if name not in before)]:
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        here = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if (
            isinstance(one, dict)
            and isinstance(other, dict)
            and not _is_secret(one)
            and not _is_secret(other)
        ):
            yield from _differences(one, other, here, (*steps, name))
        else:
            yield here, (*steps, name)


def _is_secret(value: Mapping[str, Any]) -> bool:
    return value.get("secret") is True


def _at(fields: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        fields = fields.get(step) if isinstance(fields, dict) else None
    return fields
