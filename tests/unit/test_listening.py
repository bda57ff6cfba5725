"""The socket of the API."""

import socket

from master.listening import listen


def test_an_accepted_connection_sends_small_answers_at_once():
    """The body of an answer does not wait for the acknowledgement of its head."""
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
