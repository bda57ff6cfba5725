"""So many in a window of time, for each key.

Pure: the time comes in. Keys whose window has passed are forgotten, so the memory is that of the last minute.
"""

from collections import deque


class RateLimit:
    """Counts what was let through; what was refused does not count."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._seen: dict[str, deque[float]] = {}
        self._swept_s = 0.0

    def wait_s(self, key: str, now_s: float) -> float:
        """Count one more for *key*; 0 when it may go on, else seconds until the next one may."""
        self._sweep(now_s)
        seen = self._seen.setdefault(key, deque())
        while seen and now_s - seen[0] >= self._window_s:
            seen.popleft()
        if len(seen) >= self._limit:
            return self._window_s - (now_s - seen[0])
        seen.append(now_s)
        return 0.0

    def _sweep(self, now_s: float) -> None:
        if now_s - self._swept_s < self._window_s:
            return
        self._swept_s = now_s
        self._seen = {key: seen for key, seen in self._seen.items() if now_s - seen[-1] < self._window_s}
