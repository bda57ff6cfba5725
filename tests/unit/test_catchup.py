from datetime import UTC, datetime, timedelta

import pytest

from common.domain.catchup import CatchUpPlan, MissedSpan, missed_ticks
from common.domain.execution import Reason
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.policy import CatchUp
from common.domain.schedule import Schedule, parse_schedule
from common.domain.timing import Timing

NONE, LAST, ALL = CatchUp.NONE, CatchUp.LAST, CatchUp.ALL


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-01T{text}").replace(tzinfo=UTC)


def plan(
    policy: CatchUp,
    *,
    text: str = "*/10 * * * *",
    cursor: str = "10:00",
    now: str = "11:05",
    window_s: int = 1_800,
    start_deadline_s: int = 30,
    limit: int = 100,
) -> CatchUpPlan:
    return missed_ticks(
        parse_schedule(text),
        cursor=at(cursor),
        now=at(now),
        policy=policy,
        window_s=window_s,
        start_deadline_s=start_deadline_s,
        limit=limit,
    )


def times(instants: tuple[datetime, ...]) -> list[str]:
    return [f"{instant:%H:%M:%S}".removesuffix(":00") for instant in instants]


def spans(result: CatchUpPlan) -> list[tuple[str, str, int, bool]]:
    return [(*times((span.first, span.last)), span.count, span.count_is_exact) for span in result.missed]


@pytest.mark.parametrize(
    ("policy", "now", "due", "missed"),
    [
        pytest.param(
            NONE, "11:05", [], [("10:10", "11:00", 6, True)], id="row 5, none: all late ones missed"
        ),
        pytest.param(
            NONE, "11:00:30", ["11:00"], [("10:10", "10:50", 5, True)], id="row 5: but not the one on time"
        ),
        pytest.param(
            NONE, "11:00:31", [], [("10:10", "11:00", 6, True)], id="row 5: a second past the deadline"
        ),
        pytest.param(LAST, "11:05", ["11:00"], [("10:10", "10:50", 5, True)], id="row 6, last: the newest"),
        pytest.param(
            LAST, "11:00:10", ["11:00"], [("10:10", "10:50", 5, True)], id="row 6: the newest is on time"
        ),
        pytest.param(LAST, "10:14", ["10:10"], [], id="row 6: one late tick"),
        pytest.param(
            ALL,
            "11:05",
            ["10:40", "10:50", "11:00"],
            [("10:10", "10:30", 3, True)],
            id="row 7, all: within the window",
        ),
        pytest.param(
            ALL,
            "11:10:30",
            ["10:50", "11:00", "11:10"],
            [("10:10", "10:40", 4, True)],
            id="row 7: late, then on time",
        ),
        pytest.param(ALL, "10:09:59", [], [], id="nothing came due"),
    ],
)
def test_rows_5_to_7(policy, now, due, missed):
    """Every ten minutes, nobody there since 10:00, half an hour of window, 30 seconds of start deadline."""
    result = plan(policy, now=now)

    assert due == times(result.due)
    assert missed == spans(result)


@pytest.mark.parametrize(
    ("policy", "window_s", "due", "missed"),
    [
        pytest.param(
            LAST, 300, ["11:00"], [("10:10", "10:50", 5, True)], id="last: exactly as old as the window"
        ),
        pytest.param(LAST, 299, [], [("10:10", "11:00", 6, True)], id="last: older than the window"),
        pytest.param(ALL, 900, ["10:50", "11:00"], [("10:10", "10:40", 4, True)], id="all: exactly as old"),
        pytest.param(ALL, 0, [], [("10:10", "11:00", 6, True)], id="all: no window"),
    ],
)
def test_window(policy, window_s, due, missed):
    """The window counts back from now, its edge included."""
    result = plan(policy, window_s=window_s)

    assert due == times(result.due)
    assert missed == spans(result)


