"""Users: who the worker runs as, and which other users a job may ask for.

The worker's own account is always allowed. Others must be listed in `runAsUsers`; `*` there means every
account but root, which has to be named.
"""

import os
import pwd
from dataclasses import dataclass

from common.domain.errors import SpawnFailed
from worker.domain.account import Account


@dataclass(frozen=True, slots=True)
class Identity:
    """What the kernel needs to know of a user."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


class RunAs:
    """Looks up users and enforces `runAsUsers`."""

    def __init__(self, run_as_users: frozenset[str]) -> None:
        self._allowed = run_as_users
        self._own_uid = os.geteuid()
        self._own = self._own_account()

    def account(self, user: str | None) -> Account:
        """
        The account of *user*; None is the worker's own.

        Raises:
            SpawnFailed: It does not exist or is not allowed.
        """
        if user is None or user == self._own.name:
            return self._own
        entry = self._permitted(user)
        return Account(name=entry.pw_name, home=entry.pw_dir, shell=entry.pw_shell or "/bin/sh")

    def identity(self, user: str | None) -> Identity | None:
        """
        What to switch to for *user*; None if nothing has to be switched.

        Raises:
            SpawnFailed: It does not exist, is not allowed, or the worker has no right to become it.
        """
        if user is None or user == self._own.name:
            return None
        entry = self._permitted(user)
        if self._own_uid != 0:
            raise SpawnFailed(
                f"the worker runs as {self._own.name!r} and has no right to run commands as {user!r}; start "
                f"the worker as root, or run a worker as {user!r} and pin the job to it"
            )
        groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
        return Identity(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)

    def _permitted(self, user: str) -> pwd.struct_passwd:
        is_listed = user in self._allowed or ("*" in self._allowed and user != "root")
        if not is_listed:
            raise SpawnFailed(
                f"this worker does not run commands as {user!r}; add it to runAsUsers in the worker's "
                "configuration, or change the job's user"
            )
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            raise SpawnFailed(
                f"there is no user {user!r} on this host; create it, or change the job's user"
            ) from None
        if entry.pw_uid == 0 and "root" not in self._allowed:
            # Another name for root is root.
            raise SpawnFailed(f"{user!r} is root under another name; runAsUsers must name root for it")
        return entry

    def _own_account(self) -> Account:
        try:
            entry = pwd.getpwuid(self._own_uid)
        except KeyError:
            # Containers often run under a number without an entry.
            return Account(name=str(self._own_uid), home="/")
        return Account(name=entry.pw_name, home=entry.pw_dir, shell=entry.pw_shell or "/bin/sh")
