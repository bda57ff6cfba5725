"""The error tree: every failure a caller may want to tell apart.

Pure. Each class says what happened in its docstring, which is the message unless one is given;
keyword arguments are kept as data for logs and API answers. Client library errors are turned into
these in the adapters and nowhere else.
"""

import inspect
from typing import Final


class CronError(Exception):
    """The scheduler could not do what was asked."""

    def __init__(self, message: str | None = None, **details: object) -> None:
        super().__init__(message or inspect.getdoc(type(self)))
        self.details = details


class InvalidInput(CronError):
    """What was sent cannot be accepted as it is."""

    def __init__(self, message: str | None = None, *, field: str | None = None, **details: object) -> None:
        super().__init__(message, **details)
        #: Name of the offending field as the user wrote it (dotted for nested ones), if there is one.
        self.field = field


class InvalidSchedule(InvalidInput):
    """The schedule cannot be understood, or never comes due."""


class UnknownTimezone(InvalidInput):
    """The time zone is not in the IANA database of this host."""


class InvalidJob(InvalidInput):
    """The job cannot be accepted as it is."""


class InvalidPageToken(InvalidInput):
    """The page token was not made by this API, or belongs to another query."""


class NotFound(CronError):
    """There is nothing of that name."""


class JobNotFound(NotFound):
    """There is no job of that name in this namespace."""


class ExecutionNotFound(NotFound):
    """There is no execution of that id."""


class WorkerNotFound(NotFound):
    """There is no worker of that id."""


class VersionNotFound(NotFound):
    """There is no such version of this job, or it is not kept any more."""


class UserNotFound(NotFound):
    """There is no user of that name."""


class TokenNotFound(NotFound):
    """There is no API token of that id."""


class Conflict(CronError):
    """What was asked does not fit the present state."""


class JobExists(Conflict):
    """A job of that name exists already."""


class RevisionConflict(Conflict):
    """The object was changed by someone else since it was read."""


class UserExists(Conflict):
    """A user of that name exists already."""


class LastAdmin(Conflict):
    """This is the last enabled user who may administer everything."""


class SetupDone(Conflict):
    """The first account exists already: sign in."""


class NotAllowed(CronError):
    """This needs a credential, or a right the credential does not have."""


class TooManyStreams(CronError):
    """This user has as many event streams open as one may have."""


class BadCredentials(CronError):
    """The user name or the password is wrong."""


class SetupTokenInvalid(NotAllowed):
    """The set-up token is wrong, was used, or is older than 15 minutes."""


class Throttled(CronError):
    """Too often within too short a time."""

    def __init__(self, message: str | None = None, *, retry_after_s: int = 1, **details: object) -> None:
        super().__init__(message, **details)
        self.retry_after_s = retry_after_s


class StoreError(CronError):
    """etcd or MongoDB could not serve the request."""


class StoreUnavailable(StoreError):
    """The store could not be reached; the request surely did not happen."""


class OutcomeUnknown(StoreError):
    """The connection was lost while the store worked: the request may or may not have happened."""


class Compacted(StoreError):
    """The store no longer holds the changes since that revision."""

    def __init__(self, message: str | None = None, *, compact_revision: int = 0, **details: object) -> None:
        super().__init__(message, **details)
        self.compact_revision = compact_revision


class LeaseLost(StoreError):
    """The lease has ended, or never was."""


class CorruptValue(StoreError):
    """A stored value cannot be read."""

    def __init__(self, message: str | None = None, *, key: str = "", **details: object) -> None:
        super().__init__(message, **details)
        self.key = key


class ConfigError(CronError):
    """The configuration is wrong."""


class IllegalTransition(CronError):
    """A bug: this event cannot happen to an execution in this state."""


class SpawnFailed(CronError):
    """The command could not be started."""


#: What background loops live through: the store is away, did not say, or refuses the credentials for now.
STORE_FAILURES: Final = (StoreError, NotAllowed)
