from datetime import UTC, datetime

import pytest

from common.domain.preview import PreviewTick, TickFlag, WarningCode, preview_schedule
from common.domain.schedule import parse_schedule

#: With a fraction, as a clock that is read has.
MARCH = datetime(2026, 3, 1, 10, 11, 12, 345_678, tzinfo=UTC)


def codes(text: str, zone: str = "UTC") -> list[str]:
    return [str(warning.code) for warning in preview_schedule(parse_schedule(text, zone), MARCH, 1).warnings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("*/5 * * * *", [], id="nothing to say"),
        pytest.param("@daily", [], id="a word"),
        pytest.param("@every 90s", [], id="an interval"),
        pytest.param("* * * * * *", ["every_second"], id="each second"),
        pytest.param("@every 1s", ["every_second"], id="each second as an interval"),
        pytest.param("* 0 9 * * *", ["every_second"], id="each second of a minute"),
        pytest.param("* 9 * * *", ["every_minute"], id="each minute of an hour"),
        pytest.param("0 0 13 * fri", ["either_day"], id="both day fields"),
        pytest.param("0 0 13 * */5", ["both_days"], id="both day fields, one from a star"),
        pytest.param("0 0 31 * *", ["month_end"], id="31st"),
        pytest.param("0 0 31 jan,mar *", [], id="31st of long months"),
        pytest.param("0 0 L * *", [], id="last day"),
        pytest.param("0 0 29 2 *", ["sparse", "month_end"], id="29 February"),
        pytest.param("H 3 * * *", ["hashed"], id="H"),
    ],
)
def test_warnings(text, expected):
    """What is easily overlooked in a text."""
    assert expected == codes(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        pytest.param("30 2 * * *", "Europe/Berlin", ["dst_gap", "dst_repeated"], id="fixed time in both"),
        pytest.param("30 2 29 3 *", "Europe/Berlin", ["dst_gap"], id="on the day of the gap only"),
        pytest.param("30 4 * * *", "Europe/Berlin", [], id="at another time"),
        pytest.param("0 3 * * *", "Europe/Berlin", [], id="at the very end of both"),
        pytest.param("30 2 * * *", "Asia/Tokyo", [], id="in a zone without DST"),
        pytest.param(
            "*/15 2 * * *", "Europe/Berlin", ["dst_gap", "dst_repeated"], id="real time in one hour"
        ),
        pytest.param("*/15 * * * *", "Europe/Berlin", [], id="real time all day"),
        pytest.param("30 0 * * *", "Asia/Beirut", ["dst_gap"], id="after midnight in Beirut"),
    ],
)
def test_dst_warnings(text, zone, expected):
    """Ticks that fall into a change of the clock within a year."""
    assert expected == codes(text, zone)


def test_sentences_name_day_zone_and_effect():
    """A warning can be understood without knowing what DST is."""
    fixed = preview_schedule(parse_schedule("30 2 * * *", "Europe/Berlin"), MARCH, 1).warnings
    real = preview_schedule(parse_schedule("*/15 2 * * *", "Europe/Berlin"), MARCH, 1).warnings

    assert [
        "On 2026-03-29 the clock in Europe/Berlin skips 02:00 to 03:00: what is due in between comes once, "
        "at 03:00.",
        "On 2026-10-25 the clock in Europe/Berlin shows 02:00 to 03:00 twice: it comes due the first time "
        "only.",
        "On 2026-03-29 the clock in Europe/Berlin skips 02:00 to 03:00: nothing comes due in between.",
        "On 2026-10-25 the clock in Europe/Berlin shows 02:00 to 03:00 twice: it comes due both times.",
    ] == [warning.message for warning in (*fixed, *real)]


def test_moved_tick_is_flagged():
    """Row 9: the preview shows which tick the gap has moved."""
    preview = preview_schedule(
        parse_schedule("30 2 * * *", "Europe/Berlin"), datetime(2026, 3, 28, 12, tzinfo=UTC), 2
    )

    assert (
        PreviewTick(datetime(2026, 3, 29, 1, tzinfo=UTC), TickFlag.GAP),
        PreviewTick(datetime(2026, 3, 30, 0, 30, tzinfo=UTC)),
    ) == preview.ticks


def test_count_is_kept():
    """As many ticks as asked for, none included."""
    schedule = parse_schedule("@hourly")

    assert [0, 1, 5] == [len(preview_schedule(schedule, MARCH, count).ticks) for count in (0, 1, 5)]


def test_every_code_has_a_test():
    """No warning is without a row above."""
    texts = ["* * * * * *", "* 9 * * *", "0 0 13 * fri", "0 0 13 * */5", "0 0 29 2 *", "H 2 * * *"]
    seen = {code for text in texts for code in codes(text, "Europe/Berlin")}

    assert set(WarningCode) == seen
