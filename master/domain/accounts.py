"""Accounts, sessions and API tokens as values: what they hold, and when they count.

Pure. Secrets are not here: a session and a token are known by digests only, a password by its hash.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from master.domain.rights import Grant, PrincipalKind, Role

USER_NAME_PATTERN: Final = r"[a-z0-9][a-z0-9._@+-]{0,63}"
IDLE_LIMIT: Final = timedelta(minutes=30)
SESSION_LIMIT: Final = timedelta(hours=12)
#: Signs of life are written down this often, not with every request.
NOTE_EVERY: Final = timedelta(minutes=1)


class Source(StrEnum):
    """Where somebody's identity comes from."""

    LOCAL = "local"
    """A password kept here."""
    OIDC = "oidc"
    """An identity provider; there is no password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in. `password_hash` is None for an identity kept elsewhere."""

    name: str
    display_name: str
    grants: tuple[Grant, ...]
    enabled: bool
    source: Source
    created_at: datetime
    created_by: str
    password_hash: str | None = None
    password_changed_at: datetime | None = None
    last_login_at: datetime | None = None

    @property
    def can_administer(self) -> bool:
        """Enabled, and admin of everything: of these one must remain."""
        return self.enabled and Grant(Role.ADMIN) in self.grants


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentity:
    """Whom an identity provider has vouched for, and what their groups mean here."""

    name: str
    display_name: str
    grants: tuple[Grant, ...]
    source: Source = Source.OIDC


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in. `id` is the SHA-256 of what the browser keeps."""

    id: str
    user: str
    created_at: datetime
    seen_at: datetime
    client: str = ""

    @property
    def ends_at(self) -> datetime:
        """When it ends if nothing more is asked; never later than the absolute limit."""
        return min(self.seen_at + IDLE_LIMIT, self.created_at + SESSION_LIMIT)

    def is_live(self, now: datetime) -> bool:
        return now < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """
    A credential for programs.

    Attributes:
        sha256: Of its secret part.
        owner_kind: ADMIN_TOKEN for one made with the admin token: no account stands behind it.
    """

    id: str
    name: str
    owner: str
    owner_kind: PrincipalKind
    sha256: str
    grant: Grant
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


def intersection(grant: Grant, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """What is left of *grant* when its owner has *grants* today: rights are not kept in tokens."""
    left: list[Grant] = []
    for other in grants:
        role = min(grant.role, other.role, key=lambda found: len(found.rights))
        if grant.namespaces is None or other.namespaces is None:
            where = other.namespaces if grant.namespaces is None else grant.namespaces
        else:
            where = grant.namespaces & other.namespaces
        if where is None or where:
            left.append(Grant(role, where))
    return tuple(left)
