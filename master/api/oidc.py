"""Routes of signing in with an identity provider: there and back, both by redirect of a browser.

Not in the description of the API: no program calls them.
"""

import base64
import json
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse

from common.domain.errors import CronError, NotFound
from master.api.audited import Draft, DraftDep, audited
from master.api.deps import Services, ServicesDep
from master.api.errors import code_of
from master.api.people_schemas import RoleGrant
from master.api.session_cookie import SessionCookieDep
from master.domain.accounts import Account
from master.domain.audit import Action, ActorKind, Outcome
from master.domain.oidc import Errand, safe_back
from master.services.accounts import Adopted
from master.services.oidc import Oidc
from master.services.sign_in import Browser

router = APIRouter(prefix="/api/v1/auth/oidc", tags=["People"])

_CALLBACK: Final = "/api/v1/auth/oidc/callback"
_ERRAND_LIFE_S: Final = 600
_LONGEST_COOKIE: Final = 4096


@router.get(
    "/start",
    include_in_schema=False,
)
async def oidc_start(
    request: Request,
    services: ServicesDep,
    cookie: SessionCookieDep,
    back: Annotated[str | None, Query(max_length=512, description="Path to come back to.")] = None,
) -> Response:
    """Sends the browser to the provider; only paths of this dashboard are gone back to."""
    secure = cookie.is_secure
    errand, address = await _oidc(services).begin(back, _redirect_uri(request, secure))
    response = RedirectResponse(address, 302)
    # Lax and not Strict: the provider's redirect comes from another site and must bring it along.
    response.set_cookie(
        _cookie_name(secure),
        _packed(errand),
        max_age=_ERRAND_LIFE_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(
    "/callback",
    dependencies=[audited(Action.AUTH_OIDC)],
    include_in_schema=False,
)
async def oidc_callback(
    request: Request,
    services: ServicesDep,
    cookie: SessionCookieDep,
    draft: DraftDep,
    state: Annotated[str | None, Query(max_length=512)] = None,
    code: Annotated[str | None, Query(max_length=4096)] = None,
) -> Response:
    """Starts a session and goes on to the dashboard; what went wrong is a code at the sign-in page."""
    secure = cookie.is_secure
    headers = Headers(scope=request.scope)
    errand = _unpacked(cookie_parser(headers.get("cookie", "")).get(_cookie_name(secure), ""))
    oidc = _oidc(services)
    try:
        identity = await oidc.finish(errand, state, code, _redirect_uri(request, secure))
        browser = Browser(request.state.client, cookie.read(headers))
        signed_in = await services.people.sign_in.with_identity(identity, browser)
    except CronError as error:
        reason = str(error.details.get("code", code_of(error)))
        draft.outcome, draft.detail = Outcome.REFUSED, str(error)
        response: Response = RedirectResponse(f"/login?{urlencode({'error': reason})}", 302)
    else:
        draft.actor, draft.actor_kind = identity.name, ActorKind.USER
        if signed_in.adopted:
            _note_roles(draft, signed_in.adopted)
        response = RedirectResponse(errand.back if errand else "/", 302)
        cookie.put(response, signed_in.token)
    # One answer for each errand: a code that comes a second time finds nothing.
    response.delete_cookie(_cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax")
    return response


def _oidc(services: Services) -> Oidc:
    if services.people.oidc is None:
        raise NotFound("no identity provider is configured", code="oidc_not_configured")
    return services.people.oidc


def _note_roles(draft: Draft, adopted: Adopted) -> None:
    """Into the audit trail: roles that are other ones today, and one that was kept against the groups."""
    before = adopted.before
    if before is None or before.grants != adopted.account.grants:
        draft.changed(_roles(before) if before else None, _roles(adopted.account))
    if adopted.kept_admin:
        draft.detail = "their groups no longer make them administrator: kept, because there is no other one"


def _roles(account: Account) -> dict[str, object]:
    return {"roles": [RoleGrant.of(grant).model_dump(mode="json") for grant in account.grants]}


def _redirect_uri(request: Request, secure: bool) -> str:
    # The provider accepts only addresses that were registered with it, so a forged Host leads nowhere.
    host = request.headers.get("host", "")
    return f"{'https' if secure else 'http'}://{host}{_CALLBACK}"


def _cookie_name(secure: bool) -> str:
    return "__Host-everytick_oidc" if secure else "everytick_oidc"


def _packed(errand: Errand) -> str:
    text = json.dumps([errand.state, errand.nonce, errand.verifier, errand.back])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _unpacked(text: str) -> Errand | None:
    if not text or len(text) > _LONGEST_COOKIE:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        state, nonce, verifier, back = parts
    except (ValueError, TypeError, RecursionError):
        return None
    if not all(isinstance(part, str) and part for part in (state, nonce, verifier, back)):
        return None
    return Errand(state, nonce, verifier, safe_back(back))
