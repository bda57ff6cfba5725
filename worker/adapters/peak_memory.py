"""Peak memory of commands that run for a while, by looking at them every second.

What the kernel reports at the end starts with the size of the worker: spawned processes count the spawning
one until their exec. So for a command smaller than the worker it says nothing, and this is all there is; a
command that lives less than a second is not seen at all.
"""

import asyncio
import re
import resource
from typing import Final

from worker.adapters.process_table import children_of

_PERIOD_S: Final = 1.0
_MAX_PROCESSES: Final = 64
_PEAK: Final = re.compile(rb"VmHWM:\s+(\d+) kB")


class PeakMemory:
    """Samples main processes and what is below them; the largest single process counts, as in `ru_maxrss`."""

    def __init__(self) -> None:
        self._peaks_kb: dict[int, int] = {}
        self._own_kb = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, pid: int) -> None:
        self._peaks_kb[pid] = 0
        if self._timer is None:
            self._look_at_own()
            self._timer = asyncio.get_running_loop().call_later(_PERIOD_S, self._sample)

    def take(self, pid: int, max_rss_kb: int) -> int | None:
        """
        The peak of *pid* in KiB, None if it is not known; it is not watched any more.

        Args:
            max_rss_kb: What the kernel says. Of a command smaller than the worker it says nothing.
        """
        seen_kb = self._peaks_kb.pop(pid, 0)
        return max_rss_kb if max_rss_kb > self._own_kb else seen_kb or None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at_own(self) -> None:
        # With room for what the worker grows until the next look.
        self._own_kb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.05)

    def _sample(self) -> None:
        self._timer = None
        self._look_at_own()
        for pid, peak_kb in self._peaks_kb.items():
            self._peaks_kb[pid] = max(peak_kb, _peak_of_tree(pid))
        if self._peaks_kb:
            self._timer = asyncio.get_running_loop().call_later(_PERIOD_S, self._sample)


def _peak_of_tree(pid: int) -> int:
    waiting, peak_kb, seen = [pid], 0, 0
    while waiting and seen < _MAX_PROCESSES:
        current = waiting.pop()
        seen += 1
        peak_kb = max(peak_kb, _peak_of(current))
        waiting += children_of(current)
    return peak_kb


def _peak_of(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            found = _PEAK.search(file.read())
    except OSError:
        return 0
    return int(found[1]) if found else 0
