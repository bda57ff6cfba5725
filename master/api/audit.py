"""Routes of the audit trail: read it, and check that it is whole."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from common.domain.calendar_limits import Instant
from common.domain.errors import InvalidInput
from master.api.deps import Administrator, JobNamePath, Namespace, PageSize, PageToken, ServicesDep, Viewer
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas_audit import AuditCheck, AuditEntryPage
from master.audit_port import AuditFilter
from master.domain.audit import Action, Entry, Outcome
from master.domain.keyset import decode_page_token, encode_page_token
from master.domain.rights import Right
from master.services.audit import AuditPage

router = APIRouter(prefix="/api/v1/audit", tags=["Audit"])
job_router = APIRouter(prefix="/api/v1/job", tags=["Audit"])

_OF_JOBS = tuple(action for action in Action if action.family in ("job", "execution"))


@router.get("/list", summary="Who did what", response_model=AuditEntryPage, responses=problems())
async def list_audit(
    _: Administrator,
    services: ServicesDep,
    actor: Annotated[str | None, Query(max_length=128, description="Only by this account or token.")] = None,
    action: Annotated[
        str | None,
        Query(max_length=64, description="An action (`job.save`), or a family of them (`job`)."),
    ] = None,
    target: Annotated[
        str | None, Query(alias="object", max_length=256, description="Name or id of what it was about.")
    ] = None,
    namespace: Annotated[str | None, Query(max_length=128, description="Only in this namespace.")] = None,
    outcome: Annotated[Outcome | None, Query(description="How it ended.")] = None,
    since: Annotated[Instant | None, Query(alias="from", description="At or after.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Before.")] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """Every change that was made, refused or failed, newest first; secrets are masked in it for everybody."""
    where = AuditFilter(
        actor=actor,
        actions=_actions(action),
        object=target,
        namespace=namespace,
        outcome=outcome,
        since=since,
        until=until,
    )
    identity: dict[str, object] = {"audit": repr(where)}
    page = await services.audit.page(where, before=_before(identity, page_token), size=page_size)
    return answer(_shown_page(page, identity, shows_client=True))


@router.get("/verify", summary="Check the audit trail", response_model=AuditCheck, responses=problems())
async def verify_audit(_: Administrator, services: ServicesDep) -> Response:
    """
    Reads the whole chain and tells the first entry that does not follow the one before it.

    Note `last_hash` outside of this installation: a chain that was made anew is whole too, and has another.
    """
    return answer(await services.audit.verify())


@job_router.get(
    "/{name}/audit", summary="Who did what to a job", response_model=AuditEntryPage, responses=problems(404)
)
async def job_audit(
    principal: Viewer,
    services: ServicesDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """
    The entries about a job and its executions, newest first; also of a job that was deleted.

    From which address somebody came is shown to administrators only.
    """
    row = services.catalog.peek(namespace, name)
    where = AuditFilter(actions=_OF_JOBS, object=name, job_uid=row.uid if row else None, namespace=namespace)
    identity: dict[str, object] = {"job_audit": [namespace, name]}
    page = await services.audit.page(where, before=_before(identity, page_token), size=page_size)
    return answer(_shown_page(page, identity, shows_client=principal.may(Right.ADMINISTER, None)))


def _actions(text: str | None) -> tuple[Action, ...]:
    if text is None:
        return ()
    found = tuple(action for action in Action if text in (action.value, action.family))
    if not found:
        families = ", ".join(sorted({action.family for action in Action}))
        raise InvalidInput(f"there is no action {text!r}; the families are {families}", field="action")
    return found


def _before(identity: dict[str, object], page_token: str | None) -> int | None:
    return int(decode_page_token(identity, page_token, (int,))[0]) if page_token else None


def _shown_page(page: AuditPage, identity: dict[str, object], *, shows_client: bool) -> dict[str, Any]:
    more = page.next_before
    return {
        "items": [_shown(entry, shows_client) for entry in page.items],
        "next_page_token": encode_page_token(identity, (more,)) if more is not None else None,
        "total": page.total,
    }


def _shown(entry: Entry, shows_client: bool) -> dict[str, Any]:
    fact = entry.fact
    return {
        "seq": entry.seq,
        "entry_id": fact.id,
        "at": fact.at,
        "actor": fact.actor,
        "actor_kind": fact.actor_kind,
        "client": fact.client if shows_client else None,
        "action": fact.action,
        "object": fact.object,
        "namespace": fact.namespace,
        "outcome": fact.outcome,
        "detail": fact.detail,
        "before": json.loads(fact.before) if fact.before else None,
        "after": json.loads(fact.after) if fact.after else None,
        "request_id": fact.request_id,
        "hash": entry.hash,
        "previous_hash": entry.previous_hash,
    }
