"""Routes of signing in: the first account, sessions, one's own password."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from starlette.datastructures import Headers

from common.domain.errors import NotAllowed, StoreUnavailable
from master.api import people_examples as examples
from master.api.audited import Draft, DraftDep, audited
from master.api.auth import SignedInDep
from master.api.deps import Services, ServicesDep
from master.api.people_schemas import (
    AuthState,
    Check,
    LoginBody,
    Me,
    OidcStart,
    PasswordBody,
    SetupBody,
    SetupTokenAnswer,
)
from master.api.problems import problems
from master.api.rendering import answer
from master.api.session_cookie import SessionCookie, SessionCookieDep
from master.domain.audit import Action, ActorKind
from master.domain.rights import PrincipalKind
from master.services.sign_in import Browser, SignedIn

router = APIRouter(prefix="/api/v1/auth", tags=["People"])


@router.get("/state", summary="What the sign-in page needs to know", response_model=AuthState)
async def auth_state(request: Request, services: ServicesDep) -> Response:
    """Open to everybody: whether an account exists, and how one can sign in."""
    needed, oidc = False, services.people.oidc
    try:
        needed = await services.people.setup.is_needed()
    except StoreUnavailable:
        # An installation without accounts cannot be told from one whose MongoDB is away: the sign-in page
        # says which server is missing as soon as somebody tries.
        needed = False
    return answer(
        AuthState(
            setup_needed=needed,
            signed_in=request.state.principal is not None,
            oidc=OidcStart(name=oidc.name, start="/api/v1/auth/oidc/start")
            if (oidc := services.people.oidc)
            else None,
            checks=_checks(services) if needed else (),
        )
    )


@router.post(
    "/setup",
    dependencies=[audited(Action.AUTH_SETUP)],
    summary="Make the first account",
    response_model=Me,
    responses=problems(409, 413, 415, 429),
)
async def auth_setup(
    request: Request,
    services: ServicesDep,
    cookie: SessionCookieDep,
    draft: DraftDep,
    body: Annotated[SetupBody, Body(openapi_examples=examples.SETUP)],
) -> Response:
    """Makes an administrator with the one-time set-up token, and signs them in."""
    signed_in = await services.people.sign_in.with_setup_token(
        body.token, body.username, body.password, body.display_name or "", _browser(request, cookie)
    )
    return _welcome(draft, cookie, signed_in)


@router.post(
    "/setup-token",
    dependencies=[audited(Action.AUTH_SETUP_TOKEN)],
    summary="Renew the set-up token",
    response_model=SetupTokenAnswer,
    responses=problems(409, 413, 415),
)
async def auth_setup_token(identity: SignedInDep, services: ServicesDep) -> Response:
    """For whoever holds the admin token, while there is no account: a token of 15 minutes for one use."""
    if identity.principal.kind is not PrincipalKind.ADMIN_TOKEN:
        raise NotAllowed("this needs the admin token itself: the file named by adminTokenFile")
    token = await services.people.setup.new_token()
    return answer(SetupTokenAnswer(token=token.token, expires_at=token.expires_at, path=token.path))


@router.post(
    "/login",
    dependencies=[audited(Action.AUTH_LOGIN)],
    summary="Sign in",
    response_model=Me,
    responses=problems(413, 415, 429),
)
async def auth_login(
    request: Request,
    services: ServicesDep,
    cookie: SessionCookieDep,
    draft: DraftDep,
    body: Annotated[LoginBody, Body(openapi_examples=examples.LOGIN)],
) -> Response:
    """
    Starts a session, kept in a cookie; it ends after 30 minutes without a request, or after 12 hours.

    Five tries a minute for each name and each address, then with growing pauses.
    """
    signed_in = await services.people.sign_in.with_password(
        body.username.strip().lower(), body.password, _browser(request, cookie)
    )
    return _welcome(draft, cookie, signed_in)


@router.post(
    "/logout",
    dependencies=[audited(Action.AUTH_LOGOUT)],
    summary="Sign out",
    status_code=204,
    response_class=Response,
    responses=problems(413, 415),
)
async def auth_logout(
    request: Request, _: SignedInDep, services: ServicesDep, cookie: SessionCookieDep
) -> Response:
    """Ends the session of the cookie, at every master."""
    token = cookie.read(Headers(scope=request.scope))
    if token:
        await services.people.sessions.end(token)
    response = Response(status_code=204)
    cookie.clear(response)
    return response


@router.get("/me", summary="Who am I?", response_model=Me, responses=problems())
async def auth_me(identity: SignedInDep) -> Response:
    """Whoever the credential stands for, and what they may do where."""
    return answer(Me.of(identity))


@router.post(
    "/password",
    dependencies=[audited(Action.AUTH_PASSWORD)],
    summary="Change one's own password",
    status_code=204,
    response_class=Response,
    responses=problems(409, 413, 415, 429),
)
async def auth_password(
    request: Request,
    identity: SignedInDep,
    services: ServicesDep,
    body: Annotated[PasswordBody, Body(openapi_examples=examples.PASSWORD)],
) -> Response:
    """All other sessions of this user end; API tokens stay."""
    if identity.principal.kind is not PrincipalKind.USER:
        raise NotAllowed("only somebody who is signed in can change their password")
    await services.people.sign_in.change_password(identity, body.current, body.new, request.state.client)
    return Response(status_code=204)


def _browser(request: Request, cookie: SessionCookie) -> Browser:
    return Browser(request.state.client, cookie.read(Headers(scope=request.scope)))


def _welcome(draft: Draft, cookie: SessionCookie, signed_in: SignedIn) -> Response:
    # The name of who failed is not recorded: people type passwords into the wrong field.
    draft.actor, draft.actor_kind = signed_in.identity.principal.name, ActorKind.USER
    response = answer(Me.of(signed_in.identity))
    cookie.put(response, signed_in.token)
    return response


def _checks(services: Services) -> tuple[Check, ...]:
    found = services.health.report().checks
    return (
        Check(name="etcd", ok=found["etcd"] == "ok", detail=found["etcd"]),
        Check(name="mongodb", ok=found["mongodb"] == "ok", detail=found["mongodb"]),
    )
