"""Routes of API tokens: one's own, and everybody's for those who administer."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from common.domain.errors import NotAllowed
from master.api import people_examples as examples
from master.api.audited import DraftDep, audited
from master.api.auth import SignedInDep, require
from master.api.deps import ServicesDep
from master.api.people_schemas import NewToken, TokenBody, TokenInfo, TokenPage
from master.api.problems import problems
from master.api.rendering import answer
from master.domain.audit import Action
from master.domain.rights import Right

router = APIRouter(prefix="/api/v1/token", tags=["People"])

TokenIdPath = Annotated[str, Path(max_length=64, description="Id of the token, as lists show it.")]


@router.get("/list", summary="List API tokens", response_model=TokenPage, responses=problems())
async def list_tokens(
    identity: SignedInDep,
    services: ServicesDep,
    is_all: Annotated[
        bool, Query(alias="all", description="Everybody's; needs the right to administer.")
    ] = False,
) -> Response:
    """One's own tokens, without their secrets."""
    if is_all:
        require(identity.principal, Right.ADMINISTER, None)
    tokens = await services.people.api_tokens.of(None if is_all else identity.maker)
    now = services.clock.now()
    return answer(
        {
            "items": [TokenInfo.of(token, now) for token in tokens],
            "next_page_token": None,
            "total": {"count": len(tokens), "is_exact": True},
        }
    )


@router.post(
    "/create",
    dependencies=[audited(Action.TOKEN_CREATE)],
    summary="Make an API token",
    response_model=NewToken,
    responses=problems(413, 415),
)
async def create_token(
    identity: SignedInDep,
    services: ServicesDep,
    draft: DraftDep,
    body: Annotated[TokenBody, Body(openapi_examples=examples.TOKEN)],
) -> Response:
    """
    A credential for programs, with one's own rights or fewer; its text is in this answer and nowhere else.

    It never may more than its owner may at the time it is used, and stops working with its owner.
    """
    grant = body.grant()
    if not identity.principal.covers(grant):
        raise NotAllowed("a token cannot have rights that its maker does not have", role=grant.role)
    text, token = await services.people.api_tokens.create(
        identity.maker, body.name, grant, body.expires_in_days
    )
    draft.about(token.id)
    draft.changed(None, {"name": body.name, "role": body.role, "namespaces": body.namespaces})
    return answer(NewToken(token=text, info=TokenInfo.of(token, services.clock.now())))


@router.delete(
    "/{token_id}",
    dependencies=[audited(Action.TOKEN_DELETE)],
    summary="Delete an API token",
    status_code=204,
    response_class=Response,
    responses=problems(404),
)
async def delete_token(identity: SignedInDep, services: ServicesDep, token_id: TokenIdPath) -> Response:
    """It stops working at once here, and within seconds at other masters."""
    may_all = identity.principal.may(Right.ADMINISTER, None)
    await services.people.api_tokens.delete(token_id, None if may_all else identity.maker)
    return Response(status_code=204)
