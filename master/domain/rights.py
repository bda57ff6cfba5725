"""Who may do what: rights, the roles that hold them, and the principal a request comes from.

Pure. Every route names one right; a principal has it in the namespaces its grants name, or in all. Denied
unless allowed: a route that names no right does not pass the walk in `tests/integration/test_rights_walk.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """What a route needs; each is granted by itself, none includes another."""

    SEE = "see"
    """Look at jobs, history, output and workers."""
    OPERATE = "operate"
    """Run, kill, enable and disable."""
    EDIT = "edit"
    """Create, change and delete jobs, that is, decide which commands run."""
    ADMINISTER = "administer"
    """Accounts, workers, the installation itself."""


class Role(StrEnum):
    """What people are given: each holds the rights of the one before and one more."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"

    @property
    def rights(self) -> frozenset[Right]:
        return _RIGHTS[self]


_RIGHTS: Final = {
    Role.VIEWER: frozenset({Right.SEE}),
    Role.OPERATOR: frozenset({Right.SEE, Right.OPERATE}),
    Role.EDITOR: frozenset({Right.SEE, Right.OPERATE, Right.EDIT}),
    Role.ADMIN: frozenset(Right),
}


class PrincipalKind(StrEnum):
    """What the credential of a request was."""

    USER = "user"
    """Somebody who signed in."""
    TOKEN = "token"  # noqa: S105 - a kind, not a password
    """An API token that somebody made."""
    ADMIN_TOKEN = "admin_token"  # noqa: S105
    """The token of a master's `adminTokenFile`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, in certain namespaces; None means in every one, also in those to come."""

    role: Role
    namespaces: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Whoever sent a request, after the credential was checked.

    Attributes:
        name: Stands in `changed_by` and `requested_by`.
    """

    name: str
    kind: PrincipalKind
    grants: tuple[Grant, ...]

    def may(self, right: Right, namespace: str | None) -> bool:
        """Whether it has *right* in *namespace*; for None, in every one."""
        allowed = self.namespaces(right)
        return allowed is None or (namespace is not None and namespace in allowed)

    def namespaces(self, right: Right) -> frozenset[str] | None:
        """Where it has *right*: None is everywhere, the empty set nowhere."""
        return _union(grant.namespaces for grant in self.grants if right in grant.role.rights)

    def within(self, right: Right, namespace: str | None) -> tuple[str, ...] | None:
        """
        What a list may show: the *namespace* that is asked for as far as *right* reaches, sorted.

        None filters nothing. A foreign namespace leaves nothing, as one that does not exist would.
        """
        allowed = self.namespaces(right)
        if namespace is None:
            return None if allowed is None else tuple(sorted(allowed))
        return (namespace,) if allowed is None or namespace in allowed else ()

    def covers(self, grant: Grant) -> bool:
        """Whether every right of *grant* is one this principal has itself, in each of its namespaces."""
        where: Iterable[str | None] = (None,) if grant.namespaces is None else grant.namespaces
        return all(self.may(right, namespace) for right in grant.role.rights for namespace in where)


def administrator(name: str) -> Principal:
    """The principal of an admin token: every right there is, everywhere."""
    return Principal(name, PrincipalKind.ADMIN_TOKEN, (Grant(Role.ADMIN),))


def _union(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for part in parts:
        if part is None:
            return None
        found |= part
    return found
