"""Sessions, API tokens, set-up tokens and tries to sign in, in MongoDB; all masters share them.

Of every secret only a digest is stored.
"""

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from common.domain.records import Document
from master.adapters.mongo_calls import (
    API_TOKENS,
    LIMIT_MS,
    SESSIONS,
    SETUP_TOKENS,
    SIGN_IN_TRIES,
    MongoCalls,
    grant_document,
    grant_of,
)
from master.domain.accounts import ApiToken, Session
from master.domain.rights import PrincipalKind
from master.domain.throttle import FORGET_AFTER, Tries


class MongoCredentials(MongoCalls):
    """
    Raises (every method):
        StoreUnavailable: MongoDB cannot be reached.
    """

    # Sessions

    async def session(self, session_id: str) -> Session | None:
        async with self._call():
            found = await self._database[SESSIONS].find_one({"_id": session_id}, max_time_ms=LIMIT_MS)
        return _session(found) if found else None

    async def add_session(self, session: Session) -> None:
        async with self._call():
            await self._database[SESSIONS].insert_one(
                {
                    "_id": session.id,
                    "user": session.user,
                    "created_at": session.created_at,
                    "seen_at": session.seen_at,
                    "client": session.client,
                    "expires_at": session.ends_at,
                }
            )

    async def note_seen(self, session: Session) -> None:
        """Keep the session's last sign of life; one that has been revoked meanwhile stays so."""
        async with self._call():
            await self._database[SESSIONS].update_one(
                {"_id": session.id}, {"$set": {"seen_at": session.seen_at, "expires_at": session.ends_at}}
            )

    async def end_session(self, session_id: str) -> None:
        async with self._call():
            await self._database[SESSIONS].delete_one({"_id": session_id})

    async def end_sessions_of(self, user: str, *, but: str | None = None) -> int:
        """End all sessions of *user* except *but*; answers how many there were."""
        async with self._call():
            gone = await self._database[SESSIONS].delete_many({"user": user, "_id": {"$ne": but}})
        return gone.deleted_count

    async def count_sessions(self, users: list[str]) -> dict[str, int]:
        """How many live sessions each of *users* has."""
        pipeline: list[Document] = [
            {"$match": {"user": {"$in": users}, "expires_at": {"$gt": self._clock.now()}}},
            {"$group": {"_id": "$user", "count": {"$sum": 1}}},
        ]
        async with self._call():
            cursor = await self._database[SESSIONS].aggregate(pipeline, maxTimeMS=LIMIT_MS)
            return {group["_id"]: group["count"] async for group in cursor}

    # API tokens

    async def api_token(self, token_id: str) -> ApiToken | None:
        async with self._call():
            found = await self._database[API_TOKENS].find_one({"_id": token_id}, max_time_ms=LIMIT_MS)
        return _api_token(found) if found else None

    async def api_tokens(self, owner: str | None, owner_kind: PrincipalKind | None) -> list[ApiToken]:
        """Those of *owner*, oldest first; all of them for None."""
        condition: Document = {}
        if owner is not None and owner_kind is not None:
            condition = {"owner": owner, "owner_kind": owner_kind.value}
        async with self._call():
            cursor = self._database[API_TOKENS].find(condition, max_time_ms=LIMIT_MS)
            return [_api_token(found) async for found in cursor.sort("created_at").limit(10_000)]

    async def add_api_token(self, token: ApiToken) -> None:
        async with self._call():
            await self._database[API_TOKENS].insert_one(
                {
                    "_id": token.id,
                    "name": token.name,
                    "owner": token.owner,
                    "owner_kind": token.owner_kind.value,
                    "sha256": token.sha256,
                    **grant_document(token.grant),
                    "created_at": token.created_at,
                    "expires_at": token.expires_at,
                    "last_used_at": token.last_used_at,
                }
            )

    async def note_used(self, token_id: str, at: datetime) -> None:
        async with self._call():
            await self._database[API_TOKENS].update_one({"_id": token_id}, {"$set": {"last_used_at": at}})

    async def delete_api_tokens_of(self, user: str) -> None:
        async with self._call():
            await self._database[API_TOKENS].delete_many(
                {"owner": user, "owner_kind": PrincipalKind.USER.value}
            )

    async def delete_api_token(self, token_id: str) -> bool:
        async with self._call():
            gone = await self._database[API_TOKENS].delete_one({"_id": token_id})
        return gone.deleted_count == 1

    # Set-up tokens and tries

    async def add_setup_token(self, sha256: str, expires_at: datetime) -> None:
        async with self._call():
            await self._database[SETUP_TOKENS].insert_one({"_id": sha256, "expires_at": expires_at})

    async def take_setup_token(self, sha256: str, now: datetime) -> bool:
        """Use a token up; False when there is none, or no longer."""
        async with self._call():
            gone = await self._database[SETUP_TOKENS].delete_one({"_id": sha256, "expires_at": {"$gt": now}})
        return gone.deleted_count == 1

    async def tries(self, key: str) -> tuple[Tries | None, int]:
        """The tries under *key*, and the version to replace them with."""
        async with self._call():
            found = await self._database[SIGN_IN_TRIES].find_one({"_id": key}, max_time_ms=LIMIT_MS)
        if found is None:
            return None, 0
        tries = Tries(found["count"], found["since"], found["last"], found.get("closed_until"))
        return tries, found["version"]

    async def replace_tries(self, key: str, tries: Tries, version: int) -> bool:
        """Store *tries* in place of *version*; False when somebody else was faster."""
        document = {
            "_id": key,
            "count": tries.count,
            "since": tries.since,
            "last": tries.last,
            "closed_until": tries.closed_until,
            "version": version + 1,
            "expires_at": tries.last + FORGET_AFTER,
        }
        async with self._call():
            try:
                done = await self._database[SIGN_IN_TRIES].replace_one(
                    {"_id": key, "version": version}, document, upsert=version == 0
                )
            except DuplicateKeyError:
                return False
        return done.matched_count == 1 or done.upserted_id is not None

    async def forget_tries(self, key: str, version: int) -> None:
        """Forget the tries under *key* unless there were more since *version*."""
        async with self._call():
            await self._database[SIGN_IN_TRIES].delete_one({"_id": key, "version": version})


def _session(document: Document) -> Session:
    return Session(
        id=document["_id"],
        user=document["user"],
        created_at=document["created_at"],
        seen_at=document["seen_at"],
        client=document["client"],
    )


def _api_token(document: Document) -> ApiToken:
    return ApiToken(
        id=document["_id"],
        name=document["name"],
        owner=document["owner"],
        owner_kind=PrincipalKind(document["owner_kind"]),
        sha256=document["sha256"],
        grant=grant_of(document),
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        last_used_at=document["last_used_at"],
    )
