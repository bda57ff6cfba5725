"""Choose loopback ports: those of the last start, else the usual ones, else any that is free.

A port that is free now may be taken a moment later; then the program that wanted it says so itself.
"""

import errno
import socket
from collections.abc import Iterable

from common.domain.errors import Conflict


class PortTaken(Conflict):
    """The port that was asked for is in use."""


def is_free(port: int) -> bool:
    """Whether a program could listen on 127.0.0.1:*port* now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
        return True


class Ports:
    """Hands out ports, none of them twice."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def exactly(self, port: int) -> int:
        """
        Return *port*.

        Raises:
            PortTaken: Somebody listens there.
        """
        if port in self._given or not is_free(port):
            raise PortTaken(f"port {port} on 127.0.0.1 is in use: stop what listens there or choose another")
        self._given.add(port)
        return port

    def first_free(self, wanted: Iterable[int]) -> int:
        """Return the first free port of *wanted*, or any free one."""
        for port in wanted:
            if port not in self._given and is_free(port):
                self._given.add(port)
                return port
        return self._any()

    def _any(self) -> int:
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            if port not in self._given:
                self._given.add(port)
                return port
