"""How many refusals of unknown callers are worth an entry each: a flood must not fill the audit trail.

Pure. Of each client and of all together so many a minute are let through; the next one that is says how many
were left out before it.
"""

from typing import Final

_PER_CLIENT: Final = 20
_FOR_ALL: Final = 200
_WINDOW_S: Final = 60.0
_CLIENTS: Final = 2000


class RefusalBudget:
    """Counts per minute."""

    def __init__(self) -> None:
        self._began_s = float("-inf")
        self._by_client: dict[str, int] = {}
        self._total = 0
        self._left_out = 0

    def spend(self, client: str, now_s: float) -> int | None:
        """
        Whether one more refusal of *client* gets an entry.

        Returns:
            How many were left out since the last that got one; None when this one is left out as well.
        """
        if now_s - self._began_s >= _WINDOW_S:
            self._began_s, self._total, self._by_client = now_s, 0, {}
        seen = self._by_client.get(client, 0)
        is_new_in_full_table = not seen and len(self._by_client) >= _CLIENTS
        if seen >= _PER_CLIENT or self._total >= _FOR_ALL or is_new_in_full_table:
            self._left_out += 1
            return None
        self._by_client[client] = seen + 1
        self._total += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
