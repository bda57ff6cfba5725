"""What the adapters of accounts and credentials share: names, indexes, and how a call fails.

While MongoDB is known to be away calls fail at once. Sessions, set-up tokens and tries go by a TTL index;
whoever reads them checks the time as well, because that index is a minute late.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from common.domain.errors import StoreUnavailable
from common.domain.records import Document
from common.mongo.client import unavailable
from common.runtime.clock import Clock
from master.domain.rights import Grant, Role

USERS: Final = "users"
SESSIONS: Final = "sessions"
API_TOKENS: Final = "api_tokens"
SETUP_TOKENS: Final = "setup_tokens"
SIGN_IN_TRIES: Final = "sign_in_tries"
ACCOUNT_LOCK: Final = "account_lock"
_EXPIRY: Final = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)
INDEXES: Final = {
    SESSIONS: (IndexModel([("user", ASCENDING)], name="user"), _EXPIRY),
    API_TOKENS: (IndexModel([("owner", ASCENDING), ("created_at", ASCENDING)], name="owner"),),
    SETUP_TOKENS: (_EXPIRY,),
    SIGN_IN_TRIES: (_EXPIRY,),
}
LIMIT_MS: Final = 3_000


async def ensure_account_schema(database: AsyncDatabase[Document]) -> None:
    """Make the indexes that are missing; repeating it changes nothing."""
    try:
        for name, indexes in INDEXES.items():
            await database[name].create_indexes(list(indexes))
    except PyMongoError as error:
        raise unavailable(error) from error


class MongoCalls:
    """Base of both adapters."""

    def __init__(
        self, database: AsyncDatabase[Document], clock: Clock, is_connected: Callable[[], bool]
    ) -> None:
        self._database = database
        self._clock = clock
        self._is_connected = is_connected

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        if not self._is_connected():
            raise StoreUnavailable(
                "accounts cannot be read at present: MongoDB does not answer", store="mongodb"
            )
        try:
            yield
        except DuplicateKeyError:
            raise
        except PyMongoError as error:
            raise unavailable(error) from error


def grant_document(grant: Grant) -> Document:
    """A grant as it is stored."""
    namespaces = None if grant.namespaces is None else sorted(grant.namespaces)
    return {"role": grant.role.value, "namespaces": namespaces}


def grant_of(document: Mapping[str, Any]) -> Grant:
    """The grant of a stored document."""
    namespaces = document["namespaces"]
    return Grant(Role(document["role"]), None if namespaces is None else frozenset(namespaces))
