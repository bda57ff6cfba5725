"""How error answers stand in the OpenAPI document."""

from typing import Any, Final

from master.api.errors import MEDIA_TYPE
from master.api.schemas import Problem

_TEXTS: Final = {
    400: ("The body cannot be read.", "bad_request", "The body cannot be read: it must be JSON in UTF-8."),
    401: ("No valid credential.", "unauthenticated",
          "Send the header `Authorization: Bearer <token>`, or sign in."),
    403: ("The token does not have the right this needs.", "not_allowed", "this needs the right to edit"),
    404: ("There is no such thing.", "job_not_found", "there is no job default/backup"),
    409: ("It does not fit the present state.", "conflict", "the execution has not ended yet"),
    412: ("It was changed since it was read; `current` is the present version.", "revision_conflict",
          "the job was changed since it was read"),
    413: ("The body is larger than 1 MiB.", "body_too_large", "A body may have 1048576 bytes at most."),
    415: ("The body is not JSON.", "unsupported_media_type",
          "Send the body with `Content-Type: application/json`."),
    422: ("A field is wrong; `errors` name each.", "invalid_schedule",
          "minute: 61 is not within 0-59 in '61 * * * *'"),
    429: ("Too often; `Retry-After` says when to come back.", "throttled",
          "too many tries: come back in 60 s"),
    503: ("etcd or MongoDB cannot be reached; `detail` says which.", "store_unavailable",
          "history cannot be read at present: MongoDB does not answer"),
}  # fmt: skip


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation: *statuses*, and those every operation has (401, 403, 422, 503)."""
    # Whatever has a body, whose size is limited, can have one that is not UTF-8.
    unreadable = {400} if 413 in statuses else set()
    return {status: _answer(status) for status in sorted({401, 403, 422, 503, *statuses} | unreadable)}


def _answer(status: int) -> dict[str, Any]:
    text, code, detail = _TEXTS[status]
    errors = [{"pointer": "/schedule", "detail": detail}] if status == 422 else []
    example = {
        "type": f"urn:everytick:problem:{code}",
        "title": text.partition(";")[0],
        "status": status,
        "detail": detail,
        "instance": "/api/v1/...",
        "code": code,
        "request_id": "5f0c6a4e1f6b4d2e9a7c3b8d1e2f4a6b",
        "errors": errors,
    }
    return {"model": Problem, "description": text, "content": {MEDIA_TYPE: {"example": example}}}
