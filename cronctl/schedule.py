"""`cronctl schedule preview`: what a schedule means, before anything is saved."""

from typing import Annotated, Final

import typer

from cronctl.options import Output, connect
from cronctl.output import Column, Format, Row, print_one

app = typer.Typer(no_args_is_help=True, help="Schedules before they are saved.")

_COLUMNS: Final = (
    Column("schedule", lambda found: found.get("normalised")),
    Column("in words", lambda found: found.get("words")),
    Column("timezone", lambda found: found.get("timezone")),
    Column("next ticks", lambda found: "\n".join(_tick(tick) for tick in found.get("ticks") or [])),
    Column("warnings", lambda found: "\n".join(_warning(text) for text in found.get("warnings") or [])),
)


def _tick(tick: Row) -> str:
    return f"{tick['local']}  ({tick['at']})"


def _warning(found: object) -> str:
    return str(found.get("text") or found) if isinstance(found, dict) else str(found)


@app.callback()
def _root() -> None:
    """Schedules before they are saved."""


@app.command("preview")
def preview(
    context: typer.Context,
    schedule: Annotated[str, typer.Argument(help="Cron text of 5 or 6 fields, or @every 90s.")],
    timezone: Annotated[str, typer.Option("--timezone", help="IANA zone of the schedule.")] = "UTC",
    count: Annotated[int, typer.Option("-c", "--count", min=1, max=50, help="How many ticks.")] = 5,
    output: Output = Format.TABLE,
) -> None:
    """Say a schedule in words, with its next ticks and what may surprise."""
    with connect(context) as api:
        found = api.post("/schedule/preview", {"schedule": schedule, "timezone": timezone, "count": count})
    print_one(found, _COLUMNS, output, name=str(found.get("normalised")))
