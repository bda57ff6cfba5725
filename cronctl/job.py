"""`cronctl job`: look at jobs.

Starting and stopping them stands in `job_switch.py`, changing what a job is in `job_definition.py` and
`job_versions.py`, what it printed in `job_logs.py`, its ticks in `job_ticks.py`.
"""

from typing import Annotated

import typer

from cronctl.job_columns import DETAIL_COLUMNS, LIST_COLUMNS
from cronctl.job_definition import edit, save
from cronctl.job_logs import logs
from cronctl.job_switch import delete_jobs, disable_jobs, enable_jobs, kill_jobs, run_jobs
from cronctl.job_ticks import explain, ledger, next_ticks
from cronctl.job_versions import clone, revert, versions
from cronctl.options import JobArgument, NamespaceOption, Output, connect, job_ref
from cronctl.output import Format, Row, print_one, print_rows

app = typer.Typer(no_args_is_help=True, help="Jobs: what is scheduled, what ran, and what it printed.")


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


app.command("save")(save)
app.command("edit")(edit)
app.command("clone")(clone)
app.command("run")(run_jobs)
app.command("kill")(kill_jobs)
app.command("enable")(enable_jobs)
app.command("disable")(disable_jobs)
app.command("delete")(delete_jobs)
app.command("logs")(logs)
app.command("next")(next_ticks)
app.command("ledger")(ledger)
app.command("explain")(explain)
app.command("versions")(versions)
app.command("revert")(revert)
