"""What people write as a schedule: read element by element, refused with the field and the reason.

Pure. Accepts five fields, or six with seconds first, and the words of `WORDS`. The result carries the text in
one spelling and the same fields as plain elements (numbers, ranges, steps), with `H` resolved, names counted
and everything gone that parsers read differently: ranges over the end, `7` for Sunday, `5-5`, `?`.
"""

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from common.domain.errors import InvalidSchedule
from common.domain.spread import spread_value

MAX_LENGTH: Final = 128
WORDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field: its name for people, its values, its value names, and where a bare `H` may fall."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    hash_high: int | None = None

    @property
    def size(self) -> int:
        return self.high - self.low + 1


_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS: Final = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    # A bare H stays where every month has a day.
    Field("day of month", 1, 31, hash_high=28),
    Field("month", 1, 12, _MONTHS),
    Field("day of week", 0, 6, _WEEKDAYS),
)
_SECOND, _MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY = FIELDS

_HASH: Final = re.compile(r"h(?:\((?P<range>[^()]*)\))?(?:/(?P<step>.*))?")
_RANDOM: Final = re.compile(r"r(?:\(.*\))?(?:/.*)?")
_NEAREST_WEEKDAY: Final = re.compile(r"w\d+|\d+w|lw|wl")


@dataclass(frozen=True, slots=True)
class CronText:
    """
    A cron text, understood.

    Attributes:
        text: As it is stored and shown: one space, names in lower case, `H` and `L` in upper case.
        fields: Six fields of plain elements, seconds first.
        begins_with_star: Per field, whether it is written from `*` (also `*/2`, `?` and `H/2`).
        uses_hash: The uid had a say in `fields`.
    """

    text: str
    fields: tuple[tuple[str, ...], ...]
    begins_with_star: tuple[bool, ...]
    uses_hash: bool

    @property
    def is_fixed_time(self) -> bool:
        """Neither minute nor hour begins with `*`: a time of day, not an interval (as in Debian cron)."""
        return not (self.begins_with_star[1] or self.begins_with_star[2])

    @property
    def needs_both_days(self) -> bool:
        """A day must match both day fields, not either (as Debian cron)."""
        return self.begins_with_star[3] or self.begins_with_star[5]

    @property
    def restricts_both_days(self) -> bool:
        """Both day fields leave days out."""
        return self.fields[3] != ("*",) and self.fields[5] != ("*",)


@dataclass(frozen=True, slots=True)
class _Element:
    """One element of a field: as shown, and as one or more plain elements."""

    shown: str
    plain: tuple[str, ...]
    is_star: bool = False
    is_hashed: bool = False


def normalise(text: str) -> str:
    """
    *text* in lower case with single spaces.

    Raises:
        InvalidSchedule: Empty, too long, or not ASCII.
    """
    words = text.split()
    if not words:
        raise _refusal("is empty; give five fields (minute hour day-of-month month day-of-week)")
    joined = " ".join(words)
    if len(joined) > MAX_LENGTH:
        raise _refusal(f"has {len(joined)} characters; at most {MAX_LENGTH} are allowed")
    odd = next((character for character in joined if not " " <= character <= "~"), None)
    if odd is not None:
        raise _refusal(f"the character {odd!r} has no meaning in a schedule")
    return joined.lower()


def read_cron_text(text: str, uid: str) -> CronText:
    """
    Understand *text* (as `normalise` returns it); *uid* is what `H` is chosen by.

    Raises:
        InvalidSchedule: With the field and the reason.
    """
    fields = _word(text).split() if text.startswith("@") else text.split()
    if len(fields) not in (5, 6):
        raise _refusal(_wrong_count(len(fields)))
    if len(fields) == 5:
        elements: list[tuple[_Element, ...]] = [(_Element("0", ("0",)),)]
        elements += [_read_field(name, value, uid) for name, value in zip(FIELDS[1:], fields, strict=True)]
    else:
        elements = [_read_field(name, value, uid) for name, value in zip(FIELDS, fields, strict=True)]
    shown = " ".join(",".join(element.shown for element in field) for field in elements[-len(fields) :])
    return CronText(
        text=text if text.startswith("@") else shown,
        fields=tuple(tuple(plain for element in field for plain in element.plain) for field in elements),
        begins_with_star=tuple(field[0].is_star for field in elements),
        uses_hash=any(element.is_hashed for field in elements for element in field),
    )


