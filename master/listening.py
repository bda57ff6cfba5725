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
        bound = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = (error.strerror or str(error)).partition("(")[0].strip().lower()
        raise ConfigError(
            f"cannot listen on {host}:{port}: {reason}; "
            "stop what uses it, or set apiPort (0 takes a free one)",
            key="apiPort",
        ) from error
    # Connections inherit it. asyncio would set it only on sockets made with the protocol's number, which this
    # one is not; without it every small answer waits 40 ms for the client's delayed acknowledgement, because
    # head and body are written one after the other.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound
