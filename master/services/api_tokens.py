"""API tokens: `et_<id>_<secret>`, shown once, kept as a digest."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from common.domain.errors import StoreError, TokenNotFound
from common.runtime.clock import Clock, new_token, new_uid
from master.accounts_port import TokenStore
from master.domain.accounts import NOTE_EVERY, ApiToken
from master.domain.rights import Grant, PrincipalKind
from master.services.brief_cache import BriefCache

_FORM: Final = re.compile(r"et_([a-z0-9]{14})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes a token: whom it will belong to, and when the maker's own credential ends."""

    name: str
    kind: PrincipalKind
    until: datetime | None = None


class ApiTokens:
    """
    Raises (every method):
        StoreUnavailable: MongoDB is away, and the token was not used lately.
    """

    def __init__(self, store: TokenStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cache: BriefCache[ApiToken] = BriefCache(clock)

    async def create(
        self, maker: Maker, name: str, grant: Grant, expires_in_days: int | None
    ) -> tuple[str, ApiToken]:
        """
        A new token of *maker*; what it may do has been checked against the maker's rights.

        A token that is made with a token ends with it at the latest.
        """
        # As MongoDB keeps it: what is answered now is what is read later.
        now = in_milliseconds(self._clock.now())
        expires_at = now + timedelta(days=expires_in_days) if expires_in_days is not None else None
        if maker.until is not None and (expires_at is None or expires_at > maker.until):
            expires_at = maker.until
        token_id, secret = new_uid(), new_token()
        token = ApiToken(
            id=token_id,
            name=name,
            owner=maker.name,
            owner_kind=maker.kind,
            sha256=_digest(secret),
            grant=grant,
            created_at=now,
            expires_at=expires_at,
        )
        await self._store.add_api_token(token)
        return f"et_{token_id}_{secret}", token

    async def find(self, text: str) -> ApiToken | None:
        """The valid token that *text* is; its use is noted, at most once a minute."""
        parts = _FORM.fullmatch(text)
        if parts is None:
            return None
        token = await self._cache.get(parts[1], self._store.api_token)
        now = self._clock.now()
        if token is None or not hmac.compare_digest(token.sha256, _digest(parts[2])) or token.is_expired(now):
            return None
        if token.last_used_at is None or now - token.last_used_at >= NOTE_EVERY:
            self._cache.replace(token.id, replace(token, last_used_at=now))
            # A token works while MongoDB is away; when it was used last is told by the next use.
            with suppress(StoreError):
                await self._store.note_used(token.id, now)
        return token

    async def of(self, maker: Maker | None) -> Sequence[ApiToken]:
        """The tokens of *maker*, oldest first; everybody's for None."""
        if maker is None:
            return await self._store.api_tokens(None, None)
        return await self._store.api_tokens(maker.name, maker.kind)

    async def delete(self, token_id: str, maker: Maker | None) -> None:
        """
        Make a token invalid.

        Raises:
            TokenNotFound: There is none, or it is not one of *maker* (None: anybody's will do).
        """
        token = await self._store.api_token(token_id)
        is_theirs = maker is None or (
            token is not None and (token.owner, token.owner_kind) == (maker.name, maker.kind)
        )
        if token is None or not is_theirs:
            raise TokenNotFound(f"there is no API token {token_id!r}")
        await self._store.delete_api_token(token_id)
        self._cache.clear()

    async def delete_all_of(self, user: str) -> None:
        """Make every token of an account invalid."""
        await self._store.delete_api_tokens_of(user)
        self._cache.clear()


def in_milliseconds(instant: datetime) -> datetime:
    """*instant* without what MongoDB would cut off."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
