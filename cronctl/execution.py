"""`cronctl execution`: what ran, over all jobs."""

from typing import Annotated, Any, Final

import typer

from common.domain.execution import Status
from cronctl.completion import complete_job, complete_worker
from cronctl.job_logs import follow_execution, print_whole
from cronctl.options import Output, connect, job_ref
from cronctl.output import Column, Format, Row, cell_text, duration_text, print_one, print_rows

app = typer.Typer(no_args_is_help=True, help="Executions: what ran, how it ended, what it printed.")

_COLUMNS: Final = (
    Column("EXECUTION", lambda row: row.get("id")),
    Column("JOB", lambda row: f"{row.get('namespace')}/{row.get('job')}"),
    Column("STATUS", lambda row: row.get("status")),
    Column("CAUSE", lambda row: row.get("cause")),
    Column("SCHEDULED", lambda row: row.get("scheduled_at")),
    Column("TOOK", lambda row: duration_text(row.get("duration_ms"))),
    Column("EXIT", lambda row: row.get("exit_code")),
    Column("WORKER", lambda row: row.get("worker")),
    Column("REASON", lambda row: row.get("reason")),
)
_DETAIL_COLUMNS: Final = (
    Column("execution", lambda row: row.get("id")),
    Column("job", lambda row: f"{row.get('namespace')}/{row.get('job')}"),
    Column("status", lambda row: row.get("status")),
    Column("reason", lambda row: row.get("reason")),
    Column("error", lambda row: row.get("error")),
    Column("exit code", lambda row: row.get("exit_code")),
    Column("cause", lambda row: row.get("cause")),
    Column("asked by", lambda row: row.get("requested_by")),
    Column("parameters", lambda row: row.get("parameters")),
    Column("worker", lambda row: row.get("worker")),
    Column("scheduled", lambda row: row.get("scheduled_at")),
    Column("started", lambda row: row.get("started_at")),
    Column("finished", lambda row: row.get("finished_at")),
    Column("took", lambda row: duration_text(row.get("duration_ms"))),
    Column("late", lambda row: duration_text(row.get("lateness_ms"))),
    Column("generation", lambda row: row.get("generation")),
    Column("history", lambda row: "\n".join(_step(entry) for entry in row.get("history") or [])),
)
ExecutionArgument = Annotated[str, typer.Argument(metavar="EXECUTION", help="Id of the execution.")]


def _step(entry: Row) -> str:
    return " ".join(cell_text(entry.get(name)) for name in ("at", "status", "reason")).strip()


@app.command("list")
def list_executions(
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Only of this job.", autocompletion=complete_job)
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Only this namespace; all unless given.")
    ] = None,
    worker: Annotated[
        str | None, typer.Option(help="Only on this worker.", autocompletion=complete_worker)
    ] = None,
    status: Annotated[list[Status] | None, typer.Option(help="Only with this status; repeatable.")] = None,
    cause: Annotated[str | None, typer.Option(help="Only for this cause, such as schedule.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Scheduled at or after this instant.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Scheduled before this instant.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, newest first.")] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List executions, newest first."""
    where: dict[str, Any] = {"namespace": namespace}
    if job is not None:
        ref = job_ref(job, namespace)
        where = {"namespace": ref.namespace, "job": ref.name}
    statuses = [found.value for found in status] if status else None
    where |= {"worker": worker, "status": statuses, "cause": cause, "from": since, "to": until}
    with connect(context) as api:
        rows = list(api.pages("/log/list", limit=limit, **where))
    print_rows(rows, _COLUMNS, output, name=lambda row: str(row["id"]), empty="no executions")


@app.command("get")
def get_execution(
    context: typer.Context, execution: ExecutionArgument, output: Output = Format.TABLE
) -> None:
    """Show one execution with its history."""
    with connect(context) as api:
        found = api.get(f"/execution/{execution}")
    print_one(found, _DETAIL_COLUMNS, output, name=str(found["id"]))


@app.command("logs")
def execution_logs(
    context: typer.Context,
    execution: ExecutionArgument,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until it ends.")] = False,
    output: Annotated[
        Format | None, typer.Option("-o", "--output", help="json or yaml prints the whole record.")
    ] = None,
) -> None:
    """Print what an execution wrote."""
    with connect(context) as api:
        if follow and output is None:
            raise typer.Exit(follow_execution(api, execution))
        print_whole(api, api.get(f"/execution/{execution}"), output)


@app.command("kill")
def kill_executions(
    context: typer.Context,
    executions: Annotated[list[str], typer.Argument(metavar="EXECUTION...", help="Ids of executions.")],
    output: Output = Format.TABLE,
) -> None:
    """Ask for executions to be killed; no other one of the job is touched."""
    with connect(context) as api:
        rows = [
            {"execution": one}
            for execution in executions
            for one in api.post(f"/execution/{execution}/kill").get("requested", [])
        ]
    columns = (Column("KILL REQUESTED", lambda row: row["execution"]),)
    print_rows(rows, columns, output, name=lambda row: str(row["execution"]), empty="nothing runs")


@app.command("retry")
def retry_execution(
    context: typer.Context,
    execution: ExecutionArgument,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Print the output until it ends; exit as it did.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Run the job of an execution that has ended again, with the same parameters."""
    with connect(context) as api:
        started = api.post(f"/execution/{execution}/retry")
        if follow:
            raise typer.Exit(follow_execution(api, started["execution_id"]))
    columns = (Column("execution", lambda row: row["execution_id"]),)
    print_one(started, columns, output, name=str(started["execution_id"]))
