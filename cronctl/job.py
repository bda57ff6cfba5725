"""`cronctl job`: look at jobs, switch them, start and stop them.

Changing what a job is stands in `job_definition.py`, what it printed in `job_logs.py`, its ticks in
`job_ticks.py`.
"""

from datetime import datetime
from typing import Annotated, Final

import typer

from common.domain.errors import InvalidInput
from cronctl.job_definition import edit, save
from cronctl.job_logs import follow_execution, logs
from cronctl.job_ticks import explain, ledger, next_ticks
from cronctl.options import JobArgument, NamespaceOption, Output, connect, job_ref
from cronctl.output import Column, Format, Row, cell_text, duration_text, print_one, print_rows

app = typer.Typer(no_args_is_help=True, help="Jobs: what is scheduled, what ran, and what it printed.")


def _state_of(job: Row) -> str:
    state = job.get("state") or {}
    if state.get("quarantined"):
        return "unreadable"
    if state.get("paused"):
        return "disabled" if not job.get("enabled", True) else "paused"
    running = state.get("running") or []
    return f"running ({len(running)})" if running else "scheduled" if job.get("schedule") else "on request"


def _last_of(job: Row) -> str:
    last = (job.get("state") or {}).get("last")
    if not last:
        return ""
    return " ".join(part for part in (last["status"], duration_text(last.get("duration_ms"))) if part)


def _what(job: Row) -> str:
    for field in ("command", "argv", "script"):
        if job.get(field):
            return cell_text(job[field])
    request = job.get("request")
    return f"{request.get('method', 'GET')} {request.get('url')}" if request else ""


LIST_COLUMNS: Final = (
    Column("NAMESPACE", lambda job: job.get("namespace")),
    Column("NAME", lambda job: job.get("name")),
    Column("SCHEDULE", lambda job: job.get("schedule")),
    Column("ZONE", lambda job: job.get("timezone")),
    Column("STATE", _state_of),
    Column("NEXT", lambda job: (job.get("state") or {}).get("next_tick")),
    Column("LAST", _last_of),
)
DETAIL_COLUMNS: Final = (
    Column("name", lambda job: f"{job.get('namespace')}/{job.get('name')}"),
    Column("description", lambda job: job.get("description")),
    Column("schedule", lambda job: job.get("schedule")),
    Column("in words", lambda job: job.get("description_in_words")),
    Column("timezone", lambda job: job.get("timezone")),
    Column("state", _state_of),
    Column("next ticks", lambda job: "\n".join(tick["local"] for tick in job.get("next_ticks") or [])),
    Column("last", _last_of),
    Column("executor", lambda job: job.get("executor")),
    Column("runs", _what),
    Column("overlap", lambda job: job.get("overlap")),
    Column("catch-up", lambda job: job.get("catch_up")),
    Column("labels", lambda job: job.get("labels")),
    Column("workers", lambda job: (job.get("state") or {}).get("eligible_workers")),
    Column("unreadable", lambda job: (job.get("state") or {}).get("quarantined")),
    Column("changed", lambda job: f"{job.get('changed_at')} by {job.get('changed_by') or 'unknown'}"),
    Column("generation", lambda job: job.get("generation")),
)


def _qualified(job: Row) -> str:
    return f"{job.get('namespace')}/{job.get('name')}"


@app.command("list")
def list_jobs(
    context: typer.Context,
    search: Annotated[str | None, typer.Argument(help="Only jobs whose name or text contains this.")] = None,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Only this namespace; all unless given.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Only jobs with this label: key=value.")] = None,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Only such jobs.")] = None,
    status: Annotated[str | None, typer.Option(help="Only jobs whose last execution ended so.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many; all unless given.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List jobs with their state, next tick and last result."""
    with connect(context) as api:
        rows = api.pages(
            "/job/list",
            limit=limit,
            q=search,
            namespace=namespace,
            label=label,
            enabled=enabled,
            status=status,
        )
        print_rows(rows, LIST_COLUMNS, output, name=_qualified, empty="no jobs")


@app.command("get")
def get_job(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    output: Output = Format.TABLE,
) -> None:
    """Show one job."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        found = api.get(f"/job/{ref.name}", namespace=ref.namespace)
    print_one(found, DETAIL_COLUMNS, output, name=str(ref))


@app.command("run")
def run_job(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="NAME=VALUE for this execution; repeatable.")
    ] = None,
    worker: Annotated[str | None, typer.Option(help="Run it on this worker.")] = None,
    force: Annotated[bool, typer.Option(help="Run even if the overlap policy says no.")] = False,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Print the output until it ends; exit as it did.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Run a job now, once more than its schedule says."""
    ref = job_ref(job, namespace)
    body: Row = {"force": force}
    if parameter:
        body["parameters"] = dict(_pair(entry) for entry in parameter)
    if worker:
        body["worker"] = worker
    with connect(context) as api:
        started = api.post(f"/job/run/{ref.name}", body, namespace=ref.namespace)
        if follow:
            raise typer.Exit(follow_execution(api, started["execution_id"]))
    columns = (Column("execution", lambda row: row["execution_id"]),)
    print_one(started, columns, output, name=started["execution_id"])


@app.command("kill")
def kill_job(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    output: Output = Format.TABLE,
) -> None:
    """Ask for all running executions of a job to be killed."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        answer = api.post(f"/job/kill/{ref.name}", namespace=ref.namespace)
    rows = [{"execution": execution} for execution in answer.get("requested", [])]
    columns = (Column("KILL REQUESTED", lambda row: row["execution"]),)
    print_rows(
        rows, columns, output, name=lambda row: str(row["execution"]), empty=f"{ref} has no running execution"
    )


@app.command("enable")
def enable_job(
    context: typer.Context, job: JobArgument, namespace: NamespaceOption = None, output: Output = Format.TABLE
) -> None:
    """Let a disabled or paused job come due again; what it missed meanwhile is not caught up."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        changed = api.post(f"/job/enable/{ref.name}", namespace=ref.namespace)
    print_one(changed, DETAIL_COLUMNS, output, name=str(ref))


@app.command("disable")
def disable_job(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    until: Annotated[
        str | None,
        typer.Option(help="Resume by itself at this instant, for example 2026-01-31T08:00:00+01:00."),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Stop a job from coming due; a running execution goes on."""
    ref = job_ref(job, namespace)
    body: Row = {} if until is None else {"until": _instant(until)}
    with connect(context) as api:
        changed = api.post(f"/job/disable/{ref.name}", body, namespace=ref.namespace)
    print_one(changed, DETAIL_COLUMNS, output, name=str(ref))


@app.command("delete")
def delete_job(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    kill: Annotated[bool, typer.Option("--kill", help="Also kill its running executions.")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a job; its history stays until it expires."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        if not yes:
            typer.confirm(f"Delete job {ref}?", abort=True)
        api.delete(f"/job/{ref.name}", namespace=ref.namespace, mode="kill" if kill else "wait")
    print(f"{ref} deleted")


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


app.command("save")(save)
app.command("edit")(edit)
app.command("logs")(logs)
app.command("next")(next_ticks)
app.command("ledger")(ledger)
app.command("explain")(explain)
