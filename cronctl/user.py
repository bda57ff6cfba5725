"""`cronctl user`: who may sign in, and what they may do."""

from typing import Annotated, Any, Final

import typer

from common.domain.errors import InvalidInput
from cronctl.client import Api
from cronctl.options import Output, connect
from cronctl.output import Column, Format, Row, print_one, print_rows
from cronctl.prompts import asked_new_password
from cronctl.roles import read_role, roles_text

app = typer.Typer(no_args_is_help=True, help="Users: who may sign in, and what they may do.")

_COLUMNS: Final = (
    Column("USER", lambda user: user.get("name")),
    Column("DISPLAY NAME", lambda user: user.get("display_name")),
    Column("ROLES", lambda user: roles_text(user.get("roles") or [])),
    Column("ENABLED", lambda user: user.get("enabled")),
    Column("SOURCE", lambda user: user.get("source")),
    Column("SESSIONS", lambda user: user.get("sessions")),
    Column("LAST SIGN-IN", lambda user: user.get("last_login_at")),
    Column("CREATED", lambda user: user.get("created_at")),
)
UserArgument = Annotated[str, typer.Argument(metavar="USER", help="Name of the user.")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="viewer, operator, editor, admin; `operator:shop,mail` for some namespaces."),
]
DisplayName = Annotated[str | None, typer.Option("--display-name", help="How people call them.")]


@app.command("list")
def list_users(
    context: typer.Context,
    q: Annotated[str | None, typer.Option("--search", "-q", help="What a name contains.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many; all unless given.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List users with their roles."""
    with connect(context) as api:
        rows = api.pages("/user/list", limit=limit, q=q)
        print_rows(rows, _COLUMNS, output, name=lambda user: str(user["name"]), empty="no users")


@app.command("get")
def get_user(context: typer.Context, user: UserArgument, output: Output = Format.TABLE) -> None:
    """Show one user."""
    with connect(context) as api:
        print_one(api.get(f"/user/{user}"), _COLUMNS, output, name=user)


@app.command("add")
def add_user(
    context: typer.Context,
    user: UserArgument,
    role: Roles = None,
    display_name: DisplayName = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a user; the password is asked for, or read from standard input."""
    body: dict[str, Any] = {
        "name": user,
        "display_name": display_name or user,
        "roles": [read_role(text) for text in role or []],
        "password": asked_new_password(user),
    }
    with connect(context) as api:
        _show(api.post("/user/save", body, headers={"If-None-Match": "*"}), output)


@app.command("set")
def set_user(
    context: typer.Context,
    user: UserArgument,
    role: Roles = None,
    display_name: DisplayName = None,
    output: Output = Format.TABLE,
) -> None:
    """Change display name or roles; --role names all of them, what is not given stays."""
    if role is None and display_name is None:
        raise InvalidInput("nothing to change: give --role or --display-name")
    with connect(context) as api:
        found = api.get(f"/user/{user}")
        body: dict[str, Any] = {
            "name": user,
            "display_name": found["display_name"] if display_name is None else display_name,
            "roles": found["roles"] if role is None else [read_role(text) for text in role],
        }
        _show(api.post("/user/save", body), output)


@app.command("disable")
def disable_user(context: typer.Context, user: UserArgument, output: Output = Format.TABLE) -> None:
    """Shut a user out: sessions end, password and tokens do not work."""
    with connect(context) as api:
        _show(api.post(f"/user/{user}/disable"), output)


@app.command("enable")
def enable_user(context: typer.Context, user: UserArgument, output: Output = Format.TABLE) -> None:
    """Let a user in again."""
    with connect(context) as api:
        _show(api.post(f"/user/{user}/enable"), output)


@app.command("delete")
def delete_user(
    context: typer.Context,
    user: UserArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a user with their sessions and tokens."""
    if not yes:
        typer.confirm(f"Delete {user}?", abort=True, err=True)
    with connect(context) as api:
        api.delete(f"/user/{user}")
    print(f"{user} deleted")


@app.command("password")
def set_password(context: typer.Context, user: UserArgument) -> None:
    """Give a user a new password, asked for or read from standard input; their sessions end."""
    with connect(context) as api:
        _set_password(api, user)


def _set_password(api: Api, user: str) -> None:
    api.post(f"/user/{user}/password", {"new": asked_new_password(user)})
    print(f"{user} has a new password")


def _show(user: Row, output: Format) -> None:
    print_one(user, _COLUMNS, output, name=str(user["name"]))
