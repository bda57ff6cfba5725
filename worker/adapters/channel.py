"""Messages between a worker and its command host: tuples over a pair of sockets, in order.

What is sent in one round of the loop travels together. Both ends are the same Python, one started by the
other, so `marshal` will do: it takes a fifth of the time of pickle, and carries plain values only.
"""

import asyncio
import marshal
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import structlog

log: Final = structlog.get_logger(__name__)

Message: TypeAlias = tuple[Any, ...]

_LENGTH_BYTES: Final = 4
#: A batch is sent at once when it holds this much, so that nobody has to put a large one together again.
_BATCH_BYTES: Final = 64 * 1024
#: With more than this on its way, the other side is slow: `on_pause` says so.
_HIGH_WATER_BYTES: Final = 1024 * 1024


class Channel(asyncio.Protocol):
    """One end. Give it to `loop.create_connection` with the socket; it belongs to that loop."""

    def __init__(
        self,
        receive: Callable[[Message], None],
        *,
        on_lost: Callable[[], None],
        on_pause: Callable[[bool], None] = lambda _is_paused: None,
    ) -> None:
        """
        Args:
            receive: Called with each message.
            on_lost: Called once, when the other end is gone or this one was closed.
            on_pause: Told when more is on its way than the other side takes, and when it is not any more.
        """
        self._receive = receive
        self._on_lost = on_lost
        self._on_pause = on_pause
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[Message] = []
        self._unsent_bytes = 0
        self._is_flush_planned = False
        self._received = bytearray()

    def send(self, *message: Any, size: int = 0) -> None:
        """
        Send a message at the end of this round of the loop, or as soon as there is a connection.

        Args:
            size: About how many bytes it has, for one that is large.
        """
        self._unsent.append(message)
        self._unsent_bytes += size
        if self._unsent_bytes >= _BATCH_BYTES:
            self._flush()
        elif not self._is_flush_planned:
            self._is_flush_planned = True
            self._loop.call_soon(self._flush_planned)

    def close(self) -> None:
        """Send what is left, then hang up."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush_planned(self) -> None:
        self._is_flush_planned = False
        self._flush()

    def _flush(self) -> None:
        if self._transport is None or not self._unsent:
            return
        batch = marshal.dumps(self._unsent)
        self._unsent.clear()
        self._unsent_bytes = 0
        self._transport.write(len(batch).to_bytes(_LENGTH_BYTES, "little") + batch)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a socket's is
        transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        self._transport = transport
        self._flush()

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        position = 0
        while len(received) - position >= _LENGTH_BYTES:
            start = position + _LENGTH_BYTES
            end = start + int.from_bytes(received[position:start], "little")
            if end > len(received):
                break
            with memoryview(received) as view:
                batch = marshal.loads(view[start:end])  # noqa: S302 - from our own process
            position = end
            for message in batch:
                self._take(message)
        del received[:position]

    def _take(self, message: Message) -> None:
        try:
            self._receive(message)
        except Exception:
            # One execution's failure must not take the channel of all others with it.
            log.exception("channel.failed", message=message[:2])

    def pause_writing(self) -> None:
        self._on_pause(True)

    def resume_writing(self) -> None:
        self._on_pause(False)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self._on_lost()
