"""`cronctl version`: what runs here, and what runs there."""

import sys
from importlib import metadata

import typer

from common.domain.errors import CronError
from cronctl.contexts import NoInstallation
from cronctl.options import Output, connect
from cronctl.output import Column, Format, Row, print_one


def version(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Print the version of cronctl and, where it can be reached, of the installation."""
    told: Row = {"cronctl": own_version()}
    try:
        with connect(context) as api:
            told["installation"] = api.get("/version")
    except NoInstallation:
        pass
    except CronError as error:
        # What was asked for first is known: the rest is a remark.
        print(f"cronctl: {error}", file=sys.stderr)
    columns = (
        Column("cronctl", lambda row: row["cronctl"]),
        Column("everytick", lambda row: _there(row).get("version")),
        Column("etcd", lambda row: (_there(row).get("etcd") or {}).get("version")),
        Column("MongoDB", lambda row: (_there(row).get("mongo") or {}).get("version")),
        Column("key prefix", lambda row: _there(row).get("key_prefix")),
    )
    print_one(told, columns, output, name=own_version())


def own_version() -> str:
    """The version of this installation of everytick."""
    try:
        return metadata.version("everytick")
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"


def _there(row: Row) -> Row:
    found = row.get("installation")
    return found if isinstance(found, dict) else {}
