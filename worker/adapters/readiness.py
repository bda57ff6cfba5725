"""One epoll for all pipes and pidfds of the worker's commands, watched by the event loop as a single reader.

Registering a file with asyncio costs about 15 us of Python, three times per execution; here it is one system
call. Each round serves every ready file once, so a command that floods its pipe cannot starve the others.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger()

_EVENTS_PER_ROUND: Final = 128
#: Longest share of one round of the loop; whoever else is ready has a turn then.
_ROUND_S: Final = 0.005
#: While commands wait to be started, nobody is served for so long at a time, and so long in all; then there
#: is time for everybody.
_HOLD_S: Final = 0.02
_LONGEST_HOLD_S: Final = 1.0
_OPEN_S: Final = 2 * _HOLD_S


class Readiness:
    """Calls back when a file descriptor can be read or its other end is gone. Belongs to one event loop."""

    def __init__(self) -> None:
        #: Answers whether starting commands matters more just now than hearing from those that run.
        self.must_hold: Callable[[], bool] = lambda: False
        self._held_since_s: float | None = None
        self._is_paused = False
        self._epoll: select.epoll | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._callbacks: dict[int, Callable[[], None]] = {}

    def watch(self, fd: int, callback: Callable[[], None]) -> None:
        """Call *callback* in every round in which *fd* is ready, until `forget`."""
        if self._epoll is None:
            self._epoll = select.epoll()
            self._loop = asyncio.get_running_loop()
            self._resume()
        self._epoll.register(fd, select.EPOLLIN)
        self._callbacks[fd] = callback

    def forget(self, fd: int) -> None:
        """Stop watching *fd*; call it before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None and self._epoll is not None:
            self._epoll.unregister(fd)

    def pause(self, is_paused: bool) -> None:
        """Call nobody back until told otherwise: what they say cannot be passed on at present."""
        self._is_paused = is_paused
        if self._epoll is None or self._loop is None:
            return
        if is_paused:
            self._loop.remove_reader(self._epoll.fileno())
        else:
            self._resume()

    def close(self) -> None:
        if self._epoll is not None and self._loop is not None:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _serve(self) -> None:
        if self._epoll is None or self._loop is None or self._holds():
            return
        enough_s = self._loop.time() + _ROUND_S
        for fd, _ in self._epoll.poll(0, _EVENTS_PER_ROUND):
            if self._loop.time() >= enough_s:
                # The rest is still ready in the next round. Sixty commands that print as fast as they can
                # kept the loop from renewing the worker's lease.
                return
            # An earlier callback of this round may have closed it.
            callback = self._callbacks.get(fd)
            if callback is None:
                continue
            try:
                callback()
            except Exception:
                # One execution's failure must not take the pipes of all others with it.
                log.exception("pipe.failed", fd=fd)
                self.forget(fd)

    @property
    def must_wait(self) -> bool:
        """
        Whether nobody's news can be passed on just now, or should be.

        A thousand commands due at one second: each that ends meanwhile would take the time of two starts for
        its records and its transaction, and the last would start a second later.
        """
        if self._is_paused:
            return True
        if not self.must_hold():
            self._held_since_s = None
            return False
        now_s = asyncio.get_running_loop().time()
        if self._held_since_s is None or now_s - self._held_since_s > _LONGEST_HOLD_S + _OPEN_S:
            self._held_since_s = now_s
        return now_s - self._held_since_s <= _LONGEST_HOLD_S

    def _holds(self) -> bool:
        """Put the round off if it has to be."""
        if self._epoll is None or self._loop is None or not self.must_wait:
            return False
        self._loop.remove_reader(self._epoll.fileno())
        self._loop.call_later(_HOLD_S, self._resume)
        return True

    def _resume(self) -> None:
        if self._epoll is not None and self._loop is not None and not self._is_paused:
            self._loop.add_reader(self._epoll.fileno(), self._serve)
