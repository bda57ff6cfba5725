"""A schedule as an English sentence: `0 30 2 * * mon` -> "At 02:30, on Monday".

Pure. Works on the normalised text only, so it never fails for a schedule that was understood. The dashboard
has its own sentences in each of its languages; this one serves the API and the command line.
"""

from collections.abc import Sequence
from typing import Final

_WORDS: Final = {
    "@yearly": "Every year on 1 January at 00:00",
    "@annually": "Every year on 1 January at 00:00",
    "@monthly": "On the first day of every month at 00:00",
    "@weekly": "Every Sunday at 00:00",
    "@daily": "Every day at 00:00",
    "@midnight": "Every day at 00:00",
    "@hourly": "Every hour, on the hour",
}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINALS: Final = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth"}
_UNITS: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_STAR: Final = ("*", "?")


def describe_schedule(text: str) -> str:
    """The sentence for a normalised schedule text."""
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("@every"):
        return f"Every {_interval(text.split()[1])}"
    fields = text.split()
    second, minute, hour, day, month, weekday = ["0", *fields] if len(fields) == 5 else fields
    sentence = _time(second, minute, hour)
    dates = _dates(day, month, weekday)
    return f"{sentence}, {dates}" if dates else sentence


def _time(second: str, minute: str, hour: str) -> str:
    if all(_is_number(field) for field in (second, minute)) and all(map(_is_number, hour.split(","))):
        seconds = f":{int(second):02}" if int(second) else ""
        times = [f"{int(value):02}:{int(minute):02}{seconds}" for value in hour.split(",")]
        return f"At {_joined(times)}"
    parts = []
    if second != "0":
        parts.append(_part(second, "second"))
    if not (minute in _STAR and second != "0"):
        parts.append(_part(minute, "minute"))
    if hour not in _STAR:
        parts.append(_part(hour, "hour"))
    elif _is_number(minute):
        parts.append("of every hour")
    sentence = _without_repetition(parts)
    return sentence[:1].upper() + sentence[1:]


def _without_repetition(parts: Sequence[str]) -> str:
    return ", ".join(parts).replace(", of every", " of every")


def _part(field: str, unit: str) -> str:
    """One field of the time of day."""
    if field in _STAR:
        return f"every {unit}"
    body, slash, step = field.partition("/")
    if slash and "," not in field:
        every = f"every {unit}" if step == "1" else f"every {step} {unit}s"
        if body in ("*", "0"):
            return every
        if body.startswith("H"):
            return f"{every}, from a {unit} of the job's own"
        low, dash, high = body.partition("-")
        return f"{every} from {unit} {low} through {high}" if dash else f"{every} from {unit} {low}"
    if field.startswith("H"):
        return f"at {'an' if unit == 'hour' else 'a'} {unit} of the job's own" + (
            f" {_within(field)}" if "(" in field else ""
        )
    return (
        f"at {unit} {_list(field)}" if "," not in field and "-" not in field else f"at {unit}s {_list(field)}"
    )


def _within(field: str) -> str:
    low, _, high = field.partition("(")[2].rstrip(")").partition("-")
    return f"between {low} and {high}"


def _dates(day: str, month: str, weekday: str) -> str:
    parts = []
    if day not in _STAR:
        parts.append(_days(day))
    if weekday not in _STAR:
        # As Debian cron reads it: with a star in front both must hold, else one is enough.
        both = day.startswith(_STAR) or weekday.startswith(_STAR)
        joint = "" if day in _STAR else ("if it is " if both else "or ")
        parts.append(joint + _weekdays(weekday))
    if month not in _STAR:
        parts.append(_months(month))
    return ", ".join(parts).replace(", or ", " or ")


def _days(field: str) -> str:
    if field == "L":
        return "on the last day of the month"
    if field.startswith("H"):
        return "on a day of the month of the job's own"
    body, slash, step = field.partition("/")
    if slash and "," not in field:
        start = "" if body in ("*", "1") else f" from day {body}"
        return f"every {step} days of the month{start}"
    plural = "s" if "," in field or "-" in field else ""
    return f"on day{plural} {_list(field)} of the month"


def _weekdays(field: str) -> str:
    words = [_weekday(element) for element in field.split(",")]
    return f"on {_joined(words)}"


def _weekday(element: str) -> str:
    name, mark, number = element.partition("#")
    if mark:
        return f"the {_ORDINALS.get(number, number)} {_name(name, _WEEKDAYS)} of the month"
    if len(element) > 1 and element.endswith("L"):
        return f"the last {_name(element[:-1], _WEEKDAYS)} of the month"
    if element.startswith("H"):
        return "a weekday of the job's own"
    return _range(element, _WEEKDAYS)


def _months(field: str) -> str:
    if field.startswith("H"):
        return "in a month of the job's own"
    if field.startswith("*/"):
        return f"every {field[2:]} months"
    return f"in {_joined([_range(element, _MONTHS, first=1) for element in field.split(',')])}"


def _range(element: str, names: Sequence[str], first: int = 0) -> str:
    body, slash, step = element.partition("/")
    low, dash, high = body.partition("-")
    words = (
        f"{_name(low, names, first)} through {_name(high, names, first)}"
        if dash
        else _name(low, names, first)
    )
    return f"every {step} from {words}" if slash else words


def _name(value: str, names: Sequence[str], first: int = 0) -> str:
    if value.isdecimal():
        index = int(value) - first
        return names[index] if 0 <= index < len(names) else value
    return next((name for name in names if name[:3].lower() == value[:3].lower()), value)


def _list(field: str) -> str:
    return _joined(
        [element.replace("-", " through ").replace("/", " every ") for element in field.split(",")]
    )


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _interval(text: str) -> str:
    """`1h30m` -> "1 hour 30 minutes"."""
    parts, number = [], ""
    for character in text:
        if character.isdecimal():
            number += character
            continue
        unit = _UNITS.get(character, character)
        parts.append(
            unit if number == "1" and len(text) == 2 else f"{number} {unit}{'s' if number != '1' else ''}"
        )
        number = ""
    return " ".join(parts)


def _is_number(field: str) -> bool:
    return field.isdecimal()