@pytest.mark.parametrize(
    ("policy", "caught_up", "missed"),
    [
        pytest.param(NONE, [], [("10:00:01", "11:04:29", 6, False)], id="none: one span"),
        pytest.param(LAST, [], [("10:00:01", "11:04:29", 6, False)], id="last: ticks on time come first"),
        pytest.param(
            ALL,
            ["11:03:20", "11:03:21", "11:03:22", "11:03:23", "11:03:24"],
            [("10:00:01", "11:03:19", 6, False), ("11:03:25", "11:04:29", 6, False)],
            id="all: before the window, and beyond the limit",
        ),
    ],
)
def test_row_8_bounded(policy, caught_up, missed):
    """Row 8: a job due each second for an hour is not walked through; counts beyond the limit are open."""
    result = plan(policy, text="* * * * * *", window_s=100, limit=5)

    assert caught_up == times(result.caught_up)
    assert missed == spans(result)
    assert result.is_truncated


def test_row_8_jumps_to_the_newest():
    """Row 8: `last` starts the newest tick of an outage that is far too long to be walked through."""
    result = plan(LAST, text="* * 9 * * *", cursor="00:00", now="10:30", window_s=3_600, limit=5)

    assert ["09:59:59"] == times(result.due)
    assert [("09:00", "09:59:58", 6, False)] == spans(result)


def test_row_8_limit_itself_is_counted():
    """Row 8: as many as the limit are counted exactly."""
    result = plan(NONE, cursor="10:00", now="11:05", limit=6)

    assert [("10:10", "11:00", 6, True)] == spans(result)
    assert not result.is_truncated


class _Counting:
    """A schedule that counts how often it is asked."""

    def __init__(self, inner: Schedule) -> None:
        self.inner = inner
        self.text = inner.text
        self.asked = 0

    def next_after(self, instant: datetime) -> datetime | None:
        self.asked += 1
        return self.inner.next_after(instant)

    def is_moved_by_gap(self, tick: datetime) -> bool:
        return self.inner.is_moved_by_gap(tick)


@pytest.mark.parametrize("policy", CatchUp)
@pytest.mark.parametrize("text", ["* * * * * *", "* * * 1 1 *", "0 0 29 2 *"])
def test_row_8_ten_years_cost_no_more_than_an_hour(policy, text):
    """Row 8: the work does not grow with the length of the outage."""
    schedule = _Counting(parse_schedule(text))
    now = at("00:00")
    missed_ticks(
        schedule,
        cursor=now - timedelta(days=3_650),
        now=now,
        policy=policy,
        window_s=31 * 86_400,
        start_deadline_s=30,
    )

    assert schedule.asked < 600


def test_on_time_ticks_are_bounded_too():
    """With a start deadline of a day, ticks on time come in portions, oldest first."""
    result = plan(NONE, text="* * * * * *", cursor="10:00", now="11:00", start_deadline_s=86_400, limit=3)

    assert ["10:00:01", "10:00:02", "10:00:03"] == times(result.on_time)
    assert result.has_more
    assert () == result.missed


@pytest.mark.parametrize("policy", CatchUp)
def test_row_15_cursor_ahead_of_the_clock(policy):
    """Row 15: when the clock stepped back nothing is due until it has passed the cursor."""
    assert CatchUpPlan() == plan(policy, cursor="11:00", now="10:35")


def test_reason_is_the_callers():
    """Who knows more about the outage says why."""
    result = missed_ticks(
        parse_schedule("0 * * * *"),
        cursor=at("10:00"),
        now=at("11:30"),
        policy=NONE,
        window_s=0,
        start_deadline_s=30,
        reason=Reason.COORDINATION,
    )

    assert (MissedSpan(at("11:00"), at("11:00"), 1, Reason.COORDINATION),) == result.missed


@pytest.mark.parametrize(
    ("cursor", "changed_at", "expected"),
    [
        pytest.param("10:00", "10:55", [], id="row 28: enabled after the ticks of the time it was disabled"),
        pytest.param("10:00", "10:35", ["10:40", "10:50"], id="row 27: only ticks of the new version"),
        pytest.param("10:40", "10:05", ["10:50"], id="the cursor is ahead of the change"),
    ],
)
def test_rows_27_and_28(cursor, changed_at, expected):
    """Ticks from before the job was changed or enabled are not caught up."""
    timing = Timing(parse_schedule("*/10 * * * *"), floor=epoch_s(at(changed_at)))
    result = missed_ticks(
        timing,
        cursor=from_epoch_s(timing.base(epoch_s(at(cursor)))),
        now=at("10:59"),
        policy=ALL,
        window_s=3_600,
        start_deadline_s=30,
    )

    assert expected == times(result.due)
    assert () == result.missed
