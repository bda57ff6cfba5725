import pytest

from common.domain.cron_text import CronText, normalise, read_cron_text
from common.domain.errors import InvalidSchedule
from common.domain.schedule import parse_schedule


def read(text: str, uid: str = "j1") -> CronText:
    return read_cron_text(normalise(text), uid)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("  0   5 *\t* * ", "0 5 * * *", id="white space"),
        pytest.param("0 5 * JAN Mon-FRI", "0 5 * jan mon-fri", id="names in lower case"),
        pytest.param("05 007 * * *", "5 7 * * *", id="leading zeros"),
        pytest.param("0 0 l * fril", "0 0 L * friL", id="L in upper case"),
        pytest.param("0 0 * * l5", "0 0 * * 5L", id="L after its day"),
        pytest.param("h h(0-5) * * h/2", "H H(0-5) * * H/2", id="H in upper case"),
        pytest.param("@Daily", "@daily", id="words stay words"),
        pytest.param("0 0 ? * THU", "0 0 ? * thu", id="question mark stays"),
        pytest.param("*/5 0,30 * * * *", "*/5 0,30 * * * *", id="six fields"),
    ],
)
def test_one_spelling(text, expected):
    """Spellings of the same are stored as one, and reading that one changes nothing."""
    cron = read(text)

    assert expected == cron.text
    assert cron == read(cron.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0 0 * * 7", "0 0 0 1-31 1-12 0", id="7 is Sunday"),
        pytest.param("0 0 * * 5-7", "0 0 0 1-31 1-12 5,6,0", id="Friday to Sunday as 5-7"),
        pytest.param("0 0 * * fri-mon", "0 0 0 1-31 1-12 5,6,0,1", id="weekdays over the week's end"),
        pytest.param("0 0 * * 0-7", "0 0 0 1-31 1-12 0,1,2,3,4,5,6", id="all days as 0-7"),
        pytest.param("0 22-2/2 * * *", "0 0 22,0,2 1-31 1-12 0-6", id="hours over midnight"),
        pytest.param("5-5 * * * *", "0 5 0-23 1-31 1-12 0-6", id="a range of one value"),
        pytest.param("59/15 * * * *", "0 59 0-23 1-31 1-12 0-6", id="a step from the last value"),
        pytest.param("10/20 * * * *", "0 10-59/20 0-23 1-31 1-12 0-6", id="a step from a value"),
        pytest.param("0 0 1 nov-feb *", "0 0 0 1 11,12,1,2 0-6", id="months over the year's end"),
        pytest.param("0 0 L,15 * mon#2,friL,3", "0 0 0 l,15 1-12 1#2,l5,3", id="L and # in lists"),
    ],
)
def test_meaning(text, expected):
    """What parsers read differently is settled before croniter sees it."""
    fields = [
        ",".join(field).replace("*", whole) for field, whole in zip(read(text).fields, WHOLE, strict=True)
    ]

    assert expected == " ".join(fields)


