"""Time zone names: which are accepted, and what to suggest for the others.

Reads the IANA database of the host through `zoneinfo` and nothing else. Names that mean something else on
every host (`localtime`), carry no meaning (`Factory`) or leave the database (`../x`) are refused.
"""

import difflib
import re
import zoneinfo
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Final

from common.domain.errors import UnknownTimezone

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}")
_MAX_LENGTH: Final = 64
_REFUSED: Final = frozenset({"localtime", "posixrules", "Factory"})
_REFUSED_FOLDERS: Final = ("posix/", "right/")


def load_zone(name: str) -> tzinfo:
    """
    The zone of that IANA name; `datetime.UTC` itself for `UTC`, which is faster.

    Raises:
        UnknownTimezone: No such zone on this host; the message names a similar one if there is one.
    """
    if name == "UTC":
        return UTC
    if (
        len(name) <= _MAX_LENGTH
        and _NAME.fullmatch(name)
        and name not in _REFUSED
        and not name.startswith(_REFUSED_FOLDERS)
    ):
        try:
            return zoneinfo.ZoneInfo(name)
        # A folder of the database (`America`) is an OSError, a file in it that holds no zone a ValueError.
        except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
            pass
    raise UnknownTimezone(_message(name), field="timezone", timezone=name[:_MAX_LENGTH])


def zone_names() -> tuple[str, ...]:
    """Every name `load_zone` accepts on this host, sorted."""
    return _zone_names()


def forget_zones() -> None:
    """
    Drop what was read of the database, so that an updated one is read again (situation 12).

    Schedules that were parsed before keep the old rules; `schedule.forget_schedules` drops both.
    """
    zoneinfo.ZoneInfo.clear_cache()
    _zone_names.cache_clear()


@lru_cache(maxsize=1)
def _zone_names() -> tuple[str, ...]:
    return tuple(sorted(zoneinfo.available_timezones() - _REFUSED))


def _message(name: str) -> str:
    if not name.strip():
        return "timezone is empty; give an IANA name such as Europe/Berlin, or UTC"
    shown = name if len(name) <= _MAX_LENGTH else f"{name[:_MAX_LENGTH]}..."
    suggestion = _similar(name.strip().replace(" ", "_"))
    hint = f"; did you mean {suggestion}?" if suggestion else "; give an IANA name such as Europe/Berlin"
    return f"{shown!r} is not a time zone of the IANA database of this host{hint}"


def _similar(name: str) -> str | None:
    by_lower = {known.lower(): known for known in zone_names()}
    wanted = name[:_MAX_LENGTH].lower()
    # People remember the city and guess the continent.
    by_city = {lower.rpartition("/")[2]: known for lower, known in by_lower.items()}
    if wanted in by_lower:
        return by_lower[wanted]
    city = wanted.rpartition("/")[2]
    if city in by_city:
        return by_city[city]
    close = difflib.get_close_matches(wanted, by_lower, n=1, cutoff=0.75)
    if close:
        return by_lower[close[0]]
    close = difflib.get_close_matches(city, by_city, n=1, cutoff=0.8)
    return by_city[close[0]] if close else None
