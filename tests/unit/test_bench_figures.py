"""The arithmetic of the benchmarks: percentiles, goals, the table."""

import pytest

from bench.figures import Figure, Goal, Spread, percentile, spread, table


@pytest.mark.parametrize(
    ("samples", "share", "expected"),
    [
        pytest.param([5], 0.5, 5, id="a single sample is every percentile"),
        pytest.param([1, 2, 3, 4], 0.5, 2, id="half of an even number"),
        pytest.param([1, 2, 3], 0.5, 2, id="the middle of an odd number"),
        pytest.param(list(range(1, 101)), 0.99, 99, id="p99 of a hundred is the 99th"),
        pytest.param(list(range(1, 1001)), 0.99, 990, id="p99 of a thousand leaves ten above"),
        pytest.param([1, 2, 3], 1.0, 3, id="all of them"),
        pytest.param([1, 2, 3], 0.0, 1, id="none of them"),
    ],
)
def test_percentile_is_a_sample_that_was_measured(samples, share, expected):
    """The nearest rank: nothing is interpolated, so every figure is something that happened."""
    assert expected == percentile(samples, share)


def test_spread_does_not_need_order():
    assert Spread(count=3, p50=2, p95=3, p99=3, max=3) == spread([3, 1, 2])


def test_spread_of_nothing_is_refused():
    """No samples are a failed measurement, not a lateness of zero."""
    with pytest.raises(ValueError, match="nothing ran"):
        spread([])


@pytest.mark.parametrize(
    ("value", "goal", "expected"),
    [
        pytest.param(0.67, Goal("at most", 0.67), True, id="at the limit is met"),
        pytest.param(0.68, Goal("at most", 0.67), False, id="above it is not"),
        pytest.param(1000, Goal("at least", 1000), True, id="as many as wanted"),
        pytest.param(999.9, Goal("at least", 1000), False, id="fewer"),
        pytest.param(None, Goal("at most", 1), None, id="not measured"),
        pytest.param(3, None, None, id="no goal"),
    ],
)
def test_a_goal_is_met_or_not(value, goal, expected):
    assert expected is Figure("key", "words", value, goal=goal).is_met


def test_the_table_says_which_goals_are_missed():
    figures = [
        Figure("p99_s", "lateness p99", 0.7, "s", Goal("at most", 0.67)),
        Figure("jobs", "jobs", 1000),
    ]

    assert ["lateness p99    0.7 s  goal at most 0.67: MISSED", "jobs          1,000"] == table(
        figures
    ).splitlines()
