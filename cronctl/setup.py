"""`cronctl setup`: the address that makes the first account."""

import typer

from cronctl.options import connect


def setup(context: typer.Context) -> None:
    """Show the address that makes the first account; good for 15 minutes, needs the admin token."""
    with connect(context) as api:
        found = api.post("/auth/setup-token")
        print(f"{api.address}{found['path']}")
