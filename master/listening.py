"""The socket of the API, bound before anything else starts: a port that is taken is said at once."""

import socket

from common.domain.errors import ConfigError


def listen(host: str, port: int) -> socket.socket:
    """
    A bound socket for the API.

    Raises:
        ConfigError: The port is taken, or the address is not one of this host.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = (error.strerror or str(error)).partition("(")[0].strip().lower()
        raise ConfigError(
            f"cannot listen on {host}:{port}: {reason}; "
            "stop what uses it, or set apiPort (0 takes a free one)",
            key="apiPort",
        ) from error
