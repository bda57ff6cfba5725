from datetime import UTC, datetime, timedelta

import pytest

from common.domain.schedule import (
    forget_schedules,
    jitter_offset_s,
    next_ticks,
    parse_schedule,
    typical_interval_s,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(text: str, zone: str, after: str, count: int) -> list[str]:
    found = next_ticks(parse_schedule(text, zone), at(after), count)
    return [f"{tick:%Y-%m-%d %H:%M:%S}".removesuffix(":00") for tick in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("*/20 * * * *", ["2026-12-30 10:20", "2026-12-30 10:40"], id="every 20 minutes"),
        pytest.param("30 9 * * *", ["2026-12-31 09:30", "2027-01-01 09:30"], id="over the year's end"),
        pytest.param("*/30 * * * * *", ["2026-12-30 10:00:30", "2026-12-30 10:01"], id="with seconds"),
        pytest.param("0 0 L * *", ["2026-12-31 00:00", "2027-01-31 00:00"], id="last day of the month"),
        pytest.param("0 0 L 2 *", ["2027-02-28 00:00", "2028-02-29 00:00"], id="last day of February"),
        pytest.param("0 0 * * mon#1", ["2027-01-04 00:00", "2027-02-01 00:00"], id="first Monday"),
        pytest.param("0 0 * * mon#5", ["2027-03-29 00:00", "2027-05-31 00:00"], id="fifth Monday"),
        pytest.param("0 0 * * friL", ["2027-01-29 00:00", "2027-02-26 00:00"], id="last Friday"),
        pytest.param("0 0 * * wed,mon#1", ["2027-01-04 00:00", "2027-01-06 00:00"], id="plain and numbered"),
        pytest.param("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"], id="29 February"),
        pytest.param("@yearly", ["2027-01-01 00:00", "2028-01-01 00:00"], id="yearly"),
        pytest.param("@annually", ["2027-01-01 00:00", "2028-01-01 00:00"], id="annually"),
        pytest.param("@monthly", ["2027-01-01 00:00", "2027-02-01 00:00"], id="monthly"),
        pytest.param("@weekly", ["2027-01-03 00:00", "2027-01-10 00:00"], id="weekly, on Sunday"),
        pytest.param("@daily", ["2026-12-31 00:00", "2027-01-01 00:00"], id="daily"),
        pytest.param("@midnight", ["2026-12-31 00:00", "2027-01-01 00:00"], id="midnight"),
        pytest.param("@hourly", ["2026-12-30 11:00", "2026-12-30 12:00"], id="hourly"),
    ],
)
def test_next_ticks_in_utc(text, expected):
    """The ticks after Wednesday, 30 December 2026, 10:00 sharp, which is no tick after itself."""
    assert expected == ticks(text, "UTC", "2026-12-30 10:00", 2)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param("13 * fri", ["06", "13", "20", "27"], id="both restricted: either"),
        pytest.param("*/2 * fri", ["13", "27"], id="day of month from a star: both"),
        pytest.param("13,14 * */5", ["13"], id="day of week from a star: both"),
        pytest.param("? * fri", ["06", "13", "20", "27"], id="question mark: the other one"),
        pytest.param("13 * ?", ["13"], id="question mark in the day of week"),
        pytest.param(
            "13 * 1-7", [f"{day:02}" for day in range(1, 31)], id="all weekdays written out: either"
        ),
    ],
)
def test_day_fields(days, expected):
    """How the two day fields go together, in November 2026, which has a Friday the 13th."""
    month = [tick for tick in ticks(f"0 0 {days}", "UTC", "2026-10-31 23:59", 31) if "2026-11" in tick]

    assert expected == [tick[8:10] for tick in month]


BERLIN_GAP = "2026-03-29 00:00"  # 01:00 here; at 02:00 the clock goes to 03:00, which is 01:00 UTC
BERLIN_REPEAT = "2026-10-24 23:00"  # 01:00 here; at 03:00 the clock goes back to 02:00, which is 01:00 UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("30 2 * * *", ["29 01:00", "30 00:30"], id="once, after the gap"),
        pytest.param("0,20,40 2 * * *", ["29 01:00", "30 00:00", "30 00:20"], id="several become one"),
        pytest.param("*/20 30 2 * * *", ["29 01:00", "30 00:30", "30 00:30:20"], id="so do seconds"),
        pytest.param("30 2,3 * * *", ["29 01:00", "29 01:30", "30 00:30"], id="a later hour stays"),
        pytest.param(
            "0 2,3 * * *", ["29 01:00", "30 00:00", "30 01:00"], id="a tick of that instant is the same"
        ),
        pytest.param("0 3 * * *", ["29 01:00", "30 01:00"], id="three o'clock as ever"),
        pytest.param("59 1 * * *", ["29 00:59", "29 23:59"], id="the minute before"),
        pytest.param("30 2 30 3 *", ["30 00:30"], id="not if that day does not match"),
    ],
)
def test_row_9_gap_for_a_fixed_time(text, expected):
    """Row 9: once, at the first instant after the gap; several ticks in the gap become one."""
    found = ticks(text, "Europe/Berlin", BERLIN_GAP, len(expected))

    assert [f"2026-03-{tick}" for tick in expected] == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("30 2 * * *", ["25 00:30", "26 01:30"], id="first occurrence"),
        pytest.param("0,59 2 * * *", ["25 00:00", "25 00:59", "26 01:00"], id="whole stretch, once"),
        pytest.param("0 3 * * *", ["25 02:00", "26 02:00"], id="its end is not repeated"),
        pytest.param("30 1 * * *", ["24 23:30", "26 00:30"], id="the hour before"),
        pytest.param("0 0-23 * * *", ["25 00:00", "25 02:00", "25 03:00"], id="all hours written out"),
    ],
)
def test_row_10_repeated_hour_for_a_fixed_time(text, expected):
    """Row 10: the first occurrence only."""
    found = ticks(text, "Europe/Berlin", BERLIN_REPEAT, len(expected))

    assert [f"2026-10-{tick}" for tick in expected] == found


