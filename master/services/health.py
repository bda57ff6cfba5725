"""How this master and the two servers it needs are doing.

Alive is a matter of the process alone. Ready means that requests can be served: etcd has been listed and is
watched, and MongoDB was reached once. MongoDB going away later degrades history and keeps the master ready,
so that an outage of it does not take every master out of a load balancer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from common.domain.errors import CronError, StoreError
from common.domain.records import Document
from common.kv.port import KeyValueStore
from common.kv.values import StoreStatus
from master.ports import HistoryReader

log = structlog.get_logger()

_LOOK_EVERY_S: Final = 2.0
_FIRST_LOOKS_S: Final = 0.5
_STATUS_EVERY: Final = 10
#: etcd's default quota, less what leaves an operator time to act.
_DB_SIZE_WARNING_BYTES: Final = 1024 * 1024 * 1024


class View(Protocol):
    """A feed's view: whether it has seen everything and still follows."""

    synced: asyncio.Event

    @property
    def is_current(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Report:
    """`ok` for each part, or what is wrong with it."""

    checks: dict[str, str]
    is_ready: bool

    @property
    def is_healthy(self) -> bool:
        return all(text == "ok" for text in self.checks.values())


class HealthMonitor:
    """
    Looks at etcd and MongoDB for ever.

    Attributes:
        etcd: What etcd said last; None while it is away.
        mongo_version: What MongoDB said last; None while it is away.
        is_stopping: Set when the master winds down: not ready any more.
    """

    def __init__(
        self,
        store: KeyValueStore,
        history: HistoryReader,
        views: Mapping[str, View],
        prepare_history: Callable[[], Awaitable[None]],
        *,
        about: Mapping[str, str],
    ) -> None:
        self.etcd: StoreStatus | None = None
        self.mongo_version: str | None = None
        self.is_stopping = False
        self._store = store
        self._history = history
        self._views = views
        self._prepare_history = prepare_history
        self._about = dict(about)
        self._is_prepared = False
        self._reasons: dict[str, str] = {"etcd": "not reached yet", "mongodb": "not reached yet"}

    async def watch_etcd(self) -> None:
        """Ask etcd for its state, for ever."""
        while True:
            try:
                self.etcd = await self._store.status()
                self._note("etcd", "ok")
                if self.etcd.db_size_bytes > _DB_SIZE_WARNING_BYTES:
                    log.warning("etcd.database_large", size_bytes=self.etcd.db_size_bytes)
            except CronError as error:
                self.etcd = None
                self._note("etcd", str(error))
            await asyncio.sleep(_LOOK_EVERY_S * _STATUS_EVERY if self.etcd else _LOOK_EVERY_S)

    async def watch_mongo(self) -> None:
        """Ask MongoDB for a sign of life, for ever; prepare its collections when it answers first."""
        while True:
            try:
                self.mongo_version = await self._history.version()
                if not self._is_prepared:
                    await self._prepare_history()
                    self._is_prepared = True
                self._note("mongodb", "ok")
            except StoreError as error:
                self.mongo_version = None
                self._note("mongodb", str(error))
            await asyncio.sleep(_LOOK_EVERY_S if self._is_prepared else _FIRST_LOOKS_S)

    def report(self) -> Report:
        """The state of every part."""
        checks = dict(self._reasons)
        for name, view in self._views.items():
            if not view.synced.is_set():
                checks[name] = "not listed yet"
            elif not view.is_current:
                checks[name] = "not followed at present"
            else:
                checks[name] = "ok"
        if self.is_stopping:
            checks["master"] = "is stopping"
        listed = all(view.synced.is_set() and view.is_current for view in self._views.values())
        return Report(checks, is_ready=listed and self._is_prepared and not self.is_stopping)

    def about(self) -> Document:
        """Versions, for the version route."""
        return {
            **self._about,
            "etcd": {
                "version": self.etcd.version if self.etcd else None,
                "db_size_bytes": self.etcd.db_size_bytes if self.etcd else None,
            },
            "mongo": {"version": self.mongo_version},
        }

    def _note(self, part: str, reason: str) -> None:
        was_ok, is_ok = self._reasons[part] == "ok", reason == "ok"
        if is_ok and not was_ok:
            log.info("dependency.reached", part=part)
        elif not is_ok and (was_ok or self._reasons[part] == "not reached yet"):
            log.warning("dependency.away", part=part, reason=reason, action="trying again until it answers")
        self._reasons[part] = reason
