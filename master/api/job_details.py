"""Routes about one job beside its definition: earlier versions, going back to one, the workers it fits."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from common.domain.errors import RevisionConflict, VersionNotFound
from master.api import examples
from master.api.audited import DraftDep, audited
from master.api.bodies import RevertBody
from master.api.deps import (
    Editor,
    JobNamePath,
    Namespace,
    PageSize,
    PageToken,
    PreconditionDep,
    ServicesDep,
    Viewer,
)
from master.api.jobs import attach_current, job_answer
from master.api.problems import problems
from master.api.rendering import answer
from master.api.schemas import Job
from master.api.schemas_jobs import JobVersionPage, JobWorkers
from master.domain.audit import Action
from master.domain.job_fit import fit
from master.domain.keyset import decode_page_token, encode_page_token

router = APIRouter(prefix="/api/v1/job", tags=["Jobs"])


@router.get(
    "/{name}/versions", summary="Versions of a job", response_model=JobVersionPage, responses=problems(404)
)
async def job_versions(
    _: Viewer,
    services: ServicesDep,
    name: JobNamePath,
    namespace: Namespace = "default",
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """Each save, newest first: who, when, the definition, and what it changed. The latest 200 are kept."""
    row = await services.jobs.find(namespace, name)
    identity: dict[str, object] = {"versions": row.uid}
    before = int(decode_page_token(identity, page_token, (int,))[0]) if page_token else None
    if row.spec is None:
        return answer({"items": [], "next_page_token": None, "total": {"count": 0, "is_exact": True}})
    page = await services.versions.page(row.spec, before=before, size=page_size)
    more = page.next_before
    return answer(
        {
            "items": page.items,
            "next_page_token": encode_page_token(identity, (more,)) if more is not None else None,
            "total": {"count": page.total, "is_exact": True},
        }
    )


@router.post(
    "/{name}/revert",
    dependencies=[audited(Action.JOB_REVERT)],
    summary="Go back to a version of a job",
    response_model=Job,
    responses=problems(404, 412, 413, 415),
)
async def revert_job(
    principal: Editor,
    services: ServicesDep,
    draft: DraftDep,
    precondition: PreconditionDep,
    name: JobNamePath,
    body: Annotated[RevertBody, Body(openapi_examples=examples.REVERT)],
    namespace: Namespace = "default",
) -> Response:
    """
    Saves the definition of that version once more, as a new version; secret values come back with it.

    With `If-Match` only when nobody has changed the job since.
    """
    row = await services.jobs.find(namespace, name)
    if row.uid is None:
        raise VersionNotFound(f"version {body.generation} of this job is not kept")
    definition = await services.versions.definition(row.uid, body.generation)
    try:
        saved = await services.catalog.save(
            definition, precondition, changed_by=principal.name, witness=draft.changed_job
        )
    except RevisionConflict as conflict:
        await attach_current(services, conflict, namespace, name)
        raise
    return await job_answer(services, saved)


@router.get(
    "/{name}/workers", summary="Workers a job fits", response_model=JobWorkers, responses=problems(404)
)
async def job_workers(
    _: Viewer, services: ServicesDep, name: JobNamePath, namespace: Namespace = "default"
) -> Response:
    """Those that may run it in the order in which they try, then the others with what keeps them from it."""
    row = await services.jobs.find(namespace, name)
    if row.spec is None:
        return answer({"items": []})
    reports = await services.roster.reports()
    return answer({"items": fit(row.spec, services.roster.live(), reports)})
