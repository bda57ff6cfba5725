"""Connecting to MongoDB: one client per program, with the settings the whole product relies on.

Nothing is connected here: the client connects at its first use and again whenever it has to.
"""

import re
from collections.abc import Sequence
from typing import Final

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.monitoring import CommandListener
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from common.domain.errors import ConfigError, StoreUnavailable
from common.domain.records import Document

#: A record counts as stored when a majority has it in its journal.
DURABLE: Final = WriteConcern(w="majority", j=True)
#: Server errors that say "not now": not primary, shutting down, interrupted, no rights yet, out of space.
_TEMPORARY_CODES: Final = frozenset(
    {6, 7, 13, 18, 50, 64, 89, 91, 100, 112, 133, 189, 202, 262, 9001, 10058, 10107, 11600, 11602, 13435}
    | {13436, 14031, 358}
)
_SETTINGS: Final = re.compile(r" \(configured timeouts:[^)]*\)")


def connect(
    uri: str,
    *,
    connect_timeout_ms: int = 3000,
    app_name: str = "everytick",
    listeners: Sequence[CommandListener] = (),
) -> AsyncMongoClient[Document]:
    """
    A client for *uri*; use it as an async context manager or close it.

    Args:
        connect_timeout_ms: Longest wait for a connection, and for a server that can be written to.

        listeners: Told of every command.

    Raises:
        ConfigError: The URI cannot be read.
    """
    try:
        return AsyncMongoClient(
            uri,
            tz_aware=True,
            appname=app_name,
            connectTimeoutMS=connect_timeout_ms,
            serverSelectionTimeoutMS=connect_timeout_ms,
            # A host that vanished must not hold a write for ever.
            socketTimeoutMS=30_000,
            event_listeners=list(listeners),
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise ConfigError(f"mongoUri: {error}") from error


def durable_database(client: AsyncMongoClient[Document], name: str) -> AsyncDatabase[Document]:
    """The database *name*; what is written there survives the loss of a server."""
    return client.get_database(name, write_concern=DURABLE, read_concern=ReadConcern("local"))


def is_temporary(error: PyMongoError) -> bool:
    """Whether the same request may succeed later, unchanged."""
    if isinstance(error, OperationFailure) and not isinstance(error, ExecutionTimeout | WTimeoutError):
        return is_temporary_code(error.code) or error.has_error_label("RetryableWriteError")
    return isinstance(error, AutoReconnect | ConnectionFailure | ExecutionTimeout | WTimeoutError)


def is_temporary_code(code: int | None) -> bool:
    """Whether a server error of this code goes away without a change to the request."""
    return code in _TEMPORARY_CODES


def unavailable(error: PyMongoError) -> StoreUnavailable:
    """What a caller outside the adapters gets to see of a failed request."""
    # Behind the reason the driver repeats its settings, the whole topology, or the server's document.
    reason = _SETTINGS.sub("", str(error)).partition(", Timeout: ")[0].partition(", full error: ")[0]
    return StoreUnavailable(f"MongoDB: {reason or type(error).__name__}")
