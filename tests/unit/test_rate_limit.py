"""Rule 12: so many in a window of time."""

from master.domain.rate_limit import RateLimit


def test_the_window_slides():
    """Three in ten seconds: the fourth waits for the first to be ten seconds old; keys are apart."""
    limit = RateLimit(3, 10.0)
    waits = [limit.wait_s("a", second) for second in (100, 104, 108, 109, 110, 111)]

    assert [0, 0, 0, 1, 0, 3] == waits
    assert 0 == limit.wait_s("b", 111)


def test_what_is_over_is_forgotten():
    """A master that runs for months does not remember every job that was ever run by hand."""
    limit = RateLimit(3, 10.0)
    for number in range(1000):
        limit.wait_s(f"job-{number}", 100.0)
    limit.wait_s("a", 200.0)

    assert 1 == len(limit._seen)
