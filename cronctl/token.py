"""`cronctl token`: credentials for programs."""

from typing import Annotated, Final

import typer

from cronctl.options import Output, connect
from cronctl.output import Column, Format, print_json, print_rows, print_yaml
from cronctl.roles import read_role, roles_text

app = typer.Typer(no_args_is_help=True, help="API tokens: credentials for programs.")

_COLUMNS: Final = (
    Column("ID", lambda token: token.get("id")),
    Column("NAME", lambda token: token.get("name")),
    Column("OWNER", lambda token: token.get("owner")),
    Column("ROLE", lambda token: roles_text([token])),
    Column("CREATED", lambda token: token.get("created_at")),
    Column("EXPIRES", lambda token: token.get("expires_at")),
    Column("LAST USED", lambda token: token.get("last_used_at")),
    Column("EXPIRED", lambda token: token.get("expired")),
)


@app.command("list")
def list_tokens(
    context: typer.Context,
    is_all: Annotated[bool, typer.Option("--all", help="Everybody's; for administrators.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """List API tokens, your own unless --all is given."""
    with connect(context) as api:
        rows = api.get("/token/list", all=is_all)["items"]
        print_rows(rows, _COLUMNS, output, name=lambda token: str(token["id"]), empty="no tokens")


@app.command("create")
def create_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[
        str, typer.Option("--role", help="As for users: `viewer`, or `operator:shop,mail`.")
    ] = "viewer",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it lasts.")] = 90,
    for_ever: Annotated[bool, typer.Option("--for-ever", help="It does not end.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Make an API token; its text is printed this once, alone on standard output."""
    body = {"name": name, **read_role(role), "expires_in_days": None if for_ever else days}
    with connect(context) as api:
        made = api.post("/token/create", body)
    match output:
        case Format.JSON:
            print_json(made)
        case Format.YAML:
            print_yaml(made)
        case _:
            print(made["token"])


@app.command("delete")
def delete_token(
    context: typer.Context, token_id: Annotated[str, typer.Argument(metavar="ID", help="As lists show it.")]
) -> None:
    """Make an API token invalid."""
    with connect(context) as api:
        api.delete(f"/token/{token_id}")
    print(f"{token_id} deleted")
