"""Retrying: what is tried again, and how much of it reaches the log."""

import pytest
from structlog.testing import capture_logs
from tenacity import wait_none

from common.domain.errors import CorruptValue, OutcomeUnknown, StoreUnavailable
from common.runtime.retrying import background_loop, store_call


async def attempts_of(policy, failures):
    """How often a call was made that fails with each of *failures* in turn, then succeeds."""
    left = list(failures)
    made = 0
    try:
        async for attempt in policy.copy(wait=wait_none()):
            with attempt:
                made += 1
                if left:
                    raise left.pop(0)
    except Exception as error:
        return made, type(error)
    return made, None


@pytest.mark.parametrize(
    ("policy", "failures", "expected"),
    [
        pytest.param(store_call, [], (1, None), id="call: nothing wrong"),
        pytest.param(store_call, [StoreUnavailable()] * 3, (4, None), id="call: surely did not happen"),
        pytest.param(store_call, [OutcomeUnknown()], (1, OutcomeUnknown), id="call: may have happened"),
        pytest.param(store_call, [CorruptValue()], (1, CorruptValue), id="call: will not get better"),
        pytest.param(
            lambda: background_loop("feed"),
            [StoreUnavailable()] * 50 + [OutcomeUnknown()],
            (52, None),
            id="loop: goes on",
        ),
        pytest.param(
            lambda: background_loop("feed"),
            [ValueError("bug")],
            (1, ValueError),
            id="loop: a bug is not retried",
        ),
    ],
)
async def test_what_is_tried_again(policy, failures, expected):
    """An unknown outcome is repeated only where the whole round may be."""
    assert expected == await attempts_of(policy(), failures)


async def test_an_outage_is_logged_once():
    """Two lines for twenty failures: when it began and when it ended."""
    with capture_logs() as events:
        await attempts_of(background_loop("history.flush"), [StoreUnavailable("mongod is away")] * 20)

    expected = [
        {
            "event": "background.failing",
            "log_level": "warning",
            "loop": "history.flush",
            "error": "mongod is away",
        },
        {"event": "background.recovered", "log_level": "info", "loop": "history.flush", "attempts": 21},
    ]
    assert expected == events