def _word(text: str) -> str:
    if text in WORDS:
        return WORDS[text]
    word = text.split()[0]
    if word in WORDS:
        raise _refusal(f"nothing may follow {word}")
    if word == "@reboot":
        raise _refusal("@reboot has no meaning here: no single machine's start belongs to a job")
    close = difflib.get_close_matches(word, [*WORDS, "@every"], n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(WORDS)} and @every 90s"
    raise _refusal(f"{word} is not known; {hint}")


def _wrong_count(count: int) -> str:
    if count == 7:
        return "has 7 fields; a field for the year is not supported (use starts_at and ends_at)"
    fields = "field" if count == 1 else "fields"
    return (
        f"has {count} {fields}; give 5 (minute hour day-of-month month day-of-week), or 6 with seconds first"
    )


def _read_field(field: Field, text: str, uid: str) -> tuple[_Element, ...]:
    # Few fields are distinct in 100,000 jobs, unless the uid has a say.
    if "h" in text:
        return _elements(field, text, uid)
    return _elements_without_hash(field, text)


@lru_cache(maxsize=4096)
def _elements_without_hash(field: Field, text: str) -> tuple[_Element, ...]:
    return _elements(field, text, "")


def _elements(field: Field, text: str, uid: str) -> tuple[_Element, ...]:
    elements = tuple(_read_element(field, element, uid) for element in text.split(","))
    if len(elements) > 1 and any(element.shown == "?" for element in elements):
        raise _refusal("? stands alone in its field", field)
    if len(elements) > 1 and elements[0].plain == ("*",):
        # `*,5` is all values; said once, so that the fields below need no rule for it.
        return (_Element(",".join(element.shown for element in elements), ("*",), is_star=True),)
    return elements


def _read_element(field: Field, text: str, uid: str) -> _Element:
    if not text:
        raise _refusal("an element of the list is empty", field)
    if text == "*":
        return _Element("*", ("*",), is_star=True)
    if text == "?":
        if field not in (_DAY, _WEEKDAY):
            raise _refusal("? is only for the two day fields; write *", field)
        return _Element("?", ("*",), is_star=True)
    if hashed := _HASH.fullmatch(text):
        return _read_hash(field, hashed["range"], hashed["step"], uid)
    if _RANDOM.fullmatch(text):
        raise _refusal("R would be another time on every worker; H is a fixed value of the job's own", field)
    if field is _DAY and text.startswith("l") and text != "lw":
        return _read_last_day(text)
    if field is _DAY and _NEAREST_WEEKDAY.fullmatch(text):
        raise _refusal("W (the nearest weekday) is not supported", field)
    if field is _WEEKDAY and ("#" in text or _is_last_weekday(text)):
        return _read_numbered_weekday(text)
    return _read_range(field, text)


def _read_range(field: Field, text: str) -> _Element:
    """`5`, `1-5`, `*/15`, `5/15`, `1-5/2`."""
    body, slash, step_text = text.partition("/")
    if not body or body.startswith("-") or body.endswith("-"):
        raise _refusal(f"{text!r} is not understood{_value_hint(field, text)}", field)
    step = _read_step(field, step_text) if slash else 1
    shown_step = f"/{step}" if slash else ""
    if body == "*":
        return _Element(f"*{shown_step}", _plain_range(field, field.low, field.high, step), is_star=True)
    low_text, dash, high_text = body.partition("-")
    low, shown_low = _read_value(field, low_text)
    if not dash:
        high = max(field.high, low) if slash else low
        return _Element(f"{shown_low}{shown_step}", _plain_range(field, low, high, step))
    high, shown_high = _read_value(field, high_text)
    if field is _DAY and low > high:
        raise _refusal(f"the range {body} ends before it begins; months end on different days", field)
    return _Element(f"{shown_low}-{shown_high}{shown_step}", _plain_range(field, low, high, step))


