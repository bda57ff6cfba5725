"""Time and chance: the promises other parts build on."""

import re
import time
from datetime import UTC

import pytest

from common.runtime.clock import SystemClock, jittered, new_nonce, new_token, new_uid


def test_now_is_aware_utc():
    """Naive datetimes stop at the border; this is where ours come from."""
    now = SystemClock().now()

    assert now.tzinfo is UTC


def test_uptime_goes_on_during_suspend():
    """CLOCK_BOOTTIME, because a lease in etcd goes on as well."""
    before_s = time.clock_gettime(time.CLOCK_BOOTTIME)

    uptime_s = SystemClock().uptime_s()

    assert before_s <= uptime_s <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize(
    ("value", "spread", "low", "high"),
    [
        pytest.param(300.0, 0.2, 240.0, 360.0, id="five minutes, a fifth either way"),
        pytest.param(300.0, 0.0, 300.0, 300.0, id="no spread"),
        pytest.param(0.0, 0.5, 0.0, 0.0, id="nothing to spread"),
    ],
)
def test_jittered_stays_within_its_spread(value, spread, low, high):
    """The spread is a share of the value."""
    values = [jittered(value, spread) for _ in range(200)]

    assert low <= min(values) <= max(values) <= high


def test_uids_fit_into_keys_and_ids():
    """Lower-case letters and digits, a letter first, no dot: `{uid}.{tick}.{attempt}` stays readable."""
    uids = [new_uid() for _ in range(1000)]

    assert all(re.fullmatch(r"[a-z][a-z0-9]{11,}", uid) for uid in uids)
    assert len(uids) == len(set(uids))


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        pytest.param(new_nonce, r"[0-9a-f]{32}", id="nonce: 128 bits"),
        pytest.param(new_token, r"[A-Za-z0-9_-]{43}", id="token: 256 bits unless told otherwise"),
        pytest.param(lambda: new_token(12), r"[A-Za-z0-9_-]{16}", id="shorter token"),
    ],
)
def test_tokens(make, pattern):
    """Tokens have the length they promise and never repeat."""
    assert re.fullmatch(pattern, make())
    assert make() != make()
