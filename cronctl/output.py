"""What commands print: a table for people, or JSON, YAML or names for programs.

Tables are drawn on a terminal only; in a pipe the same columns come separated by tabs, without a heading
frame or colours, so that `cut` and `awk` work.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = dict[str, Any]


class Format(StrEnum):
    """The ways to print a result."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and how to read the cell from a row."""

    heading: str
    cell: Callable[[Row], object]


def print_rows(
    rows: Iterable[Row], columns: Sequence[Column], form: Format, *, name: Callable[[Row], str], empty: str
) -> None:
    """Print a list; *empty* is said to people when there is nothing in it."""
    listed = list(rows)
    match form:
        case Format.JSON:
            print_json(listed)
        case Format.YAML:
            print_yaml(listed)
        case Format.NAME:
            for row in listed:
                print(name(row))
        case Format.TABLE if not listed:
            print(empty, file=sys.stderr)
        case Format.TABLE if sys.stdout.isatty():
            _draw(listed, columns)
        case Format.TABLE:
            print("\t".join(column.heading for column in columns))
            for row in listed:
                print("\t".join(_flat(column.cell(row)) for column in columns))


def print_one(row: Row, columns: Sequence[Column], form: Format, *, name: str) -> None:
    """Print one object: for people a line per column, empty ones left out."""
    match form:
        case Format.JSON:
            print_json(row)
        case Format.YAML:
            print_yaml(row)
        case Format.NAME:
            print(name)
        case Format.TABLE:
            width = max(len(column.heading) for column in columns)
            for column in columns:
                text = cell_text(column.cell(row))
                if text:
                    indented = text.replace("\n", "\n" + " " * (width + 2))
                    print(f"{column.heading:<{width}}  {indented}")


def print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_yaml(value: object) -> None:
    print(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), end="")


def cell_text(value: object) -> str:
    """A value as people read it; nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key}={item}" for key, item in value.items())
        case list() | tuple():
            return ", ".join(str(item) for item in value)
        case _:
            return str(value)


def duration_text(milliseconds: object) -> str:
    """`320 ms`, `1.8 s`, `2 m 05 s`, `1 h 02 m`; nothing for None."""
    if not isinstance(milliseconds, int | float):
        return ""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"


def _flat(value: object) -> str:
    return cell_text(value).replace("\t", " ").replace("\n", " ")


def _draw(rows: Sequence[Row], columns: Sequence[Column]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.heading, overflow="fold")
    for row in rows:
        # Text, not a string: a job's name or output is never read as markup.
        table.add_row(*(Text(cell_text(column.cell(row))) for column in columns))
    Console().print(table)
