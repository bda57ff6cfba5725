"""Who may do what: the rights a route asks for and the principal that has them.

Pure. Every route names one right; a principal has a set of them. Denied unless allowed: a route that names
none does not pass the walk in `tests/unit/test_master_rights.py`.
"""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Whoever sent a request, after the credential was checked.

    Attributes:
        name: Stands in `changed_by` and `requested_by`.
        rights: What it may do, in every namespace.
    """

    name: str
    rights: frozenset[Right]

    def may(self, right: Right) -> bool:
        return right in self.rights


def administrator(name: str) -> Principal:
    """A principal with every right there is."""
    return Principal(name, frozenset(Right))
