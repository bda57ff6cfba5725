"""From what went wrong to what the user sees: the API's problems as errors, errors as exit codes.

Exit codes: 0 done, 1 failed, 2 what was typed or sent is wrong, 3 there is nothing of that name, 4 it does
not fit the present state (it exists already, or somebody changed it meanwhile).
"""

from typing import Any, Final

import httpx2

from common.domain.errors import (
    Conflict,
    CronError,
    InvalidInput,
    NotAllowed,
    NotFound,
    RevisionConflict,
    StoreError,
)

FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
CONFLICT: Final = 4

_BY_STATUS: Final[dict[int, type[CronError]]] = {
    400: InvalidInput,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: RevisionConflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    503: StoreError,
}


class Unreachable(CronError):
    """The API does not answer."""


def exit_code_of(error: CronError) -> int:
    """The exit code that tells scripts what kind of failure *error* is."""
    match error:
        case InvalidInput():
            return USAGE
        case NotFound():
            return NOT_FOUND
        case Conflict():
            return CONFLICT
        case _:
            return FAILED


def error_of(response: httpx2.Response) -> CronError:
    """The error an unsuccessful *response* stands for, with its problem+json told in sentences."""
    kind = _BY_STATUS.get(response.status_code, CronError)
    return kind(_told(response), status=response.status_code)


def _told(response: httpx2.Response) -> str:
    problem = _problem(response)
    if problem is None:
        return f"{response.request.url} answered {response.status_code} {response.reason_phrase}"
    lines = [str(problem.get("detail") or problem.get("title") or f"status {response.status_code}")]
    for entry in problem.get("errors") or []:
        field = str(entry.get("pointer", "")).lstrip("#/").replace("/", ".")
        told = str(entry.get("detail", ""))
        # The summary of a single error often is that error.
        if told and told not in lines[0]:
            lines.append(f"  {field}: {told}" if field else f"  {told}")
        elif field and field not in lines[0]:
            lines[0] = f"{field}: {lines[0]}"
    if response.status_code == 401:
        lines.append("  give a token with --token or EVERYTICK_TOKEN, or keep one with `cronctl login`")
    if response.status_code >= 500 and problem.get("request_id"):
        lines.append(f"  request {problem['request_id']}; the master's log says more")
    return "\n".join(lines)


def _problem(response: httpx2.Response) -> dict[str, Any] | None:
    if "json" not in response.headers.get("content-type", ""):
        return None
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
