"""`cronctl job versions|revert|clone`: what a job was, back to it, and another one like it."""

from typing import Annotated, Final

import typer

from common.domain.errors import InvalidInput
from cronctl.job_definition import definition_of
from cronctl.options import JobArgument, NamespaceOption, Output, connect, job_ref
from cronctl.output import Column, Format, Row, print_one, print_rows

_VERSION_COLUMNS: Final = (
    Column("GENERATION", lambda row: f"{row['generation']}{' *' if row.get('is_current') else ''}"),
    Column("CHANGED", lambda row: row.get("changed_at")),
    Column("BY", lambda row: row.get("changed_by")),
    Column("CHANGES", lambda row: "deleted" if row.get("deleted") else _changes(row)),
)
_SAVED_COLUMNS: Final = (
    Column("job", lambda job: f"{job['namespace']}/{job['name']}"),
    Column("generation", lambda job: job.get("generation")),
    Column("next", lambda job: (job.get("state") or {}).get("next_tick")),
)


def _changes(row: Row) -> str:
    changes = row.get("changes") or []
    return ", ".join(
        f"{c['pointer'].lstrip('/')}: {c.get('before')!r} -> {c.get('after')!r}" for c in changes
    )


def versions(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many, newest first.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print who changed a job, when, and what; the present version is marked."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        rows = list(api.pages(f"/job/{ref.name}/versions", limit=limit, namespace=ref.namespace))
    print_rows(
        rows, _VERSION_COLUMNS, output, name=lambda row: str(row["generation"]), empty=f"{ref} has no version"
    )


def revert(
    context: typer.Context,
    job: JobArgument,
    generation: Annotated[int, typer.Argument(min=1, help="The version to go back to.")],
    namespace: NamespaceOption = None,
    output: Output = Format.TABLE,
) -> None:
    """Make an older version of a job the present one, as a new version."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        saved = api.post(f"/job/{ref.name}/revert", {"generation": generation}, namespace=ref.namespace)
    print_one(saved, _SAVED_COLUMNS, output, name=str(ref))


def clone(
    context: typer.Context,
    job: JobArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name of the copy, or namespace/name.")],
    namespace: NamespaceOption = None,
    enabled: Annotated[bool, typer.Option("--enabled", help="Let the copy come due at once.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Create a job like another one; it starts disabled unless --enabled is given."""
    ref, copy = job_ref(job, namespace), job_ref(new, namespace)
    with connect(context) as api:
        definition = definition_of(api.get(f"/job/{ref.name}", namespace=ref.namespace))
        if secret := secret_names(definition):
            raise InvalidInput(
                f"{ref} has secret values that nobody is shown ({', '.join(secret)}): "
                "save the copy from a file that holds them"
            )
        document = {**definition, "namespace": copy.namespace, "name": copy.name, "enabled": enabled}
        saved = api.post("/job/save", document, headers={"If-None-Match": "*"})
    print_one(saved, _SAVED_COLUMNS, output, name=str(copy))


def secret_names(definition: Row) -> list[str]:
    """Environment variables and headers whose values are masked."""
    values = {**(definition.get("env") or {}), **((definition.get("request") or {}).get("headers") or {})}
    return sorted(name for name, value in values.items() if isinstance(value, dict))
