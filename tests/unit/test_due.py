"""Which tick a worker claims when it looks at a job, and what it accounts for (situations 5 to 8)."""

import pytest

from common.domain.codec import MissedTicks
from common.domain.execution import Cause, Reason
from tests.builders import at, planned, spec_of
from worker.domain.due import Due, decide_due, is_far_ahead


def seconds(text):
    return int(at(text).timestamp())


def decide(now, *, cursor, hindrance=None, started=0, **fields):
    spec = spec_of(**fields)
    return decide_due(planned(spec, cursor=at(cursor)), spec, at(now), hindrance=hindrance, started=started)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param("09:59:59", seconds("10:00:00"), id="a second ahead"),
        pytest.param("10:00:00", seconds("10:00:00"), id="on the tick"),
        pytest.param("10:00:30", seconds("10:00:00"), id="at the start deadline"),
    ],
)
def test_one_tick_in_its_time_is_claimed_as_it_is(now, expected):
    """The usual case looks no further."""
    assert Due(expected) == decide(now, cursor="09:59:00")


def test_ticks_within_the_deadline_are_claimed_oldest_first():
    """A short stall loses nothing: each tick younger than the start deadline runs, in order."""
    assert Due(seconds("10:00:00")) == decide("10:00:05", cursor="09:59:58", schedule="*/2 * * * * *")


def test_of_several_ticks_of_policy_replace_the_newest_is_claimed():
    """Situation 4: after a stall each would be stopped by the next within milliseconds."""
    missed = MissedTicks(first=seconds("10:00:00"), last=seconds("10:00:02"), count=2, reason=Reason.REPLACED)

    expected = Due(seconds("10:00:04"), missed=missed)
    assert expected == decide("10:00:05", cursor="09:59:58", schedule="*/2 * * * * *", overlap="replace")


def test_catch_up_none_accounts_for_everything_late():
    """Situation 5: nothing starts; the cursor moves past the missed ticks alone."""
    missed = MissedTicks(first=seconds("10:00:00"), last=seconds("10:04:00"), count=5)

    assert Due(None, missed=missed) == decide("10:04:45", cursor="09:59:00", catch_up="none")


def test_catch_up_last_starts_the_newest_and_accounts_for_the_rest():
    """Situation 6: one start, one row with first, last and count."""
    missed = MissedTicks(first=seconds("10:00:00"), last=seconds("10:03:00"), count=4)

    expected = Due(seconds("10:04:00"), Cause.CATCH_UP, missed)
    assert expected == decide("10:04:45", cursor="09:59:00", catch_up="last")


def test_catch_up_last_gives_way_to_a_tick_that_is_on_time():
    """What is late is missed once something newer is due anyway."""
    missed = MissedTicks(first=seconds("10:00:00"), last=seconds("10:03:00"), count=4)

    assert Due(seconds("10:04:00"), Cause.SCHEDULE, missed) == decide("10:04:10", cursor="09:59:00")


def test_catch_up_all_starts_oldest_first():
    """Situation 7: within the window, one after the other."""
    due = decide("10:04:45", cursor="09:59:00", catch_up="all", catch_up_window_s=3600)

    assert Due(seconds("10:00:00"), Cause.CATCH_UP) == due


def test_catch_up_all_ends_after_a_hundred():
    """Situation 7: the hundred and first late tick of one recovery is missed."""
    due = decide("10:04:45", cursor="09:59:00", catch_up="all", catch_up_window_s=3600, started=100)

    assert due.tick is None
    assert due.missed is not None
    assert 5 == due.missed.count


def test_the_hindrance_is_the_reason_of_what_was_missed():
    """A worker that knows why it did not claim says so in the ledger."""
    due = decide("10:04:45", cursor="09:59:00", catch_up="none", hindrance=Reason.NO_SLOT)

    assert due.missed is not None
    assert Reason.NO_SLOT is due.missed.reason


def test_ticks_of_an_older_version_do_not_count():
    """Situations 27 and 28: nothing at or before the last change is owed."""
    due = decide("10:04:45", cursor="09:59:00", catch_up="all", changed_at=at("10:04:00"))

    assert Due(seconds("10:05:00")) == due


def test_nothing_after_the_end_of_the_job():
    """A tick later than `ends_at` is not due, and an old one does not become fresh by it."""
    due = decide("15:00:00", cursor="09:58:00", catch_up="none", ends_at=at("10:00:00"))

    assert due.tick is None
    assert due.missed is not None
    assert seconds("10:00:00") == due.missed.last


def test_jitter_moves_the_deadline_with_the_start():
    """A job with jitter is not late for starting where its jitter puts it."""
    spec = spec_of(jitter_s=3600, start_deadline_s=5)
    job = planned(spec, cursor=at("09:59:00"))
    offset = job.timing.offset

    assert offset > 0
    now = at("10:00:00").timestamp() + offset + 4
    due = decide_due(
        job, spec, at("10:00:00").fromtimestamp(now, tz=at("10:00:00").tzinfo), hindrance=None, started=0
    )
    assert Due(seconds("10:00:00")) == due


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        pytest.param("09:59:00", False, id="behind"),
        pytest.param("10:01:00", False, id="claimed ahead"),
        pytest.param("10:02:00", False, id="two ahead"),
        pytest.param("11:00:00", True, id="15: an hour ahead"),
    ],
)
def test_a_cursor_far_ahead_is_noticed(cursor, expected):
    """Situation 15: at 10:00:30, a job of each minute."""
    job = planned(spec_of(), cursor=at("09:59:00"))

    assert expected == is_far_ahead(job.timing, seconds(cursor), at("10:00:30"))
