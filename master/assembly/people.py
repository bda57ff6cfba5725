"""Area: who may come in."""

import socket

from master.assembly.ground import Ground
from master.services.admin_token import AdminTokens, read_or_create_token
from master.services.people import People


def make_people(ground: Ground) -> People:
    """
    The people's services.

    Raises:
        ConfigError: The file of the admin token cannot be used.
    """
    file = ground.config.token_file
    return People(
        admin_tokens=AdminTokens(
            read_or_create_token(file),
            f"{socket.gethostname()}:{file.resolve()}",
            ground.store,
            ground.keyspace,
            ground.feed(ground.keyspace.admin_tokens, "admin_tokens"),
        )
    )
