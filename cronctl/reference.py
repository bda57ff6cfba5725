"""The page `docs/cronctl.md`, made from the commands: `python -m cronctl.reference` prints it."""

import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import typer
import typer.main

_INTRODUCTION: Final = """\
# cronctl

The command line of everytick. `python -m cronctl.reference > docs/cronctl.md` makes this page from the
commands.

## Where it connects
Address and token are each taken from the first that names one: the flags `--api` and `--token` (before the
command), the environment (`EVERYTICK_API`, `EVERYTICK_TOKEN`), the context (`--context`, `EVERYTICK_CONTEXT`,
or the one in use, see `cronctl context`), a `cronctl up` that runs on the data directory. A token of a
context is never sent to another address.

## What it prints
`-o table` for people: drawn on a terminal, tab-separated in a pipe. `-o json` and `-o yaml` print what the
API answered, `-o name` one name per line. Errors go to standard error.

| exit code | meaning |
|---|---|
| 0 | done; with `--follow`, the execution succeeded |
| 1 | failed, not allowed, or not reached; with `--follow`, the execution did not succeed |
| 2 | what was typed or sent is wrong |
| 3 | there is nothing of that name |
| 4 | it does not fit the present state: it exists, or was changed by someone else |

## Several jobs at once
`run`, `kill`, `enable`, `disable` and `delete` take several names, or `--label key=value`, or `--all`. What
was not named one by one is asked about first, unless `--yes` is given. Each job has a result of its own; the
exit code is that of the first failure.

## Completion
`cronctl --install-completion` sets up the shell it is called from (bash, zsh, fish); `--show-completion`
prints the script. Names of jobs and workers come from the server, if that answers within a second.
"""


def reference() -> str:
    """The whole page."""
    from cronctl.__main__ import app

    root = typer.main.get_command(app)
    parts = [_INTRODUCTION, "\n## Commands\n"]
    parts += [_section(path, command) for path, command in commands(root, ())]
    return "".join(parts)


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that lead to it, in order of appearance."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, found in inner.items():
        if not found.hidden:
            yield from commands(found, (*path, name))


def _section(path: tuple[str, ...], command: Any) -> str:
    context = typer.Context(command, info_name=command.name)
    shown = [parameter for parameter in command.get_params(context) if parameter.name not in ("help", "ctx")]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    words = " ".join(
        ("cronctl", *path, *(argument.metavar or argument.name.upper() for argument in arguments))
    )
    rows = [_row(parameter) for parameter in shown if parameter.param_type_name == "option"]
    text = f"\n### `{words}`\n\n{_paragraphs(command.help)}\n"
    if rows:
        text += "\n| option | meaning |\n|---|---|\n" + "".join(rows)
    return text


def _row(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    kind = option.bare_type
    is_choice = isinstance(kind, type) and issubclass(kind, Enum)
    values = f" ({', '.join(str(choice.value) for choice in kind)})" if is_choice else ""
    return f"| {names} | {(option.help or '').replace('|', chr(92) + '|')}{values} |\n"


def _paragraphs(text: str | None) -> str:
    paragraphs = (text or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


if __name__ == "__main__":
    sys.stdout.write(reference())
