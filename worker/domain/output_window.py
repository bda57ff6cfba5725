"""The window on one stream: which bytes are kept when a command prints more than it may.

Pure. The first 64 KiB and the last 192 KiB of a stream are always kept; in between it draws on a budget that
both streams of the execution share. What does not fit goes through a ring of the last bytes; what the
ring lets go is counted. Holds at most 256 KiB and the length of the longest secret, whatever is printed.
"""

from collections import deque
from typing import Final

HEAD_BYTES: Final = 64 * 1024
TAIL_BYTES: Final = 192 * 1024
#: A line costs at least this much of the budget: `yes` would fill a database with two bytes a line.
MIN_LINE_COST: Final = 24


class OutputBudget:
    """What an execution may still store between head and tail, both streams together."""

    def __init__(self, max_output_bytes: int) -> None:
        self.left = max_output_bytes


class StreamWindow:
    """Decides for each piece of one stream whether it is passed on, kept for the end, or dropped."""

    def __init__(self, budget: OutputBudget, *, slack_bytes: int = 0) -> None:
        """
        Args:
            slack_bytes: Kept in front of the tail, so that a secret cut in two can still be recognised.
        """
        self._budget = budget
        self._ring_bytes = TAIL_BYTES + slack_bytes
        self._passed = 0
        self._ring: deque[tuple[int, bytes]] = deque()
        self._ring_size = 0
        self._is_full = False
        self.dropped = 0

    def admit(self, data: bytes, at_ms: int) -> bytes:
        """Return the part of *data* that is to be passed on now; the rest is kept or dropped here."""
        if self._is_full:
            self._keep(data, at_ms)
            return b""
        cost = max(len(data), MIN_LINE_COST * data.count(b"\n"))
        if cost <= self._budget.left:
            self._budget.left -= cost
            self._passed += len(data)
            return data
        self._is_full = True
        passed = data[: max(0, HEAD_BYTES - self._passed)]
        if len(passed) == len(data):
            # Within the head, which is kept whatever the budget says.
            self._is_full = False
            self._passed += len(data)
            self._budget.left = 0
            return data
        self._passed += len(passed)
        self._keep(data[len(passed) :], at_ms)
        return passed

    def take_tail(self) -> list[tuple[int, bytes]]:
        """The last bytes as (milliseconds, bytes), when the stream has ended; `dropped` is final then."""
        tail = list(self._ring)
        self._ring.clear()
        self._ring_size = 0
        return tail

    def _keep(self, data: bytes, at_ms: int) -> None:
        if not data:
            return
        self._ring.append((at_ms, data))
        self._ring_size += len(data)
        while self._ring_size - len(self._ring[0][1]) >= self._ring_bytes:
            _, gone = self._ring.popleft()
            self._ring_size -= len(gone)
            self.dropped += len(gone)
