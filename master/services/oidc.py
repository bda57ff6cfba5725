"""Signing in with an identity provider (OpenID Connect, authorisation code with PKCE)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from common.domain.errors import BadCredentials
from common.runtime.clock import new_token
from master.domain.accounts import ExternalIdentity
from master.domain.oidc import Errand, identity_of, safe_back
from master.domain.rights import Grant


class Provider(Protocol):
    """
    Raises (every method):
        StoreUnavailable: The provider does not answer.
    """

    async def address(self, errand: Errand, redirect_uri: str) -> str:
        """Where the browser is sent."""
        ...

    async def claims(self, code: str, errand: Errand, redirect_uri: str) -> Mapping[str, Any]:
        """What is proved about whoever brought *code*; raises BadCredentials when nothing is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """
    The provider of this installation.

    Attributes:
        name: What stands on the button.
        roles: What membership in a group gives here; other groups give nothing.
    """

    provider: Provider
    name: str
    groups_claim: str
    roles: Mapping[str, Grant]

    async def begin(self, back: str | None, redirect_uri: str) -> tuple[Errand, str]:
        """A new errand for the browser's cookie, and where to send the browser."""
        errand = Errand(new_token(), new_token(), new_token(48), safe_back(back))
        return errand, await self.provider.address(errand, redirect_uri)

    async def finish(
        self, errand: Errand | None, state: str | None, code: str | None, redirect_uri: str
    ) -> ExternalIdentity:
        """
        Who came back.

        Raises:
            BadCredentials: This browser did not ask, the provider refused, or its token does not count.
            NotAllowed: None of their groups has a role here.
            StoreUnavailable: The provider does not answer.
        """
        if errand is None or state is None or not hmac.compare_digest(errand.state.encode(), state.encode()):
            raise BadCredentials("this sign-in was not begun in this browser, or too long ago: begin again")
        if not code:
            raise BadCredentials("the identity provider did not let you in")
        claims = await self.provider.claims(code, errand, redirect_uri)
        return identity_of(claims, self.groups_claim, self.roles)
