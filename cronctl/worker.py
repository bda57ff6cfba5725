"""`cronctl worker`: who runs commands, how they are, and taking them out of service."""

from typing import Annotated, Final

import typer

from cronctl.completion import complete_worker
from cronctl.options import Output, connect
from cronctl.output import Column, Format, Row, print_one, print_rows
from cronctl.selection import YesOption, confirm

app = typer.Typer(no_args_is_help=True, help="Workers: who runs commands, and how they are.")

WorkerArgument = Annotated[
    str, typer.Argument(metavar="WORKER", help="Id of the worker.", autocompletion=complete_worker)
]


def _percent(worker: Row, metric: str) -> str:
    value = (worker.get("metrics") or {}).get(metric)
    return "" if value is None else f"{value:.0f} %"


def _offset(worker: Row) -> str:
    value = worker.get("clock_offset_ms")
    return "" if value is None else f"{value:+.0f} ms"


_COLUMNS: Final = (
    Column("WORKER", lambda worker: worker.get("id")),
    Column("STATUS", lambda worker: worker.get("status")),
    Column("RUNNING", lambda worker: f"{worker.get('running')}/{worker.get('slots')}"),
    Column("HOST", lambda worker: worker.get("host")),
    Column("ADDRESS", lambda worker: worker.get("address")),
    Column("VERSION", lambda worker: worker.get("version")),
    Column("CPU", lambda worker: _percent(worker, "cpu_percent")),
    Column("MEMORY", lambda worker: _percent(worker, "memory_percent")),
    Column("LABELS", lambda worker: worker.get("labels")),
    Column("LAST SEEN", lambda worker: worker.get("last_seen_at")),
    Column("NOTE", lambda worker: worker.get("claims_paused")),
)
_DETAIL_COLUMNS: Final = (
    Column("worker", lambda worker: worker.get("id")),
    Column("status", lambda worker: worker.get("status")),
    Column("takes no ticks", lambda worker: worker.get("claims_paused")),
    Column("running", lambda worker: f"{worker.get('running')} of {worker.get('slots')} slots"),
    Column("host", lambda worker: worker.get("host")),
    Column("address", lambda worker: worker.get("address")),
    Column("process", lambda worker: worker.get("pid")),
    Column("version", lambda worker: worker.get("version")),
    Column("labels", lambda worker: worker.get("labels")),
    Column("executors", lambda worker: worker.get("executors")),
    Column("cpu", lambda worker: _percent(worker, "cpu_percent")),
    Column("memory", lambda worker: _percent(worker, "memory_percent")),
    Column("disk", lambda worker: _percent(worker, "disk_percent")),
    Column("clock offset", _offset),
    Column("started", lambda worker: worker.get("started_at")),
    Column("last seen", lambda worker: worker.get("last_seen_at")),
)


@app.command("list")
def list_workers(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many; all unless given.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List workers with their state and load."""
    with connect(context) as api:
        rows = api.pages("/worker/list", limit=limit)
        print_rows(rows, _COLUMNS, output, name=lambda worker: str(worker["id"]), empty="no workers")


@app.command("get")
def get_worker(context: typer.Context, worker: WorkerArgument, output: Output = Format.TABLE) -> None:
    """Show one worker."""
    with connect(context) as api:
        found = api.get(f"/worker/{worker}")
    print_one(found, _DETAIL_COLUMNS, output, name=worker)


@app.command("drain")
def drain_worker(context: typer.Context, worker: WorkerArgument, output: Output = Format.TABLE) -> None:
    """Let a worker take nothing new; what runs on it goes on."""
    with connect(context) as api:
        found = api.post(f"/worker/{worker}/drain")
    print_one(found, _DETAIL_COLUMNS, output, name=worker)


@app.command("resume")
def resume_worker(context: typer.Context, worker: WorkerArgument, output: Output = Format.TABLE) -> None:
    """Let a drained worker take ticks again."""
    with connect(context) as api:
        found = api.post(f"/worker/{worker}/resume")
    print_one(found, _DETAIL_COLUMNS, output, name=worker)


@app.command("delete")
def delete_worker(
    context: typer.Context,
    worker: WorkerArgument,
    force: Annotated[bool, typer.Option("--force", help="Also while jobs are pinned to it.")] = False,
    yes: YesOption = False,
) -> None:
    """Forget a worker that is gone; refused while jobs run on it alone."""
    with connect(context) as api:
        confirm(f"Forget worker {worker}?", yes)
        api.delete(f"/worker/{worker}", force=force or None)
    print(f"{worker} deleted")
