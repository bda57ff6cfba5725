"""How long a worker relies on its lease."""

import pytest

from worker.domain.lease_guard import Hold, Verdict, decide_hold, next_check_s


@pytest.mark.parametrize(
    ("remaining_s", "expected"),
    [
        pytest.param(10.0, Verdict(Hold.SAFE), id="fresh"),
        pytest.param(2.01, Verdict(Hold.SAFE), id="just enough"),
        pytest.param(2.0, Verdict(Hold.FENCING, 1.25), id="two seconds before the end"),
        pytest.param(0.5, Verdict(Hold.FENCING, 0.0), id="no time for a grace"),
        pytest.param(0.0, Verdict(Hold.OVER), id="over"),
        pytest.param(-30.0, Verdict(Hold.OVER), id="woke up too late"),
    ],
)
def test_decide_hold(remaining_s, expected):
    """Exclusive commands are gone before the lease can end."""
    assert expected == decide_hold(remaining_s)


def test_looks_closely_near_the_end():
    """At most a second apart, and never past the moment of fencing."""
    assert [1.0, 0.5, 0.05] == [next_check_s(10.0), next_check_s(2.5), next_check_s(1.0)]
