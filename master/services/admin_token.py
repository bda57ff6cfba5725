"""The admin token: kept in a file that only its owner reads, known to the other masters as a digest.

All masters accept the token of each: every master leaves the SHA-256 of its own below `/cron/admin-tokens/`,
under the name of its host and file, on a lease of a week that is renewed each day. Deleting the file and
starting the master anew replaces the token everywhere at once. A digest of 256 random bits cannot be turned
back, and whoever may write there may write jobs as well.
"""

import asyncio
import hashlib
import hmac
import os
import stat
from pathlib import Path
from typing import Final

import structlog

from common.domain.codec import StoredValue
from common.domain.errors import ConfigError, CorruptValue
from common.domain.keys import Keyspace
from common.kv.feed import Feed
from common.kv.port import KeyValueStore
from common.kv.values import Put
from common.runtime.clock import new_token
from common.runtime.retrying import background_loop

log = structlog.get_logger()

PREFIX: Final = "et_admin_"
_LEASE_S: Final = 7 * 86_400
_RENEW_EVERY_S: Final = 86_400
_SHORTEST: Final = 24


class KnownToken(StoredValue):
    """The digest of a master's admin token."""

    sha256: str
    holder: str


def read_or_create_token(path: Path) -> str:
    """
    The token in *path*; a new one is written there when the file does not exist.

    Raises:
        ConfigError: The file cannot be read or written, others can read it, or it holds no token.
    """
    try:
        _create(path)
    except OSError as error:
        raise _unusable(path, error) from error
    return read_token(path)


def read_token(path: Path) -> str:
    """The token in *path*, which must exist; raises ConfigError like `read_or_create_token`."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from error
    if mode & 0o077:
        raise ConfigError(
            f"adminTokenFile: {path} can be read by others (mode {mode:04o}): chmod 600 it, and delete it "
            "instead when somebody may have read it",
            key="adminTokenFile",
        )
    if len(token) < _SHORTEST or not token.isprintable() or " " in token:
        raise ConfigError(
            f"adminTokenFile: {path} holds no token of at least {_SHORTEST} characters in one line: "
            "delete it, and the next start makes one",
            key="adminTokenFile",
        )
    return token


def _unusable(path: Path, error: Exception) -> ConfigError:
    reason = (getattr(error, "strerror", None) or "is not text").lower()
    return ConfigError(f"adminTokenFile: {path}: {reason}", key="adminTokenFile")


def _create(path: Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written beside and linked into place: of two masters that start at once one wins, and nobody ever reads
    # half a token.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{PREFIX}{new_token()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
        log.info("admin_token.created", path=str(path))
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


class AdminTokens:
    """Which admin tokens are accepted: our own, and those the other masters have published."""

    def __init__(self, token: str, holder: str, store: KeyValueStore, keyspace: Keyspace, feed: Feed) -> None:
        self._own = _digest(token)
        self._holder = holder
        self._store = store
        self._key = f"{keyspace.admin_tokens}{hashlib.sha256(holder.encode()).hexdigest()[:32]}"
        self._feed = feed
        self._published: dict[str, str] = {}

    def accept(self, token: str) -> bool:
        """Whether *token* is one of ours; takes the same time for every wrong one."""
        given = _digest(token)
        matches = [hmac.compare_digest(given, known) for known in (self._own, *self._published.values())]
        return any(matches)

    async def run(self) -> None:
        """Follow what the masters publish, for ever."""
        async for event in self._feed.events():
            for change in event.changes:
                if change.deleted:
                    self._published.pop(change.key, None)
                    continue
                try:
                    self._published[change.key] = KnownToken.decode(change.key, change.kv.value).sha256
                except CorruptValue as error:
                    self._published.pop(change.key, None)
                    log.warning("admin_token.unreadable", key=change.key, reason=str(error))

    async def publish(self) -> None:
        """Keep our own digest where the others look, for ever."""
        value = KnownToken(sha256=self._own, holder=self._holder).encode()
        while True:
            async for attempt in background_loop("admin_token.publish"):
                with attempt:
                    lease = await self._store.grant(_LEASE_S)
                    await self._store.txn(puts=[Put(self._key, value, lease.id)])
            await asyncio.sleep(_RENEW_EVERY_S)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
