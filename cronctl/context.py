"""`cronctl context`: the installations that are kept, and which one is used."""

from typing import Annotated, Final

import typer

from common.domain.errors import InvalidInput
from cronctl.completion import complete_context
from cronctl.contexts import (
    Context,
    Contexts,
    UnknownContext,
    contexts_path,
    environment,
    read_contexts,
    write_contexts,
)
from cronctl.options import Output, Target
from cronctl.output import Column, Format, print_rows

app = typer.Typer(no_args_is_help=True, help="Contexts: installations and their tokens, by name.")

_COLUMNS: Final = (
    Column("CONTEXT", lambda row: row["name"]),
    Column("API", lambda row: row["api"]),
    Column("CURRENT", lambda row: "*" if row["is_current"] else ""),
)
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the context.", autocompletion=complete_context)
]


@app.command("list")
def list_contexts(output: Output = Format.TABLE) -> None:
    """List the installations that are kept; tokens are not shown."""
    kept = read_contexts(contexts_path(environment()))
    rows = [
        {"name": name, "api": context.api, "is_current": name == kept.current}
        for name, context in sorted(kept.contexts.items())
    ]
    print_rows(
        rows,
        _COLUMNS,
        output,
        name=lambda row: str(row["name"]),
        empty="no contexts: keep one with `cronctl login`",
    )


@app.command("use")
def use_context(name: NameArgument) -> None:
    """Use this installation from now on."""
    kept = _with(name)
    _write(kept.model_copy(update={"current": name}))
    print(f"context {name!r} is used now: {kept.contexts[name].api}")


@app.command("set")
def set_context(context: typer.Context, name: NameArgument) -> None:
    """
    Keep an address and a token without asking the installation.

    Give them as `cronctl --api ADDRESS --token TOKEN context set NAME`; what is not given stays as it is. The
    token is better given by EVERYTICK_TOKEN, which no list of processes shows.
    """
    target = context.find_object(Target) or Target()
    kept = read_contexts(contexts_path(environment()))
    old = kept.contexts.get(name)
    api = target.api or environment().get("EVERYTICK_API") or (old.api if old else None)
    token = target.token or environment().get("EVERYTICK_TOKEN") or (old.token if old else None)
    if not api or not token:
        raise InvalidInput("give the address with --api and the token with EVERYTICK_TOKEN or --token")
    if "://" not in api:
        api = f"http://{api}"
    changed = Contexts(
        current=kept.current or name,
        contexts={**kept.contexts, name: Context(api=api.rstrip("/"), token=token)},
    )
    _write(changed)
    print(f"context {name!r}: {api}; kept in {contexts_path(environment())}")


@app.command("delete")
def delete_context(name: NameArgument) -> None:
    """Forget an installation and its token; the token itself stays valid."""
    kept = _with(name)
    others = {other: context for other, context in kept.contexts.items() if other != name}
    _write(Contexts(current=None if kept.current == name else kept.current, contexts=others))
    print(f"context {name!r} is forgotten")


def _with(name: str) -> Contexts:
    """The contexts, of which *name* is one."""
    path = contexts_path(environment())
    kept = read_contexts(path)
    if name not in kept.contexts:
        known = ", ".join(sorted(kept.contexts)) or "none"
        raise UnknownContext(f"there is no context {name!r} in {path} (known: {known})")
    return kept


def _write(contexts: Contexts) -> None:
    write_contexts(contexts_path(environment()), contexts)
