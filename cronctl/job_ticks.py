"""The ticks of a job: those to come, those that were, and why one of them did or did not run."""

from datetime import datetime
from typing import Annotated, Final

import typer

from common.domain.errors import InvalidInput, NotFound
from common.domain.execution import EntryKind
from common.domain.ids import epoch_s
from cronctl.client import Api
from cronctl.options import JobArgument, JobRef, NamespaceOption, Output, connect, job_ref
from cronctl.output import Column, Format, Row, duration_text, print_one, print_rows

_NEXT_COLUMNS: Final = (
    Column("LOCAL", lambda tick: tick["local"]),
    Column("UTC", lambda tick: tick["at"]),
    Column("NOTE", lambda tick: "moved out of a DST gap" if tick.get("flag") == "gap" else tick.get("flag")),
)


def _outcome(entry: Row) -> str:
    return str(entry.get("status") or entry.get("kind") or "")


def _how_many(entry: Row) -> str:
    count = entry.get("count")
    if not count or count == 1:
        return ""
    return f"{count}" if entry.get("count_is_exact", True) else f"at least {count}"


_LEDGER_COLUMNS: Final = (
    Column("TICK", lambda entry: entry.get("at")),
    Column("OUTCOME", _outcome),
    Column("REASON", lambda entry: entry.get("reason")),
    Column("LATE", lambda entry: duration_text(entry.get("lateness_ms"))),
    Column("COUNT", _how_many),
    Column("EXECUTION", lambda entry: entry.get("execution_id") or entry.get("blocked_by")),
    Column("WORKER", lambda entry: entry.get("worker")),
)
_EXPLAIN_COLUMNS: Final = (
    Column("tick", lambda told: told.get("at")),
    Column("verdict", lambda told: told.get("verdict")),
    Column("why", lambda told: told.get("sentence")),
    Column("facts", lambda told: "\n".join(told.get("facts") or [])),
    Column("candidates", lambda told: "\n".join(_candidate(entry) for entry in told.get("candidates") or [])),
)


def _candidate(entry: Row) -> str:
    verdict = "eligible" if entry.get("eligible") else "not eligible"
    reason = entry.get("reason")
    return f"{entry.get('worker')}: {verdict}{f' ({reason})' if reason else ''}"


def next_ticks(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    count: Annotated[int, typer.Option("-c", "--count", min=1, max=50, help="How many.")] = 5,
    output: Output = Format.TABLE,
) -> None:
    """Print the next ticks of a job, as the scheduler will take them."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        found = api.get(f"/job/{ref.name}", namespace=ref.namespace)
        ticks = found.get("next_ticks") or []
        if count > len(ticks) and found.get("schedule"):
            # The job itself answers five; the preview is the same computation without the job's end date.
            asked = {
                "schedule": found["schedule"],
                "timezone": found["timezone"],
                "name": ref.name,
                "namespace": ref.namespace,
                "count": count,
            }
            previewed = api.post("/schedule/preview", asked)["ticks"]
            ticks = previewed if len(ticks) == 5 else ticks
    print_rows(
        ticks[:count],
        _NEXT_COLUMNS,
        output,
        name=lambda tick: str(tick["at"]),
        empty=f"{ref} has no next tick: it is disabled, over, or runs on request only",
    )


def ledger(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    kind: Annotated[EntryKind | None, typer.Option(help="Only what became this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many ticks, newest first.")] = 50,
    output: Output = Format.TABLE,
) -> None:
    """Print what became of every tick: outcome, skip or miss, with the reason."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        found = api.pages(f"/job/{ref.name}/ledger", limit=limit, namespace=ref.namespace, kind=kind)
        rows = list(found)
    empty = f"{ref} had no tick yet" if kind is None else f"{ref} has no tick that is {kind}"
    print_rows(rows, _LEDGER_COLUMNS, output, name=lambda entry: str(entry["at"]), empty=empty)


def explain(
    context: typer.Context,
    job: JobArgument,
    tick: Annotated[
        str | None,
        typer.Option(
            help="The tick: an instant such as 2026-01-31T08:00:00Z, or epoch seconds; the last one "
            "unless given."
        ),
    ] = None,
    namespace: NamespaceOption = None,
    output: Output = Format.TABLE,
) -> None:
    """Say why a tick ran, did not run, or where it will run."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        asked = _last_tick_s(api, ref) if tick is None else _tick_s(tick)
        told = api.get(f"/job/{ref.name}/explain", namespace=ref.namespace, tick=asked)
    print_one(told, _EXPLAIN_COLUMNS, output, name=str(told.get("verdict")))


def _last_tick_s(api: Api, ref: JobRef) -> int:
    rows = api.pages(f"/job/{ref.name}/ledger", limit=1, namespace=ref.namespace)
    if (last := next(rows, None)) is None:
        raise NotFound(f"{ref} had no tick yet; name one to come with --tick (see `cronctl job next`)")
    return int(last["tick"])


def _tick_s(text: str) -> int:
    if text.isdecimal():
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is neither an instant such as 2026-01-31T08:00:00Z nor a number"
        ) from None
    if instant.tzinfo is None:
        raise InvalidInput(f"{text!r} names no zone: add Z or an offset such as +01:00")
    return epoch_s(instant)
