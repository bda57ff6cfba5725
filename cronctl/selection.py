"""Several jobs at once: named, by label, or all of them; a question first, a result for each.

One that fails does not keep the others from being tried; the exit code is that of the first failure.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

from common.domain.errors import CronError, InvalidInput
from cronctl.client import Api
from cronctl.completion import complete_job
from cronctl.failures import exit_code_of
from cronctl.options import JobRef, job_ref
from cronctl.output import Column, Format, Row, print_rows

JobsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[JOB]...", help="Names of jobs, or namespace/name.", autocompletion=complete_job),
]
LabelOption = Annotated[str | None, typer.Option("--label", help="All jobs with this label: key=value.")]
AllOption = Annotated[
    bool, typer.Option("--all", help="All jobs (of --namespace, if given) instead of named ones.")
]
YesOption = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]

_COLUMNS: Final = (
    Column("JOB", lambda row: row["job"]),
    Column("RESULT", lambda row: row["result"]),
    Column("EXECUTION", lambda row: row.get("execution_id")),
)


def chosen_jobs(
    api: Api, names: Sequence[str] | None, namespace: str | None, label: str | None, everything: bool
) -> list[JobRef]:
    """
    The jobs a command is about.

    Raises:
        InvalidInput: None were named, or names were mixed with --label or --all.
    """
    if names:
        if label is not None or everything:
            raise InvalidInput("name jobs, or choose them with --label or --all: not both")
        return [job_ref(name, namespace) for name in names]
    if label is None and not everything:
        raise InvalidInput("name a job, or choose several with --label key=value or --all")
    rows = api.pages("/job/list", namespace=namespace, label=label)
    return [JobRef(row["namespace"], row["name"]) for row in rows]


def confirm(question: str, yes: bool) -> None:
    """
    Ask, unless --yes was given.

    Raises:
        InvalidInput: There is nobody to ask.
    """
    if yes:
        return
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise InvalidInput(f"{question} Nobody answered: add --yes") from None


def describe(refs: Sequence[JobRef]) -> str:
    """The jobs in a question: the one, or how many and the first few."""
    if len(refs) == 1:
        return f"job {refs[0]}"
    shown = ", ".join(str(ref) for ref in refs[:3])
    return f"{len(refs)} jobs ({shown}{', ...' if len(refs) > 3 else ''})"


def for_each(refs: Sequence[JobRef], act: Callable[[JobRef], Row], done: str, form: Format) -> None:
    """
    Do *act* for every job and print what came of it; failures go to standard error.

    Raises:
        typer.Exit: Some failed.
    """
    rows: list[Row] = []
    code = 0
    for ref in refs:
        try:
            rows.append({"job": str(ref), "ok": True, "result": done, **act(ref)})
        except CronError as error:
            print(f"cronctl: {ref}: {error}", file=sys.stderr)
            rows.append({"job": str(ref), "ok": False, "result": str(error)})
            code = code or exit_code_of(error)
    print_rows(rows, _COLUMNS, form, name=lambda row: str(row["job"]), empty="no jobs")
    if code:
        raise typer.Exit(code)
