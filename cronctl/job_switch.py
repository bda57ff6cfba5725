"""`cronctl job run|kill|enable|disable|delete`: start and stop jobs, one or many."""

from datetime import datetime
from typing import Annotated, Final

import typer

from common.domain.errors import InvalidInput
from cronctl.job_columns import DETAIL_COLUMNS
from cronctl.job_logs import follow_execution
from cronctl.options import JobRef, NamespaceOption, Output, connect
from cronctl.output import Column, Format, Row, print_one, print_rows
from cronctl.selection import (
    AllOption,
    JobsArgument,
    LabelOption,
    YesOption,
    chosen_jobs,
    confirm,
    describe,
    for_each,
)

_EXECUTION: Final = (Column("execution", lambda row: row["execution_id"]),)
_KILLED: Final = (Column("KILL REQUESTED", lambda row: row["execution"]),)


def run_jobs(
    context: typer.Context,
    jobs: JobsArgument = None,
    namespace: NamespaceOption = None,
    label: LabelOption = None,
    everything: AllOption = False,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="NAME=VALUE for this execution; repeatable.")
    ] = None,
    worker: Annotated[str | None, typer.Option(help="Run it on this worker.")] = None,
    force: Annotated[bool, typer.Option(help="Run even if the overlap policy says no.")] = False,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Print the output until it ends; exit as it did.")
    ] = False,
    yes: YesOption = False,
    output: Output = Format.TABLE,
) -> None:
    """Run jobs now, once more than their schedules say."""
    body: Row = {"force": force}
    if parameter:
        body["parameters"] = dict(_pair(entry) for entry in parameter)
    if worker:
        body["worker"] = worker
    with connect(context) as api:

        def act(ref: JobRef) -> Row:
            return api.post(f"/job/run/{ref.name}", body, namespace=ref.namespace)

        if _is_one(jobs):
            started = act(chosen_jobs(api, jobs, namespace, label, everything)[0])
            if follow:
                raise typer.Exit(follow_execution(api, started["execution_id"]))
            print_one(started, _EXECUTION, output, name=started["execution_id"])
            return
        if follow:
            raise InvalidInput("--follow prints the output of one job: name one")
        refs = chosen_jobs(api, jobs, namespace, label, everything)
        if not jobs and refs:
            confirm(f"Run {describe(refs)} now?", yes)
        for_each(refs, act, "started", output)


def kill_jobs(
    context: typer.Context,
    jobs: JobsArgument = None,
    namespace: NamespaceOption = None,
    label: LabelOption = None,
    everything: AllOption = False,
    yes: YesOption = False,
    output: Output = Format.TABLE,
) -> None:
    """Ask for all running executions of jobs to be killed."""
    with connect(context) as api:

        def act(ref: JobRef) -> Row:
            return api.post(f"/job/kill/{ref.name}", namespace=ref.namespace)

        refs = chosen_jobs(api, jobs, namespace, label, everything)
        if _is_one(jobs):
            rows = [{"execution": execution} for execution in act(refs[0]).get("requested", [])]
            empty = f"{refs[0]} has no running execution"
            print_rows(rows, _KILLED, output, name=lambda row: str(row["execution"]), empty=empty)
            return
        if not jobs and refs:
            confirm(f"Kill what runs of {describe(refs)}?", yes)
        for_each(refs, lambda ref: _killed(act(ref)), "", output)


def enable_jobs(
    context: typer.Context,
    jobs: JobsArgument = None,
    namespace: NamespaceOption = None,
    label: LabelOption = None,
    everything: AllOption = False,
    yes: YesOption = False,
    output: Output = Format.TABLE,
) -> None:
    """Let disabled or paused jobs come due again; what they missed meanwhile is not caught up."""
    _switch(context, "enable", {}, (jobs, namespace, label, everything), yes, output)


def disable_jobs(
    context: typer.Context,
    jobs: JobsArgument = None,
    namespace: NamespaceOption = None,
    label: LabelOption = None,
    everything: AllOption = False,
    until: Annotated[
        str | None,
        typer.Option(help="Resume by itself at this instant, for example 2026-01-31T08:00:00+01:00."),
    ] = None,
    yes: YesOption = False,
    output: Output = Format.TABLE,
) -> None:
    """Stop jobs from coming due; a running execution goes on."""
    body: Row = {} if until is None else {"until": _instant(until)}
    _switch(context, "disable", body, (jobs, namespace, label, everything), yes, output)


def delete_jobs(
    context: typer.Context,
    jobs: JobsArgument = None,
    namespace: NamespaceOption = None,
    label: LabelOption = None,
    everything: AllOption = False,
    kill: Annotated[bool, typer.Option("--kill", help="Also kill running executions.")] = False,
    yes: YesOption = False,
) -> None:
    """Delete jobs; their history stays until it expires."""
    with connect(context) as api:

        def act(ref: JobRef) -> Row:
            return api.delete(f"/job/{ref.name}", namespace=ref.namespace, mode="kill" if kill else "wait")

        refs = chosen_jobs(api, jobs, namespace, label, everything)
        if refs:
            confirm(f"Delete {describe(refs)}?", yes)
        if _is_one(jobs):
            act(refs[0])
            print(f"{refs[0]} deleted")
            return
        for_each(refs, act, "deleted", Format.TABLE)


def _switch(
    context: typer.Context,
    verb: str,
    body: Row,
    chosen: tuple[list[str] | None, str | None, str | None, bool],
    yes: bool,
    output: Format,
) -> None:
    with connect(context) as api:

        def act(ref: JobRef) -> Row:
            return api.post(f"/job/{verb}/{ref.name}", body, namespace=ref.namespace)

        refs = chosen_jobs(api, *chosen)
        if _is_one(chosen[0]):
            print_one(act(refs[0]), DETAIL_COLUMNS, output, name=str(refs[0]))
            return
        if not chosen[0] and refs:
            confirm(f"{verb.capitalize()} {describe(refs)}?", yes)
        for_each(refs, lambda ref: {"generation": act(ref).get("generation")}, f"{verb}d", output)


def _is_one(jobs: list[str] | None) -> bool:
    return jobs is not None and len(jobs) == 1


def _killed(answer: Row) -> Row:
    requested = answer.get("requested", [])
    return {"result": f"{len(requested)} asked to stop" if requested else "nothing runs", **answer}


def _pair(entry: str) -> tuple[str, str]:
    name, equals, value = entry.partition("=")
    if not equals or not name:
        raise InvalidInput(f"--parameter {entry!r} is not NAME=VALUE")
    return name, value


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not an instant such as 2026-01-31T08:00:00+01:00") from None
    if instant.tzinfo is None:
        raise InvalidInput(f"{text!r} names no zone: add Z or an offset such as +01:00")
    return instant.isoformat()
