"""The table of situations: complete, and every row shown by a test that exists and names it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
#: All of the design's table; a new situation gets a row and a test.
SITUATIONS = 37


def rows() -> list[tuple[int, list[tuple[str, str]]]]:
    """Number and tests of each row."""
    page = (ROOT / "docs" / "semantics.md").read_text()
    return [(int(number), TEST.findall(tests)) for number, tests in ROW.findall(page)]


def source_of(path: str, name: str) -> str | None:
    """The text of a test function with its decorators; None if there is no such test."""
    text = (ROOT / path).read_text() if (ROOT / path).is_file() else ""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    return None


def names_row(source: str, number: int) -> bool:
    """By its name (`test_09_`, `test_34_and_35_`, `test_05_to_07_`, `test_row_9_`) or in its words."""
    name = re.search(r"def test_(?:row_)?(\d+)(?:_(and|to)_(\d+))?_", source)
    if name is not None:
        first = int(name[1])
        last = int(name[3]) if name[3] else first
        if number in ((first, last) if name[2] == "and" else range(first, last + 1)):
            return True
    return re.search(rf"(?:[Ss]ituation|[Rr]ow) {number}\b", source) is not None


def test_every_situation_has_a_row() -> None:
    """In order, none left out."""
    assert list(range(1, SITUATIONS + 1)) == [number for number, _ in rows()]


@pytest.mark.parametrize(("number", "tests"), [pytest.param(n, tests, id=f"row {n}") for n, tests in rows()])
def test_every_row_is_shown_by_a_test_that_names_it(number: int, tests: list[tuple[str, str]]) -> None:
    """A test that was renamed or moved takes its row along."""
    sources = {f"{path}::{name}": source_of(path, name) for path, name in tests}

    assert sources
    assert [] == [test for test, source in sources.items() if source is None or not names_row(source, number)]
