"""Where time and chance enter the program: the only module that reads the clock or a random source.

Everything else is handed instants, durations and tokens, so tests can say what time it is. Sleeping is not
here: `asyncio.sleep` runs unchanged on a loop whose time jumps.
"""

import random
import secrets
import string
import time
from datetime import UTC, datetime
from typing import Final, Protocol

#: Lower case only: uids stand in etcd keys, and some people type them.
_FIRST: Final = string.ascii_lowercase
_REST: Final = string.ascii_lowercase + string.digits
#: 36**13 * 26 values are about 72 bits: two equal uids in a billion jobs are a one in 10,000 chance.
_UID_LENGTH: Final = 14


class Clock(Protocol):
    """What the rest of the program may know about time."""

    def now(self) -> datetime:
        """The wall clock: aware, UTC, may jump either way. For schedules and records."""
        ...

    def uptime_s(self) -> float:
        """Seconds that never jump and go on during suspend. For leases and durations."""
        ...


class SystemClock:
    """The clocks of this host."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def uptime_s(self) -> float:
        # Not time.monotonic(): it stands still while a laptop or a virtual machine is suspended, and a lease
        # in etcd does not.
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def jittered(value: float, spread: float) -> float:
    """
    Return *value* moved by up to `spread` of itself either way, evenly distributed.

    Args:
        value: Any unit; the result has the same.
        spread: 0.2 means between 80 % and 120 % of *value*.
    """
    return value * random.uniform(1 - spread, 1 + spread)


def new_token(n_bytes: int = 32) -> str:
    """Return a secret of `8 * n_bytes` bits as URL-safe text, fit for passwords and API tokens."""
    return secrets.token_urlsafe(n_bytes)


def new_uid() -> str:
    """
    Return an id that is never used again: 14 of a-z and 0-9, starting with a letter.

    It holds no dot and no slash, because it is part of etcd keys and of `{uid}.{tick}.{attempt}`.
    """
    return secrets.choice(_FIRST) + "".join(secrets.choice(_REST) for _ in range(_UID_LENGTH - 1))


def new_nonce() -> str:
    """Return 128 random bits as hexadecimal text, to recognise one's own write after a lost answer."""
    return secrets.token_hex(16)
