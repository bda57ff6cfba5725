"""Accounts in MongoDB; all masters share them. Typed values in and out."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from pymongo.errors import DuplicateKeyError

from common.domain.errors import Conflict
from common.domain.records import Document
from common.runtime.clock import new_nonce
from master.adapters.mongo_calls import ACCOUNT_LOCK, LIMIT_MS, USERS, MongoCalls, grant_document, grant_of
from master.domain.accounts import Account, Source
from master.domain.rights import Role

_LOCK_LIFE: Final = timedelta(seconds=15)
_LOCK_TRIES: Final = 100
_LOCK_PAUSE_S: Final = 0.05


class MongoAccounts(MongoCalls):
    """
    Raises (every method):
        StoreUnavailable: MongoDB cannot be reached.
    """

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """
        One change of accounts at a time, over all masters.

        "One administrator must remain" is about all documents at once, and a single server has no
        transactions. The lock ends by itself when its holder dies.

        Raises:
            Conflict: Others held it for too long.
        """
        holder = new_nonce()
        for _ in range(_LOCK_TRIES):
            if await self._lock(holder):
                break
            await asyncio.sleep(_LOCK_PAUSE_S)
        else:
            raise Conflict("another change of accounts is under way: try again")
        try:
            yield
        finally:
            async with self._call():
                await self._database[ACCOUNT_LOCK].delete_one({"_id": "accounts", "holder": holder})

    async def _lock(self, holder: str) -> bool:
        now = self._clock.now()
        async with self._call():
            try:
                await self._database[ACCOUNT_LOCK].update_one(
                    {"_id": "accounts", "until": {"$lt": now}},
                    {"$set": {"holder": holder, "until": now + _LOCK_LIFE}},
                    upsert=True,
                )
            except DuplicateKeyError:
                return False
        return True

    # Accounts

    async def account(self, name: str) -> Account | None:
        async with self._call():
            found = await self._database[USERS].find_one({"_id": name}, max_time_ms=LIMIT_MS)
        return _account(found) if found else None

    async def accounts(self, q: str | None, after: str | None, limit: int) -> list[Account]:
        """Accounts whose name or display name contains *q*, by name, behind *after*."""
        condition = _matching(q)
        if after is not None:
            condition = {"$and": [condition, {"_id": {"$gt": after}}]}
        async with self._call():
            cursor = self._database[USERS].find(condition, max_time_ms=LIMIT_MS).sort("_id").limit(limit)
            return [_account(found) async for found in cursor]

    async def count_accounts(self, q: str | None = None) -> int:
        async with self._call():
            return await self._database[USERS].count_documents(_matching(q), maxTimeMS=LIMIT_MS)

    async def administrators(self) -> list[str]:
        """Names of the enabled users who may administer everything."""
        condition = {"enabled": True, "roles": {"$elemMatch": {"role": Role.ADMIN.value, "namespaces": None}}}
        async with self._call():
            cursor = self._database[USERS].find(condition, {"_id": 1}, max_time_ms=LIMIT_MS)
            return [found["_id"] async for found in cursor]

    async def put_account(self, account: Account) -> None:
        """Store *account* as it is; call it inside `exclusive`."""
        async with self._call():
            await self._database[USERS].replace_one(
                {"_id": account.name}, _account_document(account), upsert=True
            )

    async def note_login(self, name: str, at: datetime, password_hash: str | None = None) -> None:
        """Keep when somebody signed in, and the hash anew when its parameters have changed."""
        fields: Document = {"last_login_at": at}
        if password_hash is not None:
            fields["password"] = password_hash
        async with self._call():
            await self._database[USERS].update_one({"_id": name}, {"$set": fields})

    async def delete_account(self, name: str) -> bool:
        async with self._call():
            gone = await self._database[USERS].delete_one({"_id": name})
        return gone.deleted_count == 1


def _matching(q: str | None) -> Document:
    if not q:
        return {}
    pattern = {"$regex": re.escape(q), "$options": "i"}
    return {"$or": [{"_id": pattern}, {"display_name": pattern}]}


def _account_document(account: Account) -> Document:
    return {
        "_id": account.name,
        "display_name": account.display_name,
        "roles": [grant_document(grant) for grant in account.grants],
        "enabled": account.enabled,
        "source": account.source.value,
        "password": account.password_hash,
        "password_changed_at": account.password_changed_at,
        "created_at": account.created_at,
        "created_by": account.created_by,
        "last_login_at": account.last_login_at,
    }


def _account(document: Document) -> Account:
    return Account(
        name=document["_id"],
        display_name=document["display_name"],
        grants=tuple(grant_of(role) for role in document["roles"]),
        enabled=document["enabled"],
        source=Source(document["source"]),
        password_hash=document["password"],
        password_changed_at=document["password_changed_at"],
        created_at=document["created_at"],
        created_by=document["created_by"],
        last_login_at=document["last_login_at"],
    )
