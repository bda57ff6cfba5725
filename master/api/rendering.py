"""JSON out: plain values to bytes, instants as RFC 3339 in UTC.

Answers are built from plain values and not validated again on their way out: a page of 1,000 jobs would pay
for it with its whole time budget. Tests hold every answer against its model instead.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime

from pydantic import BaseModel
from starlette.responses import Response

from common.domain.instants import utc_text


class JsonResponse(Response):
    """An answer of plain values, dataclasses and pydantic models."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return json.dumps(content, default=plain, ensure_ascii=False, separators=(",", ":")).encode()


def answer(content: object, status_code: int = 200, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """*content* as the answer of an operation."""
    return JsonResponse(content, status_code=status_code, headers=dict(headers or {}))


def plain(value: object) -> object:
    """A JSON value for what `json` does not know itself."""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