def test_row_10_asked_in_the_second_occurrence():
    """Row 10: a worker that starts in the repeated hour does not run its ticks again."""
    assert ["2026-10-26 01:30"] == ticks("30 2 * * *", "Europe/Berlin", "2026-10-25 01:05", 1)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        pytest.param("*/30 * * * *", "2026-03-29 00:00", ["00:30", "01:00", "01:30"], id="through the gap"),
        pytest.param(
            "0 * * * *", "2026-03-29 00:00", ["01:00", "02:00", "03:00"], id="hourly through the gap"
        ),
        pytest.param(
            "*/30 2 * * *", "2026-03-28 12:00", ["00:00", "00:30", "00:00"], id="nothing in the gap"
        ),
        pytest.param(
            "*/30 * * * *", "2026-10-25 00:00", ["00:30", "01:00", "01:30", "02:00"], id="through both"
        ),
        pytest.param("0 * * * *", "2026-10-25 00:30", ["01:00", "02:00"], id="hourly through both"),
        pytest.param(
            "*/30 2 * * *", "2026-10-24 12:00", ["00:00", "00:30", "01:00", "01:30"], id="both twos"
        ),
        pytest.param(
            "*/40 2 * * *", "2026-10-25 00:39", ["00:40", "01:00", "01:40"], id="back to the beginning"
        ),
        pytest.param("@every 45m", "2026-03-29 00:00", ["00:45", "01:30", "02:15"], id="interval"),
    ],
)
def test_row_11_real_time(text, after, expected):
    """Row 11: every 15 minutes means 15 real minutes, whatever the clock on the wall does."""
    assert expected == [tick[11:] for tick in ticks(text, "Europe/Berlin", after, len(expected))]


@pytest.mark.parametrize(
    ("zone", "text", "after", "expected"),
    [
        pytest.param(
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03 12:00",
            "2026-10-03 15:30",
            id="gap of 30 minutes",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04 14:50",
            "2026-04-05 15:15",
            id="30 minutes repeated",
        ),
        pytest.param(
            "Asia/Beirut", "0 0 * * *", "2026-03-28 12:00", "2026-03-28 22:00", id="gap at midnight"
        ),
        pytest.param(
            "America/Havana", "30 0 * * *", "2026-11-01 04:31", "2026-11-02 05:30", id="midnight repeated"
        ),
        pytest.param(
            "Pacific/Apia", "0 12 30 12 *", "2011-12-29 12:00", "2011-12-30 10:00", id="a day left out"
        ),
    ],
)
def test_other_zones(zone, text, after, expected):
    """Nothing is built on one hour, at night, in spring and autumn."""
    assert [expected] == ticks(text, zone, after, 1)


@pytest.mark.parametrize(
    ("text", "tick", "expected"),
    [
        pytest.param("30 2 * * *", "2026-03-29 01:00", True, id="moved"),
        pytest.param("0 2,3 * * *", "2026-03-29 01:00", True, id="moved onto a regular tick"),
        pytest.param("0 3 * * *", "2026-03-29 01:00", False, id="a regular tick at the end of the gap"),
        pytest.param("*/30 * * * *", "2026-03-29 01:00", False, id="real time moves nothing"),
        pytest.param("30 2 * * *", "2026-03-30 00:30", False, id="the day after"),
        pytest.param("30 2 * * *", "2026-10-25 00:30", False, id="repeated hour"),
        pytest.param("@every 1h", "2026-03-29 01:00", False, id="interval"),
    ],
)
def test_row_9_flag(text, tick, expected):
    """Row 9: a tick that stands for skipped times says so."""
    assert expected is parse_schedule(text, "Europe/Berlin").is_moved_by_gap(at(tick))


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        pytest.param("@every 90s", "2026-01-01 00:00:05", "2026-01-01 00:01:35", id="first, one interval on"),
        pytest.param("@every 90s", "2026-01-01 00:01:35", "2026-01-01 00:03:05", id="strictly later"),
        pytest.param(
            "@every 90s", "2025-06-01 00:00:00", "2026-01-01 00:01:35", id="never before the anchor"
        ),
        pytest.param("@EVERY 1h 30m", "2026-01-01 00:00:06", "2026-01-01 01:30:05", id="hours and minutes"),
        pytest.param("@every 24h", "2026-12-31 12:00:00", "2027-01-01 00:00:05", id="a year later"),
    ],
)
def test_every_counts_from_the_anchor(text, after, expected):
    """A job created at 00:00:05 keeps that phase over restarts and on every worker."""
    schedule = parse_schedule(text, anchor=at("2026-01-01 00:00:05"))

    assert at(expected) == schedule.next_after(at(after))


