"""Notices an etcd that went back in time (situation 24).

After a restore from a backup the cursors are old, and ticks that ran would look undecided. The worker
remembers the newest revision and the cluster it saw, and claims nothing until an operator accepts the store,
for all workers with `master --accept-etcd`, or for one by removing its mark.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from common.domain.codec import StoreAcceptance
from common.domain.errors import STORE_FAILURES, CorruptValue
from common.kv.port import KeyValueStore
from common.kv.values import KeyValue
from common.runtime.clock import Clock
from worker.gate import Bar, Gate

log: Final = structlog.get_logger(__name__)

_INTERVAL_S: Final = 10.0
_ACCEPTANCE_LIFETIME: Final = timedelta(minutes=10)


class StoreMark(Protocol):
    """The last cluster and revision this worker saw, kept over restarts."""

    def read(self) -> tuple[int, int] | None: ...

    def write(self, cluster_id: int, revision: int) -> None: ...

    @property
    def place(self) -> str: ...


class FileMark:
    """A mark in a file of the state directory; removing the file accepts the store as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        return str(self._path)

    def read(self) -> tuple[int, int] | None:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            return int(stored["cluster_id"]), int(stored["revision"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, cluster_id: int, revision: int) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps({"cluster_id": cluster_id, "revision": revision}), encoding="utf-8")
        draft.replace(self._path)


class StoreWatch:
    """Compares the store with the mark, every few seconds and at the start."""

    def __init__(
        self,
        store: KeyValueStore,
        gate: Gate,
        mark: StoreMark,
        acceptance_key: str,
        clock: Clock,
        announce: Callable[[], None],
    ) -> None:
        """
        Args:
            acceptance_key: Where an operator's word stands; reading it also tells the revision the whole
                cluster agrees on.
            announce: Called when trust in the store changes.
        """
        self._announce = announce
        self._store = store
        self._acceptance_key = acceptance_key
        self._clock = clock
        self._gate = gate
        self._mark = mark
        # Nothing is claimed before the first comparison: a worker that starts after the restore must see it.
        gate.close(Bar.STORE, "etcd has not been looked at yet")

    async def run(self) -> None:
        """Watch, for ever."""
        told = False
        while True:
            pause_s = _INTERVAL_S
            try:
                # The status is one member's own word; a member that lags must not look like a restore.
                cluster_id = (await self._store.status()).cluster_id
                result = await self._store.txn(reads=[self._acceptance_key])
            except STORE_FAILURES as error:
                log.debug("store.unwatched", error=str(error))
                pause_s = 0.5 if self._gate.is_barred_by(Bar.STORE) else _INTERVAL_S
            else:
                is_accepted = self._is_accepted(cluster_id, result.reads[self._acceptance_key])
                told = self._compare(cluster_id, result.revision, told, is_accepted=is_accepted)
            await asyncio.sleep(pause_s)

    def _is_accepted(self, cluster_id: int, stored: KeyValue | None) -> bool:
        """Whether an operator took this very store as it is, and not before it was backed up."""
        if stored is None:
            return False
        try:
            acceptance = StoreAcceptance.decode(stored.key, stored.value)
        except CorruptValue as error:
            log.warning("store.acceptance_unreadable", error=str(error))
            return False
        age = abs(self._clock.now() - acceptance.accepted_at)
        return acceptance.cluster_id == f"{cluster_id:x}" and age < _ACCEPTANCE_LIFETIME

    def _compare(self, cluster_id: int, revision: int, told: bool, *, is_accepted: bool) -> bool:
        """Open or close the gate; whether the operator has been told."""
        mark = self._mark.read()
        why = why_distrusted(mark, cluster_id, revision)
        if why is not None and is_accepted:
            log.warning("store.accepted", why=why)
            why = None
        if why is None:
            self._mark.write(cluster_id, revision)
            if self._gate.is_barred_by(Bar.STORE):
                self._gate.open(Bar.STORE)
                self._announce()
            return False
        self._gate.close(Bar.STORE, why)
        if not told:
            self._announce()
            log.error("store.rewound", why=why, accept="master --accept-etcd", mark=self._mark.place)
        return True


def why_distrusted(mark: tuple[int, int] | None, cluster_id: int, revision: int) -> str | None:
    """Why the store is not the one the mark speaks of; None when it is, or when there is no mark."""
    if mark is None:
        return None
    known_cluster, known_revision = mark
    if known_cluster != cluster_id:
        return f"etcd's cluster id changed from {known_cluster:x} to {cluster_id:x}"
    if revision < known_revision:
        return f"etcd's revision went back from {known_revision} to {revision}: restored from a backup?"
    return None
