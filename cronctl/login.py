"""`cronctl login`: keep an address and its token under a name."""

import sys
from typing import Annotated

import typer

from common.domain.errors import InvalidInput
from cronctl.client import Api
from cronctl.contexts import (
    Connection,
    Context,
    contexts_path,
    environment,
    find_connection,
    read_contexts,
    write_contexts,
)
from cronctl.options import Target


def login(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", help="What to call this installation.")] = "default",
) -> None:
    """
    Keep the address and token of an installation in ~/.config/everytick/contexts.yaml.

    Give them as `cronctl --api ADDRESS login`; the token is asked for, or read from standard input, unless
    --token or EVERYTICK_TOKEN gives it.
    """
    target = context.find_object(Target) or Target()
    found = find_connection(environment(), api=target.api, token=target.token, context=target.context)
    token = target.token or environment().get("EVERYTICK_TOKEN") or _asked_token()
    with Api(Connection(found.api, token, found.origin)) as api:
        # A token that does not work is not kept.
        version = api.get("/version")
    path = contexts_path(environment())
    write_contexts(path, read_contexts(path).with_context(name, Context(api=found.api, token=token)))
    print(f"context {name!r}: {found.api}, everytick {version.get('version')}; kept in {path}")


def _asked_token() -> str:
    if sys.stdin.isatty():
        token = str(typer.prompt("Token", hide_input=True, err=True))
    else:
        token = sys.stdin.readline()
    if not token.strip():
        raise InvalidInput("no token was given")
    return token.strip()
