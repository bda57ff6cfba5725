"""Routes of accounts: for those who administer everything."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from master.api import people_examples as examples
from master.api.audited import DraftDep, audited
from master.api.deps import Administrator, PageSize, PageToken, PreconditionDep, Services, ServicesDep
from master.api.people_schemas import NewPasswordBody, SessionsEnded, User, UserBody, UserPage
from master.api.problems import problems
from master.api.rendering import answer
from master.domain.accounts import USER_NAME_PATTERN, Account
from master.domain.audit import Action
from master.domain.keyset import decode_page_token, encode_page_token
from master.services.accounts import AccountChange

router = APIRouter(prefix="/api/v1/user", tags=["People"])

UserPath = Annotated[str, Path(pattern=f"^{USER_NAME_PATTERN}$", description="Name of the user.")]


@router.get("/list", summary="List users", response_model=UserPage, responses=problems())
async def list_users(
    _: Administrator,
    services: ServicesDep,
    # No NUL: MongoDB takes no pattern with one.
    q: Annotated[
        str | None,
        Query(max_length=128, pattern=r"^[^\x00]*$", description="What a name contains, in any case."),
    ] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Response:
    """Every account by name, without anything of its password."""
    identity: dict[str, object] = {"users": q}
    after = str(decode_page_token(identity, page_token, (str,))[0]) if page_token else None
    page = await services.people.accounts.page(q, after=after, size=page_size)
    return answer(
        {
            "items": [User.of(found, page.sessions.get(found.name, 0)) for found in page.accounts],
            "next_page_token": encode_page_token(identity, (page.last_name,)) if page.last_name else None,
            "total": {"count": page.total, "is_exact": True},
        }
    )


@router.get("/{name}", summary="Look at a user", response_model=User, responses=problems(404))
async def get_user(_: Administrator, services: ServicesDep, name: UserPath) -> Response:
    """One account."""
    return await _user(services, await services.people.accounts.get(name))


@router.post(
    "/save",
    dependencies=[audited(Action.USER_SAVE)],
    summary="Create or change a user",
    response_model=User,
    responses=problems(409, 413, 415),
)
async def save_user(
    principal: Administrator,
    services: ServicesDep,
    precondition: PreconditionDep,
    draft: DraftDep,
    body: Annotated[UserBody, Body(openapi_examples=examples.USER)],
) -> Response:
    """
    Saves the account as it is sent; password and `enabled` stay when they are left out.

    A new password and a disabling end its sessions. The last enabled administrator stays one.
    """
    change = AccountChange(
        name=body.name,
        display_name=body.display_name or body.name,
        grants=tuple(dict.fromkeys(role.grant() for role in body.roles)),
        enabled=body.enabled,
        password=body.password,
    )
    draft.about(body.name)
    before = await services.people.accounts.current(body.name)
    account = await services.people.accounts.save(
        change, changed_by=principal.name, must_be_new=precondition.must_be_new
    )
    draft.changed(
        _recorded(before) if before else None,
        {**_recorded(account), "has_new_password": body.password is not None},
    )
    return await _user(services, account)


@router.delete(
    "/{name}",
    dependencies=[audited(Action.USER_DELETE)],
    summary="Delete a user",
    status_code=204,
    response_class=Response,
    responses=problems(404, 409),
)
async def delete_user(principal: Administrator, services: ServicesDep, name: UserPath) -> Response:
    """Deletes the account with its sessions and API tokens; what it has done keeps its name."""
    await services.people.accounts.delete(name, changed_by=principal.name)
    return Response(status_code=204)


@router.post(
    "/{name}/password",
    dependencies=[audited(Action.USER_PASSWORD)],
    summary="Give a user a new password",
    status_code=204,
    response_class=Response,
    responses=problems(404, 409, 413, 415),
)
async def set_user_password(
    _: Administrator,
    services: ServicesDep,
    name: UserPath,
    body: Annotated[NewPasswordBody, Body(openapi_examples=examples.NEW_PASSWORD)],
) -> Response:
    """All sessions of the user end."""
    await services.people.accounts.set_password(name, body.new)
    return Response(status_code=204)


@router.post(
    "/{name}/disable",
    dependencies=[audited(Action.USER_DISABLE)],
    summary="Shut a user out",
    response_model=User,
    responses=problems(404, 409),
)
async def disable_user(principal: Administrator, services: ServicesDep, name: UserPath) -> Response:
    """Ends the sessions; neither password nor API tokens work until the user is enabled again."""
    account = await services.people.accounts.set_enabled(name, False, changed_by=principal.name)
    return await _user(services, account)


@router.post(
    "/{name}/enable",
    dependencies=[audited(Action.USER_ENABLE)],
    summary="Let a user in again",
    response_model=User,
    responses=problems(404),
)
async def enable_user(principal: Administrator, services: ServicesDep, name: UserPath) -> Response:
    """Password and API tokens work again; sessions that have ended stay so."""
    account = await services.people.accounts.set_enabled(name, True, changed_by=principal.name)
    return await _user(services, account)


@router.post(
    "/{name}/sign-out",
    dependencies=[audited(Action.USER_SIGN_OUT)],
    summary="Sign a user out",
    response_model=SessionsEnded,
    responses=problems(404),
)
async def sign_user_out(_: Administrator, services: ServicesDep, name: UserPath) -> Response:
    """Ends all sessions of the user; they can sign in again."""
    await services.people.accounts.get(name)
    return answer(SessionsEnded(ended=await services.people.sessions.end_all(name)))


async def _user(services: Services, account: Account) -> Response:
    sessions = await services.people.accounts.count_sessions([account])
    return answer(User.of(account, sessions.get(account.name, 0)))


def _recorded(account: Account) -> dict[str, object]:
    """What the audit trail shows of an account."""
    roles = [
        {"role": grant.role, "namespaces": sorted(grant.namespaces) if grant.namespaces is not None else None}
        for grant in account.grants
    ]
    return {"display_name": account.display_name, "roles": roles, "enabled": account.enabled}
