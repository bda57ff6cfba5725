"""What the routes of people take and answer."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from common.domain.ids import Name
from common.domain.job import Text
from master.api.schemas import Page, Schema
from master.domain.accounts import USER_NAME_PATTERN, Account, ApiToken, Source
from master.domain.passwords import LONGEST, SHORTEST
from master.domain.rights import Grant, Principal, PrincipalKind, Right, Role
from master.services.identities import Identity

_WORDS_OF_THE_API: Final = frozenset({"list", "save"})


def _checked_user_name(name: str) -> str:
    if name in _WORDS_OF_THE_API:
        raise ValueError(f"{name!r} is a word of the API; choose another name")
    return name


UserName = Annotated[
    str, StringConstraints(pattern=f"^{USER_NAME_PATTERN}$"), AfterValidator(_checked_user_name)
]
#: Longer ones are refused by the rule that says so; this only bounds what is looked at.
Password = Annotated[str, Field(max_length=8 * LONGEST)]
DisplayName = Annotated[Text, Field(max_length=128)]
Namespaces = Annotated[
    list[Name] | None, Field(min_length=1, max_length=256, description="Null means every namespace.")
]
_MOST_ROLES: Final = 64


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoleGrant(Schema):
    """A role, and where it counts."""

    role: Role
    namespaces: Namespaces = None

    @classmethod
    def of(cls, grant: Grant) -> "RoleGrant":
        where = None if grant.namespaces is None else sorted(grant.namespaces)
        return cls(role=grant.role, namespaces=where)

    def grant(self) -> Grant:
        return Grant(self.role, None if self.namespaces is None else frozenset(self.namespaces))


class RightReach(Schema):
    """A right, and where it reaches."""

    right: Right
    namespaces: Annotated[list[str] | None, Field(description="Null means every namespace.")] = None


class Me(Schema):
    """Whoever asks."""

    name: str
    display_name: str
    kind: PrincipalKind
    roles: list[RoleGrant]
    rights: Annotated[list[RightReach], Field(description="A right that is not listed is nowhere.")]
    csrf_token: Annotated[
        str | None, Field(description="Send it as `X-CSRF-Token` with every change; null for tokens.")
    ] = None
    session_expires_at: datetime | None = None
    source: Source | None = None

    @classmethod
    def of(cls, identity: Identity) -> "Me":
        principal = identity.principal
        return cls(
            name=principal.name,
            display_name=identity.display_name,
            kind=principal.kind,
            roles=[RoleGrant.of(grant) for grant in principal.grants],
            rights=_rights(principal),
            csrf_token=identity.csrf_token,
            session_expires_at=identity.session_ends_at,
            source=identity.source,
        )


class Check(Schema):
    """One thing that must be well before the first account can be made."""

    name: Literal["etcd", "mongodb", "clock"]
    ok: bool
    detail: str


class OidcStart(Schema):
    """Signing in with an identity provider."""

    name: str
    start: str


class AuthState(Schema):
    """What the sign-in page needs to know."""

    setup_needed: Annotated[
        bool | None,
        Field(description="Null: not known, because MongoDB does not answer; nobody can sign in meanwhile."),
    ]
    signed_in: bool
    server_time: Annotated[
        datetime, Field(description="The master's clock, for a browser to compare its own with.")
    ]
    oidc: OidcStart | None = None
    password_min: int = SHORTEST
    checks: Annotated[tuple[Check, ...], Field(description="Empty once there surely is an account.")] = ()


class SetupTokenAnswer(Schema):
    """Good for making the first account, once."""

    token: str
    expires_at: datetime
    path: Annotated[str, Field(description="Of the dashboard; it takes the token.")]


class SetupBody(_Body):
    """The first account."""

    token: Annotated[str, Field(max_length=128)]
    username: UserName
    password: Password
    display_name: DisplayName | None = None


class LoginBody(_Body):
    """Who signs in."""

    username: Annotated[str, Field(max_length=128)]
    password: Password


class PasswordBody(_Body):
    """One's own new password."""

    current: Password
    new: Password


class NewPasswordBody(_Body):
    """Somebody's new password."""

    new: Password


class UserBody(_Body):
    """What a user is to be."""

    name: UserName
    display_name: DisplayName = ""
    roles: Annotated[list[RoleGrant], Field(max_length=_MOST_ROLES)]
    password: Annotated[
        Password | None, Field(description="Required for a new user; left out, it stays as it is.")
    ] = None
    enabled: Annotated[bool | None, Field(description="Left out, it stays as it is.")] = None


class User(Schema):
    """An account."""

    name: str
    display_name: str
    roles: list[RoleGrant]
    enabled: bool
    source: Source
    created_at: datetime
    created_by: str
    last_login_at: datetime | None = None
    password_changed_at: datetime | None = None
    sessions: Annotated[int, Field(description="How many times this user is signed in.")]

    @classmethod
    def of(cls, account: Account, sessions: int) -> "User":
        return cls(
            name=account.name,
            display_name=account.display_name,
            roles=[RoleGrant.of(grant) for grant in account.grants],
            enabled=account.enabled,
            source=account.source,
            created_at=account.created_at,
            created_by=account.created_by,
            last_login_at=account.last_login_at,
            password_changed_at=account.password_changed_at,
            sessions=sessions,
        )


class UserPage(Page[User]):
    """Users by name."""


class SessionsEnded(Schema):
    """How many sessions were ended."""

    ended: int


class TokenBody(_Body):
    """What a new token may do, and for how long."""

    name: Annotated[Text, Field(min_length=1, max_length=128, description="For people.")]
    role: Role
    namespaces: Namespaces = None
    expires_in_days: Annotated[int | None, Field(ge=1, le=3650, description="Null: it does not end.")] = 90

    def grant(self) -> Grant:
        return Grant(self.role, None if self.namespaces is None else frozenset(self.namespaces))


class TokenInfo(Schema):
    """An API token without its secret."""

    id: str
    name: str
    owner: str
    role: Role
    namespaces: list[str] | None = None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: Annotated[datetime | None, Field(description="To the minute.")] = None
    expired: bool

    @classmethod
    def of(cls, token: ApiToken, now: datetime) -> "TokenInfo":
        shown = RoleGrant.of(token.grant)
        return cls(
            id=token.id,
            name=token.name,
            owner=token.owner,
            role=shown.role,
            namespaces=shown.namespaces,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            expired=token.is_expired(now),
        )


class TokenPage(Page[TokenInfo]):
    """Tokens, oldest first."""


class NewToken(Schema):
    """A new token: its text is shown this once."""

    token: Annotated[str, Field(description="`et_<id>_<secret>`; nobody can show it again.")]
    info: TokenInfo


def _rights(principal: Principal) -> list[RightReach]:
    reaches = [(right, principal.namespaces(right)) for right in Right]
    return [
        RightReach(right=right, namespaces=None if where is None else sorted(where))
        for right, where in reaches
        if where is None or where
    ]
