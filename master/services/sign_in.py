"""Signing in: with a password, with the set-up token, or vouched for by an identity provider."""

from dataclasses import dataclass, replace

import structlog

from common.domain.errors import BadCredentials
from master.domain.accounts import Account, ExternalIdentity
from master.services.accounts import Accounts, Adopted
from master.services.identities import Identity, of_session
from master.services.sessions import Sessions
from master.services.setup import Setup
from master.services.sign_in_throttle import SignInThrottle

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """
    Attributes:
        token: For the browser's cookie, and nowhere else.
        adopted: What became of the account of somebody who came from an identity provider.
    """

    token: str
    identity: Identity
    adopted: Adopted | None = None


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in comes from; `old_token` is the cookie it sent, whose session ends."""

    address: str
    old_token: str | None = None


class SignIn:
    """
    Raises (every method):
        StoreUnavailable: MongoDB is away; only the admin token works then.
    """

    def __init__(
        self, accounts: Accounts, sessions: Sessions, setup: Setup, throttle: SignInThrottle
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._setup = setup
        self._throttle = throttle

    async def with_password(self, name: str, password: str, browser: Browser) -> SignedIn:
        """
        Sign in.

        Raises:
            BadCredentials: Name or password is wrong, or the account is disabled.
            Throttled: Too many tries for this name or from this address.
        """
        counted = await self._throttle.begin(name, browser.address)
        try:
            account = await self._accounts.verify(name, password)
        except BadCredentials:
            # Not the name: people type passwords into the wrong field.
            log.warning("auth.refused", client=browser.address)
            raise
        await self._throttle.succeeded(counted)
        return await self._started(account, browser)

    async def with_setup_token(
        self, token: str, name: str, password: str, display_name: str, browser: Browser
    ) -> SignedIn:
        """Make the first administrator and sign them in; raises what `Setup.make_first` does."""
        account = await self._setup.make_first(token, name, password, display_name)
        return await self._started(account, browser)

    async def with_identity(self, identity: ExternalIdentity, browser: Browser) -> SignedIn:
        """
        Sign in somebody an identity provider has vouched for; their rights are those of *identity*.

        Raises:
            UserExists: A local account has that name.
            BadCredentials: The account is disabled.
        """
        adopted = await self._accounts.adopt(identity)
        return replace(await self._started(adopted.account, browser), adopted=adopted)

    async def change_password(self, identity: Identity, current: str, new: str, address: str) -> None:
        """
        Change one's own password; all other sessions end.

        Raises:
            BadCredentials: *current* is wrong.
            Throttled: Too many tries.
            InvalidInput: *new* breaks a rule.
        """
        name = identity.principal.name
        counted = await self._throttle.begin(name, address)
        await self._accounts.verify(name, current)
        await self._throttle.succeeded(counted)
        session = identity.session
        await self._accounts.set_password(name, new, but_session=session.id if session else None)

    async def _started(self, account: Account, browser: Browser) -> SignedIn:
        if browser.old_token:
            await self._sessions.end(browser.old_token)
        token, session = await self._sessions.start(account.name, browser.address)
        log.info("auth.signed_in", user=account.name, client=browser.address)
        return SignedIn(token, of_session(account, session, token))