def test_every_without_an_anchor_counts_from_the_epoch():
    """A schedule that belongs to no job yet has ticks at round times."""
    assert ["2026-01-01 00:05", "2026-01-01 00:10"] == ticks("@every 5m", "UTC", "2026-01-01 00:01", 2)


def test_longest_wait_is_found():
    """29 February on a Sunday: 28 years as a rule, 40 over 2100, which is no leap year."""
    found = ticks("0 0 29 2 */7", "UTC", "2032-03-01", 4)

    assert ["2060-02-29 00:00", "2088-02-29 00:00", "2128-02-29 00:00", "2156-02-29 00:00"] == found


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Kiritimati"])
@pytest.mark.parametrize("text", ["* * * * *", "0 12 * * *", "@every 24h"])
def test_ends_of_time(text, zone):
    """Instants at the ends of the calendar are answered like others: with a tick, or None."""
    schedule = parse_schedule(text, zone)

    assert schedule.next_after(datetime.min.replace(tzinfo=UTC)) >= at("1970-01-01")
    assert schedule.next_after(datetime.max.replace(tzinfo=UTC)) is None


def test_fractions_and_other_zones_of_the_instant():
    """The instant may be in any zone and have a fraction: the tick is the next whole second that matches."""
    schedule = parse_schedule("* * * * * *", "Europe/Berlin")
    instant = datetime.fromisoformat("2026-01-01T12:00:00.999999+05:30")

    assert at("2026-01-01 06:30:01") == schedule.next_after(instant)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("* * * * * *", 1, id="each second"),
        pytest.param("*/15 * * * *", 900, id="each quarter"),
        pytest.param("0 9-17 * * 1-5", 3_600, id="hours of work"),
        pytest.param("0,5 * * * *", 3_300, id="the longer of two"),
        pytest.param("30 2 * * *", 86_400, id="daily"),
        pytest.param("0 0 L * *", 2_678_400, id="monthly"),
        pytest.param("@every 90s", 90, id="interval"),
    ],
)
def test_typical_interval(text, expected):
    """The distance that most ticks have."""
    assert expected == typical_interval_s(parse_schedule(text), at("2026-01-01"))


def test_parsing_is_shared_where_nothing_differs():
    """Jobs with one text share one schedule; the uid and the anchor count only where they are used."""
    one = parse_schedule("0 3 * * thu", "Europe/Berlin", uid="a", anchor=at("2026-01-01"))
    other = parse_schedule("0 3 * * thu", "Europe/Berlin", uid="b", anchor=at("2026-01-02"))

    assert one is other
    assert parse_schedule("H 3 * * *", uid="a") != parse_schedule("H 3 * * *", uid="b")
    assert parse_schedule("@every 7m", anchor=at("2026-01-01")) != parse_schedule("@every 7m")


def test_row_12_rules_of_a_zone_are_read_again():
    """Row 12: after `forget_schedules` the next reading takes the zone from the database anew."""
    before = parse_schedule("30 2 * * *", "Europe/Berlin")
    forget_schedules()
    after = parse_schedule("30 2 * * *", "Europe/Berlin")

    assert before is not after
    assert before.zone is not after.zone


def test_jitter_is_even_and_stable():
    """Jitter lies within 0 ... jitter_s, reaches both ends, and never changes for a job."""
    offsets = [jitter_offset_s(f"job{number}", 9) for number in range(1_000)]

    assert set(range(10)) == set(offsets)
    assert offsets == [jitter_offset_s(f"job{number}", 9) for number in range(1_000)]
    assert 0 == jitter_offset_s("job1", 0)


def test_ticks_keep_their_order_through_a_year_of_seconds():
    """The walk over both changes of a year has neither a repetition nor a step back."""
    schedule = parse_schedule("*/7 2 * * *", "America/New_York")
    found = next_ticks(schedule, at("2026-01-01"), 3_300)

    assert found == sorted(set(found))
    assert found[-1] - found[0] > timedelta(days=360)
