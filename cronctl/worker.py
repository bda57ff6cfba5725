"""`cronctl worker`: who runs commands, and how they are."""

from typing import Annotated, Final

import typer

from cronctl.options import Output, connect
from cronctl.output import Column, Format, Row, print_rows

app = typer.Typer(no_args_is_help=True, help="Workers: who runs commands, and how they are.")


def _percent(worker: Row, metric: str) -> str:
    value = (worker.get("metrics") or {}).get(metric)
    return "" if value is None else f"{value:.0f} %"


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


@app.callback()
def _root() -> None:
    """Workers: who runs commands, and how they are."""


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
