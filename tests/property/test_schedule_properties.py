"""Schedules against two other implementations, and against themselves."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from common.domain.cron_text import normalise, read_cron_text
from common.domain.errors import InvalidInput, InvalidSchedule
from common.domain.schedule import next_ticks, parse_schedule

START = datetime(2024, 1, 1, tzinfo=UTC)
ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
)


def instants() -> st.SearchStrategy[datetime]:
    """Whole seconds of ten years."""
    return st.integers(0, 10 * 366 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    """
    What most people write in a field with these values.

    Not `5-5/2`, which croniter and cronsim take for the whole field and for `5/2`.
    """
    value = st.integers(low, high)
    step = st.integers(1, high - low + 1)
    ranges = st.integers(low, high - 1).flatmap(
        lambda first: st.integers(first + 1, high).map(lambda last: f"{first}-{last}")
    )
    stepped = st.tuples(ranges | st.just("*"), step).map(lambda drawn: f"{drawn[0]}/{drawn[1]}")
    lists = st.lists(value.map(str) | ranges | stepped, min_size=2, max_size=3).map(",".join)
    return st.just("*") | value.map(str) | ranges | stepped | lists


def weekdays() -> st.SearchStrategy[str]:
    numbered = st.tuples(st.integers(0, 6), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}")
    last = st.integers(0, 6).map(lambda day: f"{day}L")
    return st.one_of(
        st.just("*"), fields(0, 6), st.lists(numbered | last, min_size=1, max_size=2).map(",".join)
    )


def days() -> st.SearchStrategy[str]:
    return st.one_of(st.just("*"), fields(1, 31), st.just("L"), st.just("15,L"))


def five_fields() -> st.SearchStrategy[str]:
    return st.tuples(fields(0, 59), fields(0, 23), days(), fields(1, 12), weekdays()).map(" ".join)


def six_fields() -> st.SearchStrategy[str]:
    return st.tuples(fields(0, 59), five_fields()).map(" ".join)


def texts() -> st.SearchStrategy[str]:
    return st.one_of(five_fields(), six_fields())


def expected_ticks(iterator, count: int) -> list[datetime]:
    return [tick.astimezone(UTC) for tick in islice(iterator, count)]


def readable(text: str) -> str:
    """*text*, if it is one that comes due."""
    try:
        parse_schedule(text)
    except InvalidSchedule as refusal:
        assume("never comes due" not in str(refusal) and "characters" not in str(refusal))
        raise
    return text


@given(texts(), st.sampled_from(ZONES), instants())
def test_next_is_strictly_later_and_stable(text, zone, instant):
    """The same tick comes next from every instant before it that has no other tick ahead."""
    schedule = parse_schedule(readable(text), zone)
    tick = schedule.next_after(instant)

    assert tick > instant
    assert (0, UTC) == (tick.microsecond, tick.tzinfo)
    assert tick == schedule.next_after(tick - timedelta(seconds=1))
    assert tick == schedule.next_after(instant + (tick - instant) / 2)


@given(texts(), st.sampled_from(ZONES), instants())
def test_no_two_ticks_are_closer_than_it_says(text, zone, instant):
    """Who asks only whether a job is frequent need not compute its ticks."""
    schedule = parse_schedule(readable(text), zone)
    ticks = next_ticks(schedule, instant, 4)

    assert all(b - a >= timedelta(seconds=schedule.least_interval_s) for a, b in pairwise(ticks))


@given(texts(), instants())
def test_same_as_cronsim_in_utc(text, instant):
    """cronsim, which follows Debian cron, names the same ticks."""
    schedule = parse_schedule(readable(text))

    assert expected_ticks(CronSim(text.upper(), instant), 4) == next_ticks(schedule, instant, 4)


@given(texts(), instants())
def test_same_as_croniter_in_utc(text, instant):
    """croniter names the same ticks, once it is told how the day fields go together."""
    # It wants both where one of them is numbered, and takes no list of plain and numbered weekdays.
    assume("#" not in text and "L" not in text.rpartition(" ")[2])
    schedule = parse_schedule(readable(text))
    cron = read_cron_text(normalise(text), "")
    plain = " ".join(",".join(field) for field in cron.fields)
    iterator = croniter(plain, instant, datetime, day_or=not cron.needs_both_days, second_at_beginning=True)
    ticks = next_ticks(schedule, instant, 2)

    assert ticks == [iterator.get_next(datetime).astimezone(UTC) for _ in ticks]


@st.composite
def zones_and_instants(draw) -> tuple[str, datetime]:
    """A zone with whole-hour changes, and an instant in the days around one of its changes."""
    zone = draw(st.sampled_from([zone for zone in ZONES if zone != "Australia/Lord_Howe"]))
    probes = [START + timedelta(days=number) for number in range(1_200)]
    offsets = [probe.astimezone(ZoneInfo(zone)).utcoffset() for probe in probes]
    changes = [number for number in range(1, len(probes)) if offsets[number] != offsets[number - 1]]
    day = probes[draw(st.sampled_from(changes or [100]))]
    return zone, day + timedelta(seconds=draw(st.integers(-2 * 86_400, 86_400)))


@settings(max_examples=200)
@given(five_fields(), zones_and_instants())
def test_same_as_cronsim_in_every_zone(text, zone_and_instant):
    """cronsim applies Debian cron's DST rules to five fields; Lord Howe's half hour is left to the scan."""
    zone, instant = zone_and_instant
    schedule = parse_schedule(readable(text), zone)
    local = instant.astimezone(ZoneInfo(zone))
    # cronsim forgets that a wall clock time is the second of its kind.
    assume(not local.fold)

    assert expected_ticks(CronSim(text.upper(), local), 4) == next_ticks(schedule, instant, 4)


@given(texts(), instants())
def test_one_spelling_means_the_same(text, instant):
    """What is stored reads back as the same schedule."""
    schedule = parse_schedule(readable(text))
    stored = parse_schedule(schedule.text)

    assert stored.text == schedule.text
    assert stored.next_after(instant) == schedule.next_after(instant)


def refusal_of(text: str, zone: str) -> InvalidInput | None:
    try:
        parse_schedule(text, zone, uid="job")
    except InvalidInput as refusal:
        return refusal
    return None


@given(st.text(max_size=140) | st.text("0123456789*/-,?#LHRW@()anrmosfi ", max_size=40))
def test_any_text_is_read_or_refused(text):
    """No text brings anything but a schedule or a refusal that can be shown."""
    refusal = refusal_of(text, "UTC")

    assert refusal is None or ("schedule" == refusal.field and str(refusal))


@given(st.text(max_size=80) | st.text("Europ/Berlin._-0", max_size=20))
def test_any_zone_is_known_or_refused(zone):
    """No zone name brings anything but a schedule or a refusal that can be shown."""
    refusal = refusal_of("0 0 * * *", zone)

    assert refusal is None or ("timezone" == refusal.field and str(refusal))
