"""What goes into and comes out of the key-value store: plain values, no I/O.

Revisions are etcd's: one counter for the whole store, one step per writing transaction. A key that does
not exist has create, modify and version numbers of 0, so absence is an ordinary comparison.

Values that are made several times per execution are named tuples: a frozen dataclass sets each field by a
call, and takes three times as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

_NOTHING: Final[Mapping[str, "KeyValue | None"]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One stored key at one revision. `lease` is 0 when the key hangs on none."""

    key: str
    value: bytes
    create_revision: int
    mod_revision: int
    version: int = 1
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """
    All keys below a prefix, read at one `revision`, in key order.

    Another `cluster_id` than before means that this is not the store it was (restored from a backup).
    """

    revision: int
    items: tuple[KeyValue, ...]
    cluster_id: int = 0


class Target(StrEnum):
    """What of a key a comparison looks at."""

    VALUE = "value"
    CREATE_REVISION = "create_revision"
    MOD_REVISION = "mod_revision"


class Operator(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    GREATER = ">"


# In Python 3.11 a member's name is a property of its class, and each look at it a call.
_VALUE: Final = Target.VALUE
_CREATED: Final = Target.CREATE_REVISION
_MODIFIED: Final = Target.MOD_REVISION
_EQUAL: Final = Operator.EQUAL
_LESS: Final = Operator.LESS
_GREATER: Final = Operator.GREATER


class Compare(NamedTuple):
    """
    One condition of a transaction; build it with the functions below.

    A VALUE comparison on a key that does not exist is false, whatever the operator (measured on etcd 3.4
    and 3.5).
    """

    key: str
    target: Target
    operator: Operator
    operand: int | bytes


def absent(key: str) -> Compare:
    """True when *key* does not exist."""
    return Compare(key, _CREATED, _EQUAL, 0)


def exists(key: str) -> Compare:
    """True when *key* exists."""
    return Compare(key, _CREATED, _GREATER, 0)


def created_at(key: str, revision: int) -> Compare:
    """True when *key* is the very one that was created at *revision* (0: absent)."""
    return Compare(key, _CREATED, _EQUAL, revision)


def modified_at(key: str, revision: int) -> Compare:
    """True when *key* was last written at *revision* (0: absent)."""
    return Compare(key, _MODIFIED, _EQUAL, revision)


def value_below(key: str, value: bytes) -> Compare:
    """True when the stored bytes sort before *value*; false when *key* does not exist."""
    return Compare(key, _VALUE, _LESS, value)


def value_is(key: str, value: bytes) -> Compare:
    """True when the stored bytes equal *value*; false when *key* does not exist."""
    return Compare(key, _VALUE, _EQUAL, value)


class Put(NamedTuple):
    """Write *value*. `lease` 0 detaches the key from any lease it hung on."""

    key: str
    value: bytes
    lease: int = 0


class TxnResult(NamedTuple):
    """
    What a transaction did.

    Attributes:
        succeeded: Every comparison held, and all writes were made.
        revision: The store's revision after it; for a successful write the revision of that write.
        reads: The keys asked for, each with what is stored (None: absent). Filled when the transaction
            did not succeed, or when it had nothing to write.
    """

    succeeded: bool
    revision: int
    reads: Mapping[str, KeyValue | None] = _NOTHING


@dataclass(frozen=True, slots=True)
class Change:
    """One key that was written or, when `deleted`, removed (then only key and mod_revision count)."""

    kv: KeyValue
    deleted: bool = False

    @property
    def key(self) -> str:
        return self.kv.key


@dataclass(frozen=True, slots=True)
class Changes:
    """
    The changes of one or more whole revisions, in order.

    `revision` is the last revision the stream is complete up to: resume from `revision + 1`. Without items
    it is a progress report of the server.
    """

    revision: int
    items: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Lease:
    """A granted lease; `ttl_s` is what the server granted, which may be more than was asked for."""

    id: int
    ttl_s: int


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What the store says of itself: version, cluster id, size in bytes and quota-relevant numbers."""

    version: str
    cluster_id: int
    revision: int
    db_size_bytes: int
    endpoint: str
