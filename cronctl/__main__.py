"""The `cronctl` command line: what it is made of, and how its failures reach people."""

import os
import sys
from typing import Annotated

import typer

from common.domain.errors import CronError
from cronctl import audit, execution, job, schedule, token, user, worker
from cronctl import context as contexts
from cronctl.events import events
from cronctl.failures import exit_code_of
from cronctl.login import login
from cronctl.options import Target
from cronctl.setup import setup
from cronctl.up import up
from cronctl.version import own_version, version

app = typer.Typer(
    name="cronctl",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.add_typer(job.app, name="job")
app.add_typer(execution.app, name="execution")
app.add_typer(worker.app, name="worker")
app.add_typer(schedule.app, name="schedule")
app.add_typer(audit.app, name="audit")
app.add_typer(contexts.app, name="context")
app.command()(events)
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")
app.command()(login)
app.command()(setup)
app.command()(version)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"cronctl {own_version()}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    api: Annotated[
        str | None,
        typer.Option(help="Address of the API, for example http://127.0.0.1:8070 (EVERYTICK_API)."),
    ] = None,
    token: Annotated[str | None, typer.Option(help="API token (better: EVERYTICK_TOKEN).")] = None,
    context_name: Annotated[
        str | None, typer.Option("--context", help="Installation kept by `cronctl login`.")
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Work with everytick: start it here, look after its jobs, read what ran."""
    context.obj = Target(api=api, token=token, context=context_name)


def main() -> None:
    """Run the command line; every expected failure is a sentence on stderr and an exit code."""
    try:
        app()
    except CronError as error:
        print(f"cronctl: {error}", file=sys.stderr)
        sys.exit(exit_code_of(error))
    except BrokenPipeError:
        # `cronctl job list | head`: the reader has seen enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
