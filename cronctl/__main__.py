"""The `cronctl` command line: what it is made of, and how its failures reach people."""

import sys

import typer

from common.domain.errors import CronError
from cronctl.up import up

app = typer.Typer(
    name="cronctl",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Work with everytick: start it here, look after its jobs, read what ran.",
)
app.command()(up)


@app.callback()
def _root() -> None:
    """Work with everytick."""


def main() -> None:
    """Run the command line; every expected failure is a sentence on stderr and an exit code."""
    try:
        app()
    except CronError as error:
        print(f"cronctl: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
