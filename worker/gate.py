"""Whether this worker may claim at this moment, and if not, why.

Several parts can close the gate (no session, the lease about to end, a distrusted clock, a restored store,
a stop that has begun); it is open when none of them does. The reason ends up in the ledger.
"""

from collections.abc import Callable
from enum import StrEnum

import structlog

from common.domain.execution import Reason

log = structlog.get_logger(__name__)


class Bar(StrEnum):
    """Who closes the gate."""

    SESSION = "session"
    LEASE = "lease"
    CLOCK = "clock"
    STORE = "store"
    DRAINING = "draining"
    ORDERS = "orders"
    STOPPING = "stopping"


_REASONS = {
    Bar.SESSION: Reason.COORDINATION,
    Bar.LEASE: Reason.COORDINATION,
    Bar.STORE: Reason.COORDINATION,
    Bar.CLOCK: Reason.CLOCK,
    Bar.DRAINING: Reason.NO_WORKER,
    Bar.ORDERS: Reason.COORDINATION,
    Bar.STOPPING: Reason.NO_WORKER,
}


class Gate:
    """Open unless somebody bars it; a new worker has no session yet."""

    def __init__(self) -> None:
        self._bars: dict[Bar, str] = {Bar.SESSION: "not registered in etcd yet"}
        self._looks: list[Callable[[], object]] = []

    @property
    def is_open(self) -> bool:
        """Whether a claim may be made now; those who have to look first have looked."""
        for look in self._looks:
            look()
        return not self._bars

    def look_first(self, look: Callable[[], object]) -> None:
        """Call *look* whenever somebody asks: what it watches must not be a second old (a stepped clock)."""
        self._looks.append(look)

    @property
    def reason(self) -> Reason | None:
        """What missed ticks are recorded with while the gate is closed."""
        return _REASONS[next(iter(self._bars))] if self._bars else None

    @property
    def words(self) -> str | None:
        """Why the gate is closed, for people."""
        return "; ".join(self._bars.values()) or None

    def words_of(self, *bars: Bar) -> str | None:
        """What these bars say; None when none of them is there."""
        return "; ".join(self._bars[bar] for bar in bars if bar in self._bars) or None

    def is_barred_by(self, bar: Bar) -> bool:
        return bar in self._bars

    def close(self, bar: Bar, why: str) -> None:
        if not self._bars:
            log.info("gate.closed", by=bar.value, why=why)
        self._bars[bar] = why

    def open(self, bar: Bar) -> None:
        if self._bars.pop(bar, None) is not None and not self._bars:
            log.info("gate.opened", by=bar.value)
