"""Catching up against a model that walks through every tick."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from common.domain.catchup import missed_ticks
from common.domain.policy import CatchUp
from common.domain.schedule import parse_schedule

NOW = datetime(2026, 3, 29, 1, 10, 20, tzinfo=UTC)
LIMIT = 7


def ticks_between(schedule, start: datetime, end: datetime) -> list[datetime]:
    ticks = []
    tick = schedule.next_after(start)
    while tick is not None and tick <= end:
        ticks.append(tick)
        tick = schedule.next_after(tick)
    return ticks


def model(ticks: list[datetime], policy: CatchUp, now: datetime, window_s: int, deadline_s: int):
    """Rows 5 to 7 as they are written: what is caught up, what is on time, what is missed."""
    on_time = [tick for tick in ticks if (now - tick).total_seconds() <= deadline_s]
    late = ticks[: len(ticks) - len(on_time)]
    within = [tick for tick in late if (now - tick).total_seconds() <= window_s]
    if policy is CatchUp.NONE:
        caught_up = []
    elif policy is CatchUp.LAST:
        caught_up = [] if on_time else within[-1:]
    else:
        caught_up = within[:LIMIT]
    return caught_up, on_time, [tick for tick in late if tick not in caught_up]


@given(
    text=st.sampled_from(
        [
            "* * * * * *",
            "*/7 * * * * *",
            "* * * * *",
            "30 2 * * *",
            "* 59 1 * * *",
            "0,1,2 5 * * * *",
            "@every 11s",
        ]
    ),
    policy=st.sampled_from(CatchUp),
    outage_s=st.integers(-100, 1_500),
    window_s=st.integers(0, 3_600),
    deadline_s=st.integers(1, 600),
)
def test_every_tick_is_in_one_part(text, policy, outage_s, window_s, deadline_s):
    """Whatever the outage: the parts are those of the rules, and together they are all ticks."""
    schedule = parse_schedule(text, "Europe/Berlin")
    # A clock that is read has a fraction.
    now = NOW + timedelta(microseconds=250_000)
    cursor = NOW - timedelta(seconds=outage_s)
    plan = missed_ticks(
        schedule,
        cursor=cursor,
        now=now,
        policy=policy,
        window_s=window_s,
        start_deadline_s=deadline_s,
        limit=LIMIT,
    )
    ticks = ticks_between(schedule, cursor, now)
    caught_up, on_time, missed = model(ticks, policy, now, window_s, deadline_s)
    within_spans = [tick for span in plan.missed for tick in ticks if span.first <= tick <= span.last]

    assert caught_up == list(plan.caught_up)
    assert on_time[:LIMIT] == list(plan.on_time)
    assert (len(on_time) > LIMIT) == plan.has_more
    assert missed == within_spans
    for span in plan.missed:
        count = len([tick for tick in missed if span.first <= tick <= span.last])

        assert (count == span.count) if span.count_is_exact else (count > span.count > LIMIT)
