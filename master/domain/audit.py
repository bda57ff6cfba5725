"""The audit trail: what is recorded of a change, and how entries hang together.

Pure. Each entry carries the SHA-256 of the one before it, so nobody can take out or alter one in the middle
without breaking every later one. What has expired is cut off at the beginning only; the anchor then says with
which hash the rest begins.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

#: What the first entry of all has for the hash of the one before it.
GENESIS: Final = "0" * 64
_LONGEST_TEXT: Final = 1000


class Action(StrEnum):
    """What somebody did or tried; the part before the dot is the family that lists filter by."""

    JOB_SAVE = "job.save"
    JOB_DELETE = "job.delete"
    JOB_ENABLE = "job.enable"
    JOB_DISABLE = "job.disable"
    JOB_RUN = "job.run"
    JOB_KILL = "job.kill"
    JOB_REVERT = "job.revert"
    JOB_BATCH = "job.batch"
    """A batch that was refused as a whole; its items have entries of their own."""
    JOB_TEST_RUN = "job.test_run"
    EXECUTION_KILL = "execution.kill"
    EXECUTION_RETRY = "execution.retry"
    EXECUTION_BATCH = "execution.batch"
    WORKER_DRAIN = "worker.drain"
    WORKER_RESUME = "worker.resume"
    WORKER_DELETE = "worker.delete"
    USER_SAVE = "user.save"
    USER_DELETE = "user.delete"
    USER_PASSWORD = "user.password"
    USER_ENABLE = "user.enable"
    USER_DISABLE = "user.disable"
    USER_SIGN_OUT = "user.sign_out"
    TOKEN_CREATE = "token.create"
    TOKEN_DELETE = "token.delete"
    AUTH_SETUP = "auth.setup"
    AUTH_SETUP_TOKEN = "auth.setup_token"
    AUTH_LOGIN = "auth.login"
    AUTH_OIDC = "auth.oidc"
    """A sign-in with the identity provider."""
    AUTH_LOGOUT = "auth.logout"
    AUTH_PASSWORD = "auth.password"
    SETTINGS_SAVE = "settings.save"
    REQUEST = "request.refused"
    """A change at an address where there is nothing, by somebody without a credential."""
    AUDIT_CUT = "audit.cut"
    """Entries were removed because they had expired."""
    AUDIT_GAP = "audit.gap"
    """Entries could not be kept; the log of the master has them."""

    @property
    def family(self) -> str:
        return self.value.partition(".")[0]


class Outcome(StrEnum):
    """How it ended for whoever asked."""

    DONE = "done"
    REFUSED = "refused"
    """For lack of a credential or a right, or for asking too often."""
    FAILED = "failed"
    """It could not be done, whoever had asked."""


class ActorKind(StrEnum):
    """What stood behind the request."""

    USER = "user"
    TOKEN = "token"
    ADMIN_TOKEN = "admin_token"
    ANONYMOUS = "anonymous"
    """Nobody that is known; the name is what the request claimed, if it claimed one."""
    SYSTEM = "system"
    """The master itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """
    What happened, before it has its place in the chain.

    Attributes:
        id: Never given twice, so that an entry whose writing was not confirmed can be written again.
        at: When the outcome was known, in UTC, to the millisecond; not when it was stored.
        object: Name or id of what it was about; the action says of what kind.
        before, after: What it changed, as JSON text without secrets.
    """

    id: str
    at: datetime
    actor: str
    actor_kind: ActorKind
    client: str | None
    action: Action
    object: str | None = None
    namespace: str | None = None
    outcome: Outcome
    detail: str | None = None
    before: str | None = None
    after: str | None = None
    request_id: str = ""

    def plain(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {**asdict(self), "at": instant_text(self.at)}

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "Fact":
        """
        The fact whose `plain()` was *values*; other keys are left aside.

        Raises:
            ValueError, KeyError, TypeError: It was none.
        """
        known = {field.name: values[field.name] for field in fields(cls)}
        return cls(
            **known
            | {
                "at": datetime.fromisoformat(known["at"]),
                "actor_kind": ActorKind(known["actor_kind"]),
                "action": Action(known["action"]),
                "outcome": Outcome(known["outcome"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the chain begins: number and hash of the last entry that was removed, or of none."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact in its place."""

    seq: int
    fact: Fact
    previous_hash: str
    hash: str

    @property
    def anchor(self) -> Anchor:
        return Anchor(self.seq, self.hash)


def chained(fact: Fact, behind: Anchor) -> Entry:
    """*fact* as the entry that follows *behind*."""
    seq = behind.seq + 1
    return Entry(seq, fact, behind.hash, _hash(seq, fact, behind.hash))


def is_authentic(entry: Entry) -> bool:
    """Whether the entry still says what it said when its hash was made."""
    return entry.hash == _hash(entry.seq, entry.fact, entry.previous_hash)


def outcome_of(status: int) -> Outcome:
    """What an answer with this HTTP status meant for the change that was asked for."""
    if status < 400:
        return Outcome.DONE
    return Outcome.REFUSED if status in (401, 403, 429) else Outcome.FAILED


def instant_text(instant: datetime) -> str:
    """*instant* in the one spelling that is hashed: UTC, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_milliseconds(instant: datetime) -> datetime:
    """*instant* as precisely as it is stored."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def storable(text: str | None) -> str | None:
    """*text*, cut to a length for lists, without what UTF-8 cannot hold."""
    if text is None:
        return None
    return text[:_LONGEST_TEXT].encode("utf-8", "replace").decode()


def _hash(seq: int, fact: Fact, previous_hash: str) -> str:
    values = {**fact.plain(), "seq": seq, "previous_hash": previous_hash}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
