"""What was just read, for a few seconds; and for some minutes while its store is away.

Polling and events would ask MongoDB for the same session a hundred times a second, and an outage of a minute
must not sign everybody out. The price: what another master revokes is known here a few seconds later.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from common.domain.errors import StoreUnavailable
from common.runtime.clock import Clock

ValueT = TypeVar("ValueT")
FRESH_S: Final = 3.0
STALE_S: Final = 300.0
_MOST: Final = 10_000


class BriefCache(Generic[ValueT]):
    """Values by key. What is not found is not remembered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, tuple[ValueT, float]] = OrderedDict()
        #: Moves with every change here, so that what was being read meanwhile is not kept.
        self._changes = 0

    async def get(self, key: str, load: Callable[[str], Awaitable[ValueT | None]]) -> ValueT | None:
        """The value of *key*, read by *load* when it is not fresh; raises what *load* raises."""
        entry, now_s = self._entries.get(key), self._clock.uptime_s()
        if entry is not None and now_s - entry[1] < FRESH_S:
            return entry[0]
        changes = self._changes
        try:
            value = await load(key)
        except StoreUnavailable:
            if entry is not None and now_s - entry[1] < STALE_S and key in self._entries:
                return entry[0]
            raise
        if changes == self._changes:
            self._keep(key, value, now_s)
        return value

    def replace(self, key: str, value: ValueT) -> None:
        """Put *value* in place of what is kept for *key*, without making it fresher."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = (value, entry[1])

    def clear(self) -> None:
        """Forget everything: changes are rare, and reading anew is cheap."""
        self._changes += 1
        self._entries.clear()

    def _keep(self, key: str, value: ValueT | None, now_s: float) -> None:
        self._entries.pop(key, None)
        if value is not None:
            self._entries[key] = (value, now_s)
            if len(self._entries) > _MOST:
                self._entries.popitem(last=False)