def _plain_range(field: Field, low: int, high: int, step: int) -> tuple[str, ...]:
    """
    Elements without surprises for the range *low* to *high*, which may run over the end of the field.

    croniter reads `5-5` as the whole field and loses count of a step when a range runs over the end, so the
    first becomes one value and the second is counted out here.
    """
    if high > field.high or low > high:
        if low > high:
            high += field.size
        counted = (field.low + (value - field.low) % field.size for value in range(low, high + 1, step))
        values = dict.fromkeys(counted)
        return tuple(str(value) for value in values)
    if low == high:
        return (str(low),)
    return (f"{low}-{high}/{step}" if step > 1 else f"{low}-{high}",)


def _read_hash(field: Field, range_text: str | None, step_text: str | None, uid: str) -> _Element:
    """`H`, `H(0-29)`, `H/15`, `H(0-29)/10`: the value, or where the steps begin, is chosen by the uid."""
    low, high = field.low, field.high
    if range_text is not None:
        low_text, dash, high_text = range_text.partition("-")
        if not dash:
            raise _refusal("H takes a range in its brackets, such as H(0-29)", field)
        low, high = _read_value(field, low_text)[0], _read_value(field, high_text)[0]
        if low > high or high > field.high:
            raise _refusal(f"H({range_text}) ends before it begins", field)
    elif step_text is None and field.hash_high is not None:
        high = field.hash_high
    size = high - low + 1
    shown = "H" if range_text is None else f"H({range_text})"
    if step_text is None:
        return _Element(shown, (str(low + spread_value(uid, field.name, size)),), is_hashed=True)
    step = _read_step(field, step_text)
    start = low + spread_value(uid, field.name, min(step, size))
    plain = _plain_range(field, start, high, step)
    return _Element(f"{shown}/{step}", plain, is_star=range_text is None, is_hashed=True)


def _read_last_day(text: str) -> _Element:
    if text != "l":
        raise _refusal(f"{text.upper()!r} is not understood; L alone is the last day of the month", _DAY)
    return _Element("L", ("l",))


def _is_last_weekday(text: str) -> bool:
    """`5L`, `friL`, also `L5` as croniter has it; and a bare `L`, to be refused by name."""
    return text == "l" or text[0] == "l" or text[-1] == "l"


def _read_numbered_weekday(text: str) -> _Element:
    """`1#2` (the second Monday), `5L` (the last Friday)."""
    if text == "l":
        raise _refusal("L needs a day here, such as 5L for the last Friday", _WEEKDAY)
    if "#" not in text:
        day, shown = _read_value(_WEEKDAY, text[1:] if text[0] == "l" else text[:-1])
        return _Element(f"{shown}L", (f"l{day % 7}",))
    day_text, _, number = text.partition("#")
    day, shown = _read_value(_WEEKDAY, day_text)
    if number not in ("1", "2", "3", "4", "5"):
        raise _refusal(f"#{number} is not within #1 to #5", _WEEKDAY)
    return _Element(f"{shown}#{number}", (f"{day % 7}#{number}",))


def _read_step(field: Field, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise _refusal(f"a step of {text!r} is not a whole number above 0", field)
    step = int(text)
    if step > field.size:
        raise _refusal(
            f"a step of {step} is longer than the field ({field.low}-{field.high}); steps begin anew each "
            f"time, so this is no interval. For one, use @every",
            field,
        )
    return step


def _read_value(field: Field, text: str) -> tuple[int, str]:
    """The number behind *text* and its spelling; 7 stays 7 in the day of week, so that `5-7` can be told."""
    if text in field.names:
        return field.low + field.names.index(text), text
    if not text.isdecimal():
        raise _refusal(f"{text!r} is not understood{_value_hint(field, text)}", field)
    value = int(text)
    high = 7 if field is _WEEKDAY else field.high
    if not field.low <= value <= high:
        raise _refusal(f"{value} is not within {field.low}-{high}", field)
    return value, str(value)


def _value_hint(field: Field, text: str) -> str:
    close = difflib.get_close_matches(text, field.names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    if field.names:
        return f"; use {field.low}-{field.high} or {field.names[0]} to {field.names[-1]}"
    return f"; use numbers within {field.low}-{field.high}"


def _refusal(reason: str, field: Field | None = None) -> InvalidSchedule:
    message = f"{field.name}: {reason}" if field else f"schedule: {reason}"
    return InvalidSchedule(message, field="schedule", part=field.name if field else None)
