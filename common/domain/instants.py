"""Instants as text: RFC 3339 in UTC, the one spelling of the API, its events and the command's environment.

Pure.
"""

from datetime import UTC, datetime


def utc_text(instant: datetime) -> str:
    """*instant* as `2026-03-29T01:00:00Z`, with milliseconds only where there are any."""
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")
