"""Signing in with an identity provider: what its claims mean here, and where a browser may go afterwards.

Pure. Who somebody is has been proved before; this decides the name and the rights.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from common.domain.errors import NotAllowed
from common.domain.ids import NAME_PATTERN
from master.domain.accounts import USER_NAME_PATTERN, ExternalIdentity
from master.domain.rights import Grant, Role

_NAMESPACE: Final = re.compile(NAME_PATTERN)
_USER: Final = re.compile(USER_NAME_PATTERN)
_LONGEST_BACK: Final = 512


@dataclass(frozen=True, slots=True)
class Errand:
    """
    One sign-in under way, kept in the browser's cookie.

    Attributes:
        state: Comes back from the provider unchanged: the answer belongs to this browser.
        nonce: Stands in the signed token: it was made for this sign-in.
        verifier: Proves to the provider that who fetches the token is who asked (PKCE).
        back: Path of the dashboard to go to afterwards.
    """

    state: str
    nonce: str
    verifier: str
    back: str


def safe_back(path: str | None) -> str:
    """*path* if it stays at this address, else the start page: no other host, in any disguise."""
    if not path or len(path) > _LONGEST_BACK or not path.isascii() or not path.isprintable():
        return "/"
    # Browsers read `//host` and `/\host` as another host.
    return path if path[0] == "/" and path[1:2] not in ("/", "\\") and "\\" not in path else "/"


def grant_of_text(text: str) -> Grant:
    """
    `editor:shop,mail` as a grant; without namespaces everywhere.

    Raises:
        ValueError: It is no role, or a namespace is no name.
    """
    role, colon, places = text.partition(":")
    if not colon:
        return Grant(Role(role))
    namespaces = frozenset(place.strip() for place in places.split(","))
    wrong = [place for place in namespaces if not _NAMESPACE.fullmatch(place)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no namespace")
    return Grant(Role(role), namespaces)


def identity_of(claims: Mapping[str, Any], groups_claim: str, roles: Mapping[str, Grant]) -> ExternalIdentity:
    """
    Whom *claims* describe.

    Raises:
        NotAllowed: None of their groups has a role here, or there is no name to call them by.
    """
    groups = claims.get(groups_claim)
    if isinstance(groups, str):
        groups = [groups]
    names = [group for group in groups if isinstance(group, str)] if isinstance(groups, list) else []
    grants = tuple(dict.fromkeys(roles[group] for group in names if group in roles))
    if not grants:
        raise NotAllowed("none of your groups has a role here: ask an administrator", code="no_role")
    name = _name_in(claims)
    shown = claims.get("name")
    return ExternalIdentity(
        name=name, display_name=shown[:128] if isinstance(shown, str) and shown else name, grants=grants
    )


def _name_in(claims: Mapping[str, Any]) -> str:
    candidates = [claims.get("preferred_username")]
    # An address nobody has confirmed may be anybody's.
    if claims.get("email_verified") is True:
        candidates.append(claims.get("email"))
    candidates.append(claims.get("sub"))
    for candidate in candidates:
        if isinstance(candidate, str) and _USER.fullmatch(candidate.lower()):
            return candidate.lower()
    raise NotAllowed("the identity provider gives no name that can be used here", code="no_name")
