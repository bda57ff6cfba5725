"""Routes of signing in: the first account, sessions, one's own password."""

from typing import Annotated, Final

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

#: Farther apart, ticks of every second would not be those people expect.
_CLOCKS_APART_MS: Final = 1_000


@router.get("/state", summary="What the sign-in page needs to know", response_model=AuthState)
async def auth_state(request: Request, services: ServicesDep) -> Response:
    """Open to everybody: whether an account exists, how one can sign in, and what stands in the way."""
    oidc = services.people.oidc
    try:
        needed: bool | None = await services.people.setup.is_needed()
    except StoreUnavailable:
        # An installation without accounts cannot be told from one whose MongoDB is away.
        needed = None
    return answer(
        AuthState(
            setup_needed=needed,
            signed_in=request.state.principal is not None,
            server_time=services.clock.now(),
            oidc=OidcStart(name=oidc.name, start="/api/v1/auth/oidc/start") if oidc else None,
            checks=() if needed is False else await _checks(services, is_new=needed is True),
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


async def _checks(services: Services, *, is_new: bool) -> tuple[Check, ...]:
    found = services.health.report().checks
    if not is_new:
        # Whoever asks may be anybody, and why a server is away names hosts.
        found = {part: "ok" if text == "ok" else "does not answer" for part, text in found.items()}
    servers = [
        Check(name="etcd", ok=found["etcd"] == "ok", detail=found["etcd"]),
        Check(name="mongodb", ok=found["mongodb"] == "ok", detail=found["mongodb"]),
    ]
    return (*servers, await _clock_check(services)) if is_new else tuple(servers)


async def _clock_check(services: Services) -> Check:
    """The master's clock against MongoDB's; a browser compares its own with `server_time`."""
    try:
        offset_ms = await services.cluster.clock_offset_ms()
    except StoreUnavailable:
        return Check(name="clock", ok=False, detail="cannot be compared: MongoDB does not answer")
    side = "ahead of" if offset_ms > 0 else "behind"
    return Check(
        name="clock",
        ok=abs(offset_ms) <= _CLOCKS_APART_MS,
        detail=f"the master's is {abs(offset_ms) / 1000:.1f} s {side} MongoDB's",
    )
