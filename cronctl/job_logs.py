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

_APPEARS_WITHIN_S: Final = 60.0
_BEFORE_THE_FIRST: Final = -1


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
        if follow and output is None:
            raise typer.Exit(follow_execution(api, record["id"]))
        print_whole(api, record, output)


def print_whole(api: Api, record: Row, output: Format | None) -> None:
    """Print what an execution has written so far; its record as well, where a form is asked for."""
    if output is Format.NAME:
        print(record["id"])
    elif output in (Format.JSON, Format.YAML):
        whole = {"execution": record, "output": api.get(f"/execution/{record['id']}/output")}
        (print_json if output is Format.JSON else print_yaml)(whole)
    else:
        _print_output(api, record["id"], after_seq=_BEFORE_THE_FIRST)
        _note(record)


def follow_execution(api: Api, execution_id: str, *, poll_s: float = 1.0) -> int:
    """
    Print the output until the execution ends; return 0 if it succeeded and 1 otherwise.

    Raises:
        NotFound: There is no record of it, and none appeared for a minute.
    """
    after_seq = _BEFORE_THE_FIRST
    missing_since_s = time.monotonic()
    while True:
        try:
            after_seq, is_finished = _print_output(api, execution_id, after_seq=after_seq)
            if is_finished:
                record = api.get(f"/execution/{execution_id}")
                _note(record)
                return 0 if record["status"] == Status.SUCCEEDED else 1
            missing_since_s = time.monotonic()
        except NotFound:
            # What was asked for has no record before a worker takes it and ships the first one.
            if time.monotonic() > missing_since_s + _APPEARS_WITHIN_S:
                raise
        except (StoreError, Unreachable) as error:
            # History may be away for a while; what is printed stays printed.
            print(f"cronctl: {error}; trying again", file=sys.stderr)
        time.sleep(poll_s)


def _print_output(api: Api, execution_id: str, *, after_seq: int) -> tuple[int, bool]:
    """
    Print what came after chunk *after_seq*, which may take several answers.

    Returns:
        The number of the last chunk, and whether no more can come.
    """
    while True:
        part = api.get(f"/execution/{execution_id}/output", after_seq=after_seq)
        for line in part["lines"]:
            stream = sys.stdout if line["stream"] == "stdout" else sys.stderr
            print(line["text"], file=stream, flush=True)
        last_seq = part["next_seq"] - 1
        if part["finished"] or last_seq == after_seq:
            return last_seq, bool(part["finished"])
        after_seq = last_seq


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
