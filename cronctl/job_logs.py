"""`cronctl job logs`: what an execution printed, once or as it comes.

Standard output goes to ours and standard error to ours, so that pipes see what the command's pipes saw.
Following polls with the number of the last chunk, so nothing is printed twice and nothing left out.
"""

import sys
import time
from typing import Annotated, Final

import typer

from common.domain.errors import NotFound, StoreError
from common.domain.execution import Status
from cronctl.client import Api
from cronctl.failures import Unreachable
from cronctl.options import JobArgument, NamespaceOption, connect, job_ref
from cronctl.output import Format, Row, duration_text, print_json, print_yaml

_POLL_S: Final = 1.0
#: An execution that was asked for has no record before a worker takes it.
_APPEARS_WITHIN_S: Final = 60.0


def logs(
    context: typer.Context,
    job: JobArgument,
    namespace: NamespaceOption = None,
    execution: Annotated[
        str | None, typer.Option("-e", "--execution", help="This execution instead of the latest.")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until it ends.")] = False,
    output: Annotated[
        Format | None, typer.Option("-o", "--output", help="json or yaml prints the whole record.")
    ] = None,
) -> None:
    """Print the output of a job's latest execution."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        if execution is None:
            record = api.get(f"/log/{ref.name}", namespace=ref.namespace)["execution"]
        else:
            record = api.get(f"/execution/{execution}")
        if output is Format.NAME:
            print(record["id"])
        elif output in (Format.JSON, Format.YAML):
            whole = {"execution": record, "output": api.get(f"/execution/{record['id']}/output")}
            (print_json if output is Format.JSON else print_yaml)(whole)
        elif follow:
            raise typer.Exit(follow_execution(api, record["id"]))
        else:
            _print_output(api, record["id"], after_seq=None)
            _note(record)


def follow_execution(api: Api, execution_id: str) -> int:
    """Print the output until the execution ends; return 0 if it succeeded and 1 otherwise."""
    record = _appeared(api, execution_id)
    after_seq: int | None = None
    while True:
        try:
            # The status first: output that comes after it was read is printed in the next round.
            record = api.get(f"/execution/{execution_id}")
            after_seq = _print_output(api, execution_id, after_seq=after_seq)
        except (StoreError, Unreachable) as error:
            print(f"cronctl: {error}; trying again", file=sys.stderr)
        else:
            if not record.get("live") and Status(record["status"]).is_terminal:
                _note(record)
                return 0 if record["status"] == Status.SUCCEEDED else 1
        time.sleep(_POLL_S)


def _appeared(api: Api, execution_id: str) -> Row:
    deadline = time.monotonic() + _APPEARS_WITHIN_S
    while True:
        try:
            return api.get(f"/execution/{execution_id}")
        except NotFound:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)


def _print_output(api: Api, execution_id: str, *, after_seq: int | None) -> int | None:
    """Print what came after chunk *after_seq*; return the number of the last chunk."""
    while True:
        chunk = api.get(f"/execution/{execution_id}/output", after_seq=after_seq)
        for line in chunk["lines"]:
            stream = sys.stdout if line["stream"] == "stdout" else sys.stderr
            print(line["text"], file=stream, flush=True)
        following = chunk["next_seq"] - 1
        if not chunk["lines"] or following == after_seq:
            return after_seq if following < 0 else following
        after_seq = following


def _note(record: Row) -> None:
    """How it ended, for people: on standard error, so that the output stays the command's own."""
    exit_code = record.get("exit_code")
    parts = (
        record["id"],
        str(record["status"]) + (f" ({record['reason']})" if record.get("reason") else ""),
        "" if exit_code is None else f"exit code {exit_code}",
        duration_text(record.get("duration_ms")),
        f"on {record['worker']}" if record.get("worker") else "",
    )
    if sys.stderr.isatty():
        print("-- " + ", ".join(part for part in parts if part), file=sys.stderr)
