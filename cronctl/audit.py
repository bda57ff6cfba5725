"""`cronctl audit`: who changed what, and whether the record of it is whole."""

from typing import Annotated, Final

import typer

from cronctl.options import Output, connect
from cronctl.output import Column, Format, Row, print_one, print_rows

app = typer.Typer(no_args_is_help=True, help="The audit trail: who changed what, or tried to.")


def _what(entry: Row) -> str:
    place = f"{entry['namespace']}/" if entry.get("namespace") else ""
    return f"{place}{entry['object']}" if entry.get("object") else ""


_COLUMNS: Final = (
    Column("SEQ", lambda entry: entry.get("seq")),
    Column("AT", lambda entry: entry.get("at")),
    Column("WHO", lambda entry: entry.get("actor")),
    Column("FROM", lambda entry: entry.get("client")),
    Column("ACTION", lambda entry: entry.get("action")),
    Column("OBJECT", _what),
    Column("OUTCOME", lambda entry: entry.get("outcome")),
    Column("DETAIL", lambda entry: entry.get("detail")),
)
_VERDICT_COLUMNS: Final = (
    Column("whole", lambda verdict: "yes" if verdict.get("ok") else "no"),
    Column("found", lambda verdict: verdict.get("detail")),
    Column("broken at", lambda verdict: verdict.get("broken_at")),
    Column("entries", lambda verdict: verdict.get("checked")),
    Column("first", lambda verdict: verdict.get("first_seq")),
    Column("last", lambda verdict: verdict.get("last_seq")),
    Column("last hash", lambda verdict: verdict.get("last_hash")),
)


@app.callback()
def _root() -> None:
    """The audit trail: who changed what, or tried to."""


@app.command("list")
def list_entries(
    context: typer.Context,
    actor: Annotated[str | None, typer.Option(help="Only by this account or token.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Only this action (job.save) or family of actions (job).")
    ] = None,
    target: Annotated[str | None, typer.Option("--object", help="Only about this name or id.")] = None,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Only in this namespace.")
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="Only done, refused or failed ones.")] = None,
    since: Annotated[str | None, typer.Option(help="At or after this instant (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option(help="Before this instant (RFC 3339).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many.")] = 100,
    output: Output = Format.TABLE,
) -> None:
    """List entries, newest first."""
    filters = {
        "actor": actor,
        "action": action,
        "object": target,
        "namespace": namespace,
        "outcome": outcome,
        "from": since,
        "to": until,
    }
    with connect(context) as api:
        rows = api.pages("/audit/list", limit=limit, **filters)
        print_rows(rows, _COLUMNS, output, name=lambda entry: str(entry["seq"]), empty="no entries")


@app.command("verify")
def verify(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Check that no entry was altered, removed or put in; exits with 1 if one was."""
    with connect(context) as api:
        verdict = api.get("/audit/verify")
    print_one(verdict, _VERDICT_COLUMNS, output, name=str(verdict.get("last_hash") or ""))
    if not verdict["ok"]:
        raise typer.Exit(1)
