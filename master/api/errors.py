"""The one place where errors become answers: `application/problem+json` for everything.

A person reads `title` and `detail`, a program `code` and `errors`. Nothing of the inside is shown: what was
not foreseen is a 500 with a request id, and the log has the rest.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from common.domain import errors
from master.api.pointers import error_items, field_pointer
from master.api.rendering import JsonResponse
from master.api.schemas import ErrorItem, Problem

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER_S: Final = "2"

#: Status by class; a subclass without an entry has its parent's.
_STATUS: Final[dict[type[errors.CronError], int]] = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RevisionConflict: 412,
    errors.NotAllowed: 403,
    errors.TooManyStreams: 429,
    errors.BadCredentials: 401,
    errors.Throttled: 429,
    errors.StoreError: 503,
    errors.CorruptValue: 500,
}
_TITLES: Final = {
    "invalid_schedule": "The schedule cannot be accepted",
    "unknown_timezone": "The time zone is not known",
    "invalid_job": "The job cannot be accepted",
    "invalid_page_token": "The page token cannot be used",
    "invalid_input": "The request cannot be accepted",
    "validation_failed": "The request cannot be accepted",
    "job_not_found": "There is no such job",
    "execution_not_found": "There is no such execution",
    "worker_not_found": "There is no such worker",
    "version_not_found": "There is no such version",
    "route_not_found": "There is nothing at this address",
    "job_exists": "The job exists already",
    "revision_conflict": "The job was changed by someone else",
    "conflict": "The request does not fit the present state",
    "store_unavailable": "A server this needs cannot be reached",
    "outcome_unknown": "It is not known whether the change was made",
    "too_many_streams": "Too many event streams are open",
    "unauthenticated": "A credential is needed",
    "bad_credentials": "The user name or the password is wrong",
    "csrf_token_missing": "The request does not come from the dashboard",
    "throttled": "Too often",
    "setup_done": "The first account exists already",
    "setup_token_invalid": "The set-up token cannot be used",
    "user_exists": "The user exists already",
    "user_not_found": "There is no such user",
    "last_admin": "One administrator must remain",
    "token_not_found": "There is no such API token",
    "password_too_short": "The password is too short",
    "password_too_long": "The password is too long",
    "password_contains_name": "The password is built from the name",
    "password_too_common": "The password is too common",
    "not_allowed": "This is not allowed",
    "body_too_large": "The body is too large",
    "unsupported_media_type": "The body must be JSON",
    "method_not_allowed": "This address does not know this method",
    "internal_error": "Something went wrong inside",
}


def problem(
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    *,
    items: Sequence[ErrorItem] = (),
    headers: Mapping[str, str] | None = None,
    current: Mapping[str, Any] | None = None,
) -> Response:
    """The answer for one error; the audit trail finds the reason in the request's state."""
    scope.setdefault("state", {})["problem"] = detail
    content = Problem(
        type=f"urn:everytick:problem:{code}",
        title=_TITLES.get(code, HTTPStatus(status).phrase),
        status=status,
        detail=detail,
        instance=scope["path"],
        code=code,
        request_id=scope["state"].get("request_id", ""),
        errors=list(items),
    ).model_dump(exclude={"current"})
    if current is not None:
        content["current"] = current
    return JsonResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Register the handlers of every error an operation can end in."""
    app.add_exception_handler(errors.CronError, _on_cron_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


def internal_error(scope: Scope, error: Exception) -> Response:
    """The answer for what nobody foresaw; the log gets the traceback."""
    log.error("request.crashed", path=scope["path"], method=scope.get("method"), exc_info=error)
    return problem(
        scope, 500, "internal_error", "This is a fault of the program. Report it with the request id."
    )


def code_of(error: errors.CronError) -> str:
    """`JobNotFound` -> `job_not_found`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


async def _on_cron_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, errors.CronError):
        raise error
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    if status == 500:
        return internal_error(request.scope, error)
    code, detail = str(error.details.get("code", code_of(error))), str(error)
    items: list[ErrorItem] = []
    if isinstance(error, errors.InvalidInput) and error.field:
        pointer = f"/query/{error.field}" if request.method == "GET" else field_pointer(error.field)
        items = [ErrorItem(pointer=pointer, detail=detail)]
    headers = {"Retry-After": _RETRY_AFTER_S} if status == 503 else {}
    if isinstance(error, errors.Throttled):
        headers = {"Retry-After": str(error.retry_after_s)}
    current = error.details.get("current")
    if isinstance(current, Mapping):
        headers["ETag"] = f'"{current["revision"]}"'
        return problem(request.scope, status, code, detail, headers=headers, current=current)
    return problem(request.scope, status, code, detail, items=items, headers=headers)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError | ValidationError):
        raise error
    body = error.body if isinstance(error, RequestValidationError) else None
    items = error_items(error.errors(), body)
    first = items[0]
    place = first.pointer.lstrip("/").replace("/", ".") or "body"
    return problem(request.scope, 422, "validation_failed", f"{place}: {first.detail}", items=items)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    match error.status_code:
        case 404:
            code, detail = "route_not_found", f"There is nothing at {request.url.path}."
        case 405:
            code, detail = "method_not_allowed", f"{request.url.path} does not know {request.method}."
        case 400:
            code, detail = "bad_request", "The body cannot be read: it must be JSON in UTF-8."
        case 413:
            code, detail = "body_too_large", "A body may have 1 MiB at most."
        case status:
            code, detail = HTTPStatus(status).phrase.lower().replace(" ", "_"), str(error.detail)
    return problem(request.scope, error.status_code, code, detail, headers=error.headers)
