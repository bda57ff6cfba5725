"""How often somebody may try, as stories with the time as an argument."""

from datetime import UTC, datetime, timedelta

import pytest

from master.domain.throttle import FREE_TRIES, LONGEST_PAUSE, LetThrough, Refused, Tries, admit

START = datetime(2026, 3, 29, tzinfo=UTC)


def story(*seconds: float) -> list[float]:
    """Tries at these seconds; for each 0 when it was let through, else how long it had to wait."""
    tries: Tries | None = None
    waits: list[float] = []
    for second in seconds:
        match admit(tries, START + timedelta(seconds=second)):
            case LetThrough(after):
                tries = after
                waits.append(0)
            case Refused(wait):
                waits.append(wait.total_seconds())
    return waits


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param([0, 1, 2, 3, 4], [0] * 5, id="five at once"),
        pytest.param([0, 1, 2, 3, 4, 5], [0] * 5 + [59], id="the sixth waits a minute"),
        pytest.param([0, 20, 40, 59, 61, 80], [0] * 6, id="four a minute go on for ever"),
        pytest.param([0, 0, 0, 0, 0, 60, 60], [0] * 6 + [120], id="then two minutes"),
        pytest.param([0, 0, 0, 0, 0, 60, 180, 180], [0] * 7 + [240], id="then four"),
        pytest.param([0, 0, 0, 0, 0, 10, 20, 30, 60], [0] * 5 + [50, 40, 30, 0], id="knocking adds nothing"),
        pytest.param([0, 0, 0, 0, 0, 3600, 3600, 3600], [0] * 8, id="forgotten after an hour"),
    ],
)
def test_tries(seconds: list[float], expected: list[float]):
    """Rule 12: five a minute, then pauses that double."""
    assert expected == story(*seconds)


def test_no_pause_is_longer_than_a_quarter_of_an_hour():
    """Whoever owns the account must get in again on the same day."""
    tries = Tries(FREE_TRIES + 30, START, START, START)
    verdict = admit(tries, START)
    assert isinstance(verdict, LetThrough)

    assert START + LONGEST_PAUSE == verdict.tries.closed_until


def test_clocks_that_differ_do_not_shut_anybody_out():
    """A master whose clock is a little behind sees a try of the future: it counts like any other."""
    verdict = admit(Tries(1, START, START), START - timedelta(seconds=3))
    assert isinstance(verdict, LetThrough)

    assert 2 == verdict.tries.count