WHOLE = ("0-59", "0-59", "0-23", "1-31", "1-12", "0-6")


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        pytest.param("61 * * * *", "minute", "61 is not within 0-59", id="minute out of range"),
        pytest.param("* 24 * * *", "hour", "24 is not within 0-23", id="hour out of range"),
        pytest.param("0 0 0 * *", "day of month", "0 is not within 1-31", id="day 0"),
        pytest.param("0 0 * 13 *", "month", "13 is not within 1-12", id="month out of range"),
        pytest.param("0 0 * * 8", "day of week", "8 is not within 0-7", id="weekday out of range"),
        pytest.param("60 0 0 * * *", "second", "60 is not within 0-59", id="second out of range"),
        pytest.param("0 0 * * mno", "day of week", "did you mean mon?", id="misspelt weekday"),
        pytest.param("0 0 * foo *", "month", "use 1-12 or jan to dec", id="no month"),
        pytest.param("0 mon * * *", "hour", "use numbers within 0-23", id="name in the wrong field"),
        pytest.param("-5 * * * *", "minute", "'-5' is not understood", id="negative"),
        pytest.param("1- * * * *", "minute", "'1-' is not understood", id="half a range"),
        pytest.param("1,,2 * * * *", "minute", "an element of the list is empty", id="empty element"),
        pytest.param("/5 * * * *", "minute", "'/5' is not understood", id="step of nothing"),
        pytest.param("*/0 * * * *", "minute", "not a whole number above 0", id="step 0"),
        pytest.param("*/90 * * * *", "minute", "use @every", id="step longer than the field"),
        pytest.param("** * * * *", "minute", "'**' is not understood", id="two stars"),
        pytest.param("1-5-7 * * * *", "minute", "'5-7' is not understood", id="three bounds"),
        pytest.param(
            "? * * * *", "minute", "? is only for the two day fields", id="question mark in minutes"
        ),
        pytest.param("0 0 ?,1 * *", "day of month", "? stands alone", id="question mark in a list"),
        pytest.param("0 0 30-2 * *", "day of month", "ends before it begins", id="days over the month's end"),
        pytest.param("0 0 L-3 * *", "day of month", "L alone is the last day", id="L with an offset"),
        pytest.param("0 0 15W * *", "day of month", "W (the nearest weekday)", id="nearest weekday"),
        pytest.param("0 0 * * L", "day of week", "L needs a day here", id="L without a weekday"),
        pytest.param("0 0 * * mon#6", "day of week", "#6 is not within #1 to #5", id="sixth Monday"),
        pytest.param("0 0 * * 1-5#2", "day of week", "'1-5' is not understood", id="numbered range"),
        pytest.param("R * * * *", "minute", "another time on every worker", id="R"),
        pytest.param("0 R(0-5) * * *", "hour", "another time on every worker", id="R with a range"),
        pytest.param("H(5) * * * *", "minute", "H takes a range", id="H of one value"),
        pytest.param("H(30-10) * * * *", "minute", "ends before it begins", id="H over the end"),
        pytest.param("H(0-70) * * * *", "minute", "70 is not within 0-59", id="H out of range"),
    ],
)
def test_refused_field(text, field, reason):
    """A refusal names the field of the text and the reason."""
    with pytest.raises(InvalidSchedule) as refusal:
        parse_schedule(text)

    assert str(refusal.value).startswith(f"{field}: ")
    assert reason in str(refusal.value)
    assert ("schedule", field) == (refusal.value.field, refusal.value.details["part"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param(" \n ", "is empty", id="blank"),
        pytest.param("* * *", "has 3 fields; give 5", id="three fields"),
        pytest.param("5", "has 1 field; give 5", id="one field"),
        pytest.param("0 0 0 1 1 * 2027", "has 7 fields; a field for the year", id="a year"),
        pytest.param("0 0 31 2 *", "'0 0 31 2 *' never comes due", id="31 February"),
        pytest.param("0 0 30 feb *", "never comes due", id="30 February"),
        pytest.param("0 0 31 4,6,9,11 */2", "never comes due", id="31st of short months"),
        pytest.param("0 0 */31 2 mon#5", "never comes due", id="fifth Monday on the first"),
        pytest.param("1," * 64 + "1 * * * *", "at most 128 are allowed", id="too long"),
        pytest.param("\uff15 * * * *", "the character '\uff15' has no meaning", id="full-width digit"),
        pytest.param("0 0 * * *\x00", "has no meaning", id="NUL"),
        pytest.param("@reboot", "@reboot has no meaning here", id="reboot"),
        pytest.param("@dayly", "did you mean @daily?", id="misspelt word"),
        pytest.param("@", "known are @yearly", id="no word"),
        pytest.param("@daily 5", "nothing may follow @daily", id="word with a field"),
    ],
)
def test_refused_text(text, reason):
    """Nonsense is refused when the job is saved, not found out at night."""
    with pytest.raises(InvalidSchedule) as refusal:
        parse_schedule(text)

    assert reason in str(refusal.value)
    assert "schedule" == refusal.value.field


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("@every", "is not a duration", id="nothing"),
        pytest.param("@every 90", "is not a duration", id="no unit"),
        pytest.param("@every 5m1h", "is not a duration", id="wrong order"),
        pytest.param("@every -5m", "is not a duration", id="negative"),
        pytest.param("@every 1.5h", "not in whole seconds", id="fraction"),
        pytest.param("@every 500ms", "not in whole seconds", id="milliseconds"),
        pytest.param("@every 0s", "not between 1s and 8784h", id="zero"),
        pytest.param("@every 8785h", "not between 1s and 8784h", id="over a year"),
        pytest.param("@every 99999999h", "not between 1s and 8784h", id="beyond the calendar"),
    ],
)
def test_refused_interval(text, reason):
    """`@every` takes whole seconds, from one second to a year."""
    with pytest.raises(InvalidSchedule) as refusal:
        parse_schedule(text)

    assert reason in str(refusal.value)
    assert ("schedule", "@every") == (refusal.value.field, refusal.value.details["part"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("30 2 * * *", True, id="a time of day"),
        pytest.param("0,30 9-17/2 * * *", True, id="lists, ranges and steps of a range"),
        pytest.param("H H(0-5) * * *", True, id="H is one value"),
        pytest.param("*/10 30 2 * * *", True, id="the second does not matter"),
        pytest.param("@daily", True, id="daily"),
        pytest.param("@hourly", False, id="hourly"),
        pytest.param("*/15 2 * * *", False, id="minute from a star"),
        pytest.param("0 */2 * * *", False, id="hour from a star"),
        pytest.param("H/15 2 * * *", False, id="H with a step is an interval"),
    ],
)
def test_fixed_time(text, expected):
    """A schedule means times of day unless its minute or hour begins with `*`, as in Debian cron."""
    assert expected is read(text).is_fixed_time


def test_hash_is_spread_and_stable():
    """`H` is even over many jobs, fixed for each, and apart between fields."""
    minutes = [read("H H * * *", f"job{number}").fields[1][0] for number in range(6_000)]
    together = {read("H H * * *", f"job{number}").fields[1:3] for number in range(6_000)}

    assert {str(minute) for minute in range(60)} == set(minutes)
    assert max(minutes.count(minute) for minute in set(minutes)) < 150
    assert len(together) > 1_200
    assert (("54",), ("1",)) == read("H H * * *", "backup").fields[1:3]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        pytest.param("H(10-14) * * * *", 10, 14, id="range"),
        pytest.param("0 0 H * *", 1, 28, id="a day every month has"),
        pytest.param("0 0 * H *", 1, 12, id="month"),
        pytest.param("0 0 * * H", 0, 6, id="weekday"),
    ],
)
def test_hash_range(text, low, high):
    """`H` reaches every value of its range and none outside."""
    plain = [read(text, f"job{number}").fields for number in range(2_000)]
    [index] = [position for position in range(6) if len({fields[position] for fields in plain}) > 1]

    assert {str(value) for value in range(low, high + 1)} == {fields[index][0] for fields in plain}


def test_hash_with_a_step_begins_within_the_first_step():
    """`H/15` is every 15 minutes from a minute of the job's own."""
    starts = {read("H/15 * * * *", f"job{number}").fields[1] for number in range(500)}

    assert {(f"{start}-59/15",) for start in range(15)} == starts
