"""`cronctl events`: follow what happens, for ever.

A stream that breaks is opened again with the id seen last, so that a master's restart leaves no gap unsaid:
what could not be told is a `resync`.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Final

import typer

from common.domain.errors import StoreError
from cronctl.client import Api
from cronctl.failures import Unreachable
from cronctl.options import connect
from cronctl.output import Format, Row, print_yaml

_PAUSE_S: Final = 1.0
#: The server sends a comment every 15 s: silence for longer is a dead connection.
_SILENCE_S: Final = 40.0


def events(
    context: typer.Context,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Only this namespace; all unless given.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only job, execution or worker; repeatable.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many; never unless given.")] = None,
    output: Annotated[
        Format, typer.Option("-o", "--output", help="table; json is one object per line.")
    ] = Format.TABLE,
) -> None:
    """Print jobs, executions and workers as they change, until Ctrl-C."""
    left = count
    try:
        with connect(context) as api:
            for name, data in follow(api, namespace):
                if name == "hello" or (kind and name not in kind and name != "resync"):
                    continue
                _print(name, data, output)
                left = None if left is None else left - 1
                if left == 0:
                    return
    except KeyboardInterrupt:
        return  # how it is meant to end


def follow(api: Api, namespace: str | None, *, pause_s: float = _PAUSE_S) -> Iterator[tuple[str, Row]]:
    """
    Names and data of events, for ever, over broken connections.

    Raises:
        CronError: The first stream could not be opened, or a later one was refused.
    """
    last_id: str | None = None
    while True:
        try:
            for event_id, name, data in read_events(api.stream("/events", last_id, _SILENCE_S, namespace)):
                last_id = event_id
                yield name, data
        except (StoreError, Unreachable) as error:
            if last_id is None:
                raise
            print(f"cronctl: {error}; trying again", file=sys.stderr)
        time.sleep(pause_s)


def read_events(lines: Iterator[str]) -> Iterator[tuple[str, str, Row]]:
    """Id, name and data of each event in *lines* of `text/event-stream`."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "event" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields.get("data", "{}"))
            fields = {}


def _print(name: str, data: Row, form: Format) -> None:
    match form:
        case Format.JSON:
            print(json.dumps({"event": name, **data}, ensure_ascii=False), flush=True)
        case Format.YAML:
            print("---")
            print_yaml({"event": name, **data})
            sys.stdout.flush()
        case Format.NAME:
            print(f"{name} {_subject(name, data)}", flush=True)
        case Format.TABLE:
            print("\t".join((name, _subject(name, data), _what(name, data))), flush=True)


def _subject(name: str, data: Row) -> str:
    if name == "job":
        return f"{data.get('namespace')}/{data.get('name')}"
    return str(data.get("id", ""))


def _what(name: str, data: Row) -> str:
    match name:
        case "job":
            return "deleted" if data.get("deleted") else f"changed (revision {data.get('revision')})"
        case "execution":
            status = data.get("status") or "ended"
            return f"{data.get('namespace')}/{data.get('job')} {status} on {data.get('worker')}"
        case "resync":
            return "something may have been missed"
        case _:
            return str(data.get("status", ""))
