"""The page about cronctl, and what every command has in common."""

from pathlib import Path

import pytest
import typer.main

from cronctl.__main__ import app
from cronctl.reference import commands, reference

PAGE = Path(__file__).parents[2] / "docs" / "cronctl.md"
COMMANDS = [
    pytest.param(command, id=" ".join(path)) for path, command in commands(typer.main.get_command(app), ())
]


def test_the_page_says_what_the_commands_are():
    """`python -m cronctl.reference > docs/cronctl.md` renews it."""
    assert reference() == PAGE.read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_explained(command):
    """No option of ours goes without a sentence."""
    unexplained = [p.name for p in command.params if p.param_type_name == "option" and not p.help]

    assert command.help
    assert [] == unexplained
