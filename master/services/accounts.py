"""Accounts: who may sign in, and what they may do. Changes go one at a time over all masters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from common.domain.errors import BadCredentials, Conflict, InvalidInput, LastAdmin, UserExists, UserNotFound
from common.runtime.clock import Clock
from master.accounts_port import AccountStore
from master.domain.accounts import Account, ExternalIdentity, Source
from master.domain.passwords import broken_rule
from master.domain.rights import Grant, Role
from master.services.api_tokens import ApiTokens
from master.services.brief_cache import BriefCache
from master.services.password_hashing import PasswordHashing
from master.services.sessions import Sessions

log = structlog.get_logger()
_NO_PASSWORD: Final = "this user signs in elsewhere and has no password here"  # noqa: S105 - a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """What an account is to be; `enabled` and `password` stay as they are when they are None."""

    name: str
    display_name: str
    grants: tuple[Grant, ...]
    enabled: bool | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """
    The account of somebody an identity provider vouches for.

    Attributes:
        kept_admin: Their groups would have taken from them what only they have: they stay administrator.
    """

    account: Account
    before: Account | None
    kept_admin: bool = False


@dataclass(frozen=True, slots=True)
class AccountPage:
    accounts: list[Account]
    sessions: dict[str, int]
    total: int
    last_name: str | None
    """Name of the last one when there are more behind it."""


class Accounts:
    """
    Raises (every method):
        StoreUnavailable: MongoDB is away.
    """

    def __init__(
        self,
        store: AccountStore,
        sessions: Sessions,
        tokens: ApiTokens,
        hashing: PasswordHashing,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._tokens = tokens
        self._hashing = hashing
        self._clock = clock
        self._cache: BriefCache[Account] = BriefCache(clock)

    async def current(self, name: str) -> Account | None:
        """The account as it was a few seconds ago at most, for requests."""
        return await self._cache.get(name, self._store.account)

    async def exist(self) -> bool:
        """Whether there is any."""
        return await self._store.count_accounts() > 0

    async def get(self, name: str) -> Account:
        """The account as it is stored; raises UserNotFound."""
        account = await self._store.account(name)
        if account is None:
            raise UserNotFound(f"there is no user {name!r}")
        return account

    async def count_sessions(self, accounts: Sequence[Account]) -> dict[str, int]:
        """How many times each is signed in."""
        return await self._sessions.count([account.name for account in accounts])

    async def page(self, q: str | None, *, after: str | None, size: int) -> AccountPage:
        """Accounts whose names contain *q*, by name."""
        found = await self._store.accounts(q, after, size + 1)
        page = found[:size]
        return AccountPage(
            page,
            await self.count_sessions(page),
            await self._store.count_accounts(q),
            page[-1].name if len(found) > size else None,
        )

    async def save(self, change: AccountChange, *, changed_by: str, must_be_new: bool = False) -> Account:
        """
        Create or change an account; a new password or a disabling ends its sessions.

        Raises:
            UserExists: It must be new and is not.
            LastAdmin: No administrator would remain.
            InvalidInput: The password breaks a rule, is missing, or has no use.
        """
        if change.password is not None:
            check_password(change.password, change.name, field="password")
        async with self._store.exclusive():
            before = await self._store.account(change.name)
            if before is not None and must_be_new:
                raise UserExists(f"there is a user {change.name!r} already")
            after = await self._changed(before, change, changed_by)
            await self._put(before, after)
        if before is not None and (not after.enabled or change.password is not None):
            await self._sessions.end_all(after.name)
        log.info("user.saved", user=after.name, by=changed_by, is_new=before is None)
        return after

    async def put_first(self, account: Account) -> None:
        """Store the first account; the caller holds the lock."""
        await self._put(None, account)

    async def set_enabled(self, name: str, enabled: bool, *, changed_by: str) -> Account:
        """Let somebody in again, or shut them out: their sessions end, their tokens do not work."""
        async with self._store.exclusive():
            before = await self.get(name)
            after = replace(before, enabled=enabled)
            await self._put(before, after)
        if not enabled:
            await self._sessions.end_all(name)
        log.info("user.enabled" if enabled else "user.disabled", user=name, by=changed_by)
        return after

    async def delete(self, name: str, *, changed_by: str) -> None:
        """Delete an account with its sessions and tokens; raises UserNotFound, LastAdmin."""
        async with self._store.exclusive():
            before = await self.get(name)
            await self._check_last_admin(before, None)
            await self._store.delete_account(name)
            self._cache.clear()
        await self._sessions.end_all(name)
        await self._tokens.delete_all_of(name)
        log.info("user.deleted", user=name, by=changed_by)

    async def set_password(self, name: str, new: str, *, but_session: str | None = None) -> None:
        """Give a new password; all sessions end except the one of id *but_session*."""
        check_password(new, name, field="new")
        hashed = await self._hashing.hash(new)
        async with self._store.exclusive():
            before = await self.get(name)
            if before.source is not Source.LOCAL:
                raise Conflict(_NO_PASSWORD)
            now = self._clock.now()
            await self._put(before, replace(before, password_hash=hashed, password_changed_at=now))
        await self._sessions.end_all(name, but=but_session)
        log.info("user.password_changed", user=name)

    async def verify(self, name: str, password: str) -> Account:
        """
        The account of *name* when *password* is its own; as slow when there is none.

        Raises:
            BadCredentials: One of them is wrong, or the account is disabled.
            Throttled: Too many are being verified.
        """
        account = await self._store.account(name)
        stored = account.password_hash if account is not None else None
        if not await self._hashing.verify(stored, password) or account is None or not account.enabled:
            raise BadCredentials
        outdated = stored is not None and self._hashing.is_outdated(stored)
        renewed = await self._hashing.hash(password) if outdated else None
        await self._store.note_login(name, self._clock.now(), renewed)
        return account

    async def adopt(self, identity: ExternalIdentity) -> Adopted:
        """
        The account of somebody an identity provider vouches for, with the rights their groups give today.

        The last administrator stays one, whatever their groups say: nobody could put it right any more.

        Raises:
            UserExists: A local account has that name: it is somebody else's until an administrator says so.
            BadCredentials: The account is disabled.
        """
        async with self._store.exclusive():
            before = await self._store.account(identity.name)
            if before is not None and before.source is not identity.source:
                raise UserExists(f"{identity.name!r} is the name of a local user")
            if before is not None and not before.enabled:
                raise BadCredentials("this account is disabled")
            now = self._clock.now()
            after = Account(
                name=identity.name,
                display_name=identity.display_name,
                grants=identity.grants,
                enabled=True,
                source=identity.source,
                created_at=before.created_at if before else now,
                created_by=before.created_by if before else identity.source.value,
                last_login_at=now,
            )
            kept_admin = await self._is_last_admin_without(before, after)
            if kept_admin:
                after = replace(after, grants=(Grant(Role.ADMIN), *after.grants))
                log.warning("auth.last_admin_kept", user=after.name, action="make another administrator")
            await self._store.put_account(after)
            self._cache.clear()
        return Adopted(after, before, kept_admin)

    async def _changed(self, before: Account | None, change: AccountChange, changed_by: str) -> Account:
        hashed = await self._hashing.hash(change.password) if change.password is not None else None
        now = self._clock.now()
        if before is None:
            if hashed is None:
                raise InvalidInput("a new user needs a password", field="password", code="password_required")
            return Account(
                name=change.name,
                display_name=change.display_name,
                grants=change.grants,
                enabled=change.enabled is not False,
                source=Source.LOCAL,
                password_hash=hashed,
                password_changed_at=now,
                created_at=now,
                created_by=changed_by,
            )
        if hashed is not None and before.source is not Source.LOCAL:
            raise InvalidInput(_NO_PASSWORD, field="password")
        return replace(
            before,
            display_name=change.display_name,
            grants=change.grants,
            enabled=before.enabled if change.enabled is None else change.enabled,
            password_hash=hashed or before.password_hash,
            password_changed_at=now if hashed else before.password_changed_at,
        )

    async def _put(self, before: Account | None, after: Account) -> None:
        await self._check_last_admin(before, after)
        await self._store.put_account(after)
        self._cache.clear()

    async def _check_last_admin(self, before: Account | None, after: Account | None) -> None:
        if before is not None and await self._is_last_admin_without(before, after):
            raise LastAdmin(f"{before.name!r} is the last enabled user who may administer everything")

    async def _is_last_admin_without(self, before: Account | None, after: Account | None) -> bool:
        """Whether nobody would be left to administer everything, with *after* in place of *before*."""
        if before is None or not before.can_administer or (after is not None and after.can_administer):
            return False
        return await self._store.administrators() == [before.name]


def check_password(password: str, user_name: str, *, field: str) -> None:
    """Raise InvalidInput, with the broken rule as its code, for a password that is not good enough."""
    rule = broken_rule(password, user_name)
    if rule is not None:
        raise InvalidInput(rule.text, field=field, code=rule.code)
