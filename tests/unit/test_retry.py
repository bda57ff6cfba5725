"""Whether and when a tick is tried again."""

import pytest

from common.domain.codec import Trigger
from common.domain.errors import InvalidInput
from common.domain.execution import Cause, Status
from common.domain.ids import ExecutionId
from common.domain.job import RetryPolicy
from common.domain.retry import execution_of, next_delay_s, next_retry
from tests.builders import at, spec_of


@pytest.mark.parametrize(
    ("policy", "attempt", "outcome", "expected"),
    [
        pytest.param({}, 1, "failed", None, id="one attempt by default"),
        pytest.param({"max_attempts": 3}, 1, "failed", 10.0, id="first delay"),
        pytest.param({"max_attempts": 3}, 2, "failed", 20.0, id="backs off"),
        pytest.param({"max_attempts": 3}, 3, "failed", None, id="used up"),
        pytest.param({"max_attempts": 3}, 1, "killed", None, id="a kill is meant"),
        pytest.param({"max_attempts": 3}, 1, "lost", None, id="lost only when asked for"),
        pytest.param({"max_attempts": 3, "on": ["lost"]}, 1, "lost", 10.0, id="lost, asked for"),
        pytest.param({"max_attempts": 100, "max_delay_s": 60}, 90, "failed", 60, id="capped"),
    ],
)
def test_next_delay(policy, attempt, outcome, expected):
    """Delay, back-off, cap, and which outcomes."""
    assert expected == next_delay_s(RetryPolicy.model_validate(policy), attempt, Status(outcome))


@pytest.mark.parametrize(
    "execution",
    [
        pytest.param(ExecutionId("uid", "1772445600", 1), id="of a tick"),
        pytest.param(ExecutionId("uid", "mabc", 1), id="somebody asked for"),
    ],
)
def test_the_trigger_leads_to_the_next_attempt(execution):
    """What is written into the trigger names the same tick (or request), one attempt later."""
    retry = next_retry(
        spec_of(retry={"max_attempts": 2}),
        execution,
        Status.FAILED,
        scheduled_at=at("10:00:00"),
        now=at("10:00:05"),
        parameters={},
        requested_by=None,
    )

    assert retry is not None
    assert execution.next_attempt() == execution_of("uid", *retry)
    assert at("10:00:15") == retry[1].not_before


def test_a_trigger_that_names_nothing_is_refused():
    """A retry without a tick must say what it repeats."""
    trigger = Trigger(
        cause=Cause.RETRY, not_before=at("10:00:00"), expires_at=at("11:00:00"), scheduled_at=at("10:00:00")
    )

    with pytest.raises(InvalidInput):
        execution_of("uid", "x", trigger)
