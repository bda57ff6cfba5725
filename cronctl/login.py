"""`cronctl login`: keep an address and a token for it under a name."""

import socket
import sys
from typing import Annotated

import typer

from common.domain.errors import InvalidInput
from cronctl.client import Api, Json
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
from cronctl.prompts import asked_password, asked_secret
from cronctl.roles import ROLES


def login(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", help="What to call this installation.")] = "default",
    username: Annotated[
        str | None, typer.Option("--username", "-u", help="Sign in with a password and make a token.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long a token that is made lasts.")] = 90,
) -> None:
    """
    Keep the address and a token of an installation in ~/.config/everytick/contexts.yaml.

    Give the address as `cronctl --api ADDRESS login`. With a user name, an API token named after this host is
    made and kept; the password is not. Without one, a token is asked for, or read from standard input, unless
    --token or EVERYTICK_TOKEN gives it.
    """
    target = context.find_object(Target) or Target()
    found = find_connection(environment(), api=target.api, token=target.token, context=target.context)
    given = target.token or environment().get("EVERYTICK_TOKEN")
    if username is None and given is None and sys.stdin.isatty():
        username = str(typer.prompt("User name (empty: paste a token)", default="", err=True)) or None
    token = _token_made(found, username, days) if username is not None else given or asked_secret("Token")
    with Api(Connection(found.api, token, found.origin)) as api:
        # A token that does not work is not kept.
        version = api.get("/version")
    path = contexts_path(environment())
    write_contexts(path, read_contexts(path).with_context(name, Context(api=found.api, token=token)))
    print(f"context {name!r}: {found.api}, everytick {version.get('version')}; kept in {path}")


def _token_made(found: Connection, username: str, days: int) -> str:
    """Sign in, make a token with the widest role the user has, and sign out."""
    password = asked_password(f"Password of {username}")
    with Api(Connection(found.api, None, found.origin)) as api:
        me = api.post("/auth/login", {"username": username, "password": password})
        proof = {"X-CSRF-Token": str(me["csrf_token"])}
        role = _widest(me)
        body = {
            "name": f"cronctl on {socket.gethostname()}"[:128],
            "role": role["role"],
            "namespaces": role["namespaces"],
            "expires_in_days": days,
        }
        made = api.post("/token/create", body, headers=proof)
        api.post("/auth/logout", headers=proof)
    where = "every namespace" if role["namespaces"] is None else ", ".join(role["namespaces"])
    print(f"made a token of role {role['role']} in {where}, for {days} days", file=sys.stderr)
    return str(made["token"])


def _widest(me: Json) -> Json:
    """The role that reaches furthest: a token has one, a user may have several."""
    roles: list[Json] = me["roles"]
    if not roles:
        raise InvalidInput(f"{me['name']} has no role yet: an administrator must give one")
    return max(roles, key=lambda role: (role["namespaces"] is None, ROLES.index(role["role"])))
