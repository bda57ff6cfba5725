"""The table of `docs/security.md`: every rule of security has a test, and every test it names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| (\d+) \|[^|]+\|([^|]+)\|$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE)
RULES = 15
NAMED = [
    pytest.param(number, name, id=f"rule {number}: {name}")
    for number, cell in ROWS
    for name in re.findall(r"`([^`]+)`", cell)
]


def test_each_rule_has_a_row():
    """Fifteen, in order, none left out."""
    assert list(range(1, RULES + 1)) == [int(number) for number, _ in ROWS]


def test_each_row_names_a_test():
    """A promise without a test is none."""
    assert {number for number, _ in ROWS} == {row.values[0] for row in NAMED}


@pytest.mark.parametrize(("number", "name"), NAMED)
def test_the_named_test_exists(number: str, name: str):
    """Renaming a test means renaming it here."""
    path, _, function = name.partition("::")
    text = (ROOT / path).read_text()

    assert re.search(rf"^(async )?def {re.escape(function)}\(", text, re.MULTILINE)
