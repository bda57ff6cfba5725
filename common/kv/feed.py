"""A feed: what stands below a prefix, and every change of it, for ever.

Lists at revision R and watches from R+1; survives outages, compaction and lost events (a full listing every
few minutes finds those). Keeps keys and their revisions, not values.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from common.domain.errors import Compacted, NotAllowed, StoreError
from common.kv.port import KeyValueStore
from common.kv.values import Change, Changes, KeyValue, Listing
from common.runtime.clock import jittered

_log = structlog.get_logger(__name__)

_CHUNK_CHANGES: Final = 1000
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
# How long the watch may take to deliver what a full listing has already seen.
_WATCH_LAG_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """
    Attributes:
        changes: In order; at most 1000 of a listing at a time.
        revision: The feed is complete up to here once `synced`, or within a watch always.
        synced: This completes a listing or a re-listing (also when nothing had changed).
    """

    changes: tuple[Change, ...]
    revision: int
    synced: bool


class Feed:
    """
    Attributes:
        revision: The last revision all changes are known up to.
        is_current: The watch stands, so news arrives as it happens.
        rewound: Set for good when the store's revision went back or its cluster id changed: it was restored
            from a backup, and what was decided since then is forgotten there.
        relist_count: Full listings made.
        drift_count: Keys a periodic listing found to differ without the watch having said so.
    """

    def __init__(
        self,
        store: KeyValueStore,
        prefix: str,
        *,
        relist_s: float = 300.0,
        jitter: Callable[[], float] = lambda: jittered(1.0, 0.2),
        name: str,
    ) -> None:
        self.revision = 0
        self.is_current = False
        self.rewound = asyncio.Event()
        self.relist_count = 0
        self.drift_count = 0
        self._store = store
        self._prefix = prefix
        self._relist_s = relist_s
        self._jitter = jitter
        self._log = _log.bind(feed=name)
        self._known: dict[str, int] = {}
        self._cluster_id = 0
        self._needs_listing = True
        self._is_interrupted = False
        self._failures = 0
        self._next_listing_s = 0.0

    async def events(self) -> AsyncGenerator[FeedEvent, None]:
        """
        The whole listing as puts, then every change, for ever.

        Store errors are retried with growing pauses and logged once per outage. Use one iterator per feed,
        and close it (`aclosing`) to end the watch.
        """
        while True:
            try:
                if self._needs_listing:
                    listing = await self._list()
                    for event in self._sync(listing):
                        yield event
                        await asyncio.sleep(0)  # a large listing must not keep others waiting
                async with aclosing(self._follow()) as news:
                    async for event in news:
                        yield event
            except Compacted as error:
                self.is_current = False
                self._needs_listing = True
                self._log.info("feed.compacted", revision=self.revision, compact=error.compact_revision)
            except (StoreError, NotAllowed) as error:
                await self._pause_after(error)

    async def _pause_after(self, error: StoreError | NotAllowed) -> None:
        self.is_current = False
        if not self._is_interrupted:
            self._is_interrupted = True
            self._log.warning("feed.interrupted", reason=str(error), revision=self.revision)
        pause_s = min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S)
        self._failures = min(self._failures + 1, 10)
        await asyncio.sleep(pause_s * self._jitter())

    async def _list(self) -> Listing:
        listing = await self._store.list(self._prefix)
        self.relist_count += 1
        self._next_listing_s = asyncio.get_running_loop().time() + self._relist_s * self._jitter()
        is_other_cluster = self._cluster_id not in (0, listing.cluster_id)
        if is_other_cluster or listing.revision < self.revision:
            self._note_rewind(listing.revision)
        self._cluster_id = listing.cluster_id
        return listing

    def _note_rewind(self, revision: int) -> None:
        self.rewound.set()
        self._log.error("feed.rewound", revision=revision, expected_at_least=self.revision)
        # The same revision number may now stand for something else: nothing known counts any more.
        self._known = dict.fromkeys(self._known, -1)
        self.revision = 0
        self._needs_listing = True

    def _sync(self, listing: Listing) -> Iterable[FeedEvent]:
        """Make *listing* the known state; the difference in chunks, the last one `synced`."""
        differences = self._differences(listing)
        for change in differences:
            self._remember(change)
        self.revision = listing.revision
        self._needs_listing = False
        return _chunks(differences, listing.revision)

    def _differences(self, listing: Listing) -> list[Change]:
        gone = self._known.keys() - {item.key for item in listing.items}
        changes = [Change(item) for item in listing.items if self._known.get(item.key) != item.mod_revision]
        changes.extend(
            Change(KeyValue(key, b"", 0, listing.revision, version=0), deleted=True) for key in sorted(gone)
        )
        return changes

    def _remember(self, change: Change) -> bool:
        """Note *change*; False when it is no news."""
        known = self._known.get(change.key)
        if change.deleted:
            return self._known.pop(change.key, None) is not None
        if known is not None and known >= change.kv.mod_revision:
            return False
        self._known[change.key] = change.kv.mod_revision
        return True

    async def _follow(self) -> AsyncGenerator[FeedEvent, None]:
        """Watch, with a full listing now and then; returns when the store has to be listed anew."""
        async with aclosing(_Steps(self._store, self._prefix, self.revision + 1)) as watch:
            is_new = True
            while True:
                batch = await watch.next(self._next_listing_s)
                if is_new and await self._has_rewound():
                    self._needs_listing = True
                    return
                is_new = False
                if batch is not None:
                    if event := self._apply(batch):
                        yield event
                    continue
                listing = await self._list()
                if self._needs_listing:
                    return
                async with aclosing(self._verify(listing, watch)) as events:
                    async for event in events:
                        yield event

    async def _has_rewound(self) -> bool:
        # Asked once the watch stands, however it came to be opened: a watch from a revision that a restored
        # store has not reached yet would just stay silent.
        probe = await self._store.txn(reads=(self._prefix,))
        return probe.revision < self.revision

    def _apply(self, batch: Changes) -> FeedEvent | None:
        if not self.is_current:
            self.is_current = True
            self._failures = 0
            if self._is_interrupted:
                self._is_interrupted = False
                self._log.info("feed.resumed", revision=self.revision)
        self.revision = max(self.revision, batch.revision)
        news = tuple(change for change in batch.items if self._remember(change))
        return FeedEvent(news, self.revision, synced=False) if news else None

    async def _verify(self, listing: Listing, watch: "_Steps") -> AsyncGenerator[FeedEvent, None]:
        """
        Compare a full listing with what the watch has told, and emit what it has missed.

        The listing may simply be ahead of the watch; so a difference counts only when the watch has not
        explained it a few seconds later.
        """
        give_up_at_s = asyncio.get_running_loop().time() + _WATCH_LAG_LIMIT_S
        suspects = [(change, self._known.get(change.key)) for change in self._differences(listing)]
        while suspects:
            batch = await watch.next(give_up_at_s)
            if batch is None:
                break
            if event := self._apply(batch):
                yield event
            suspects = [
                (change, known) for change, known in suspects if not self._is_explained(change, known)
            ]
        missed = [change for change, _ in suspects if self._remember(change)]
        if missed:
            self.drift_count += len(missed)
            self._log.warning("feed.drifted", keys=len(missed), first=missed[0].key)
        for event in _chunks(missed, self.revision):
            yield event
            await asyncio.sleep(0)

    def _is_explained(self, difference: Change, known_before: int | None) -> bool:
        """True when the watch has told of this key since, and what it told is not older than the listing."""
        known = self._known.get(difference.key)
        return known != known_before and (known is None or known >= difference.kv.mod_revision)


class _Steps:
    """A watch that can be waited for with a time limit; cancelling the wait for it would end the watch."""

    def __init__(self, store: KeyValueStore, prefix: str, from_revision: int) -> None:
        self._watch = store.watch(prefix, from_revision=from_revision)
        self._step: asyncio.Task[Changes] | None = None

    async def next(self, until_s: float) -> Changes | None:
        """The next batch, or None at loop time *until_s*."""
        if self._step is None:
            self._step = asyncio.create_task(self._read(), name="feed-watch")
        left_s = max(until_s - asyncio.get_running_loop().time(), 0.0)
        done, _ = await asyncio.wait({self._step}, timeout=left_s)
        if not done:
            return None
        step, self._step = self._step, None
        return step.result()

    async def _read(self) -> Changes:
        return await anext(self._watch)

    async def aclose(self) -> None:
        if self._step is not None:
            self._step.cancel()
            await asyncio.wait({self._step})
            if not self._step.cancelled():
                self._step.exception()  # read, so that nobody misses it
        await self._watch.aclose()


def _chunks(changes: Sequence[Change], revision: int) -> Iterable[FeedEvent]:
    starts = range(0, max(len(changes), 1), _CHUNK_CHANGES)
    for start in starts:
        chunk = tuple(changes[start : start + _CHUNK_CHANGES])
        yield FeedEvent(chunk, revision, synced=start + _CHUNK_CHANGES >= len(changes))
