"""The hub of live events: producers publish, streams listen, neither waits for the other.

News about one subject within a moment becomes one event, encoded once for all streams. A stream that does not
keep up loses its queue and is told to ask for everything again: memory stays bounded, whoever is slow.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from common.domain.errors import TooManyStreams
from common.runtime.clock import new_nonce
from master.domain.live_events import Audience, EventKind, Frame, Journal, LiveEvent, encode

#: At most one event per subject in this time; the first one after a pause goes out at once.
MOMENT_S: Final = 0.25
#: More news than this within a moment is one `resync`: a browser would ask for everything anyway.
_MOST_PENDING: Final = 5_000
_MOST_QUEUED_BYTES: Final = 256 * 1024


class EventStream:
    """One listener's queue: bounded, and never in the way of the hub."""

    def __init__(self, owner: str, audience: Audience) -> None:
        self.owner = owner
        self.audience = audience
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._has_news = asyncio.Event()
        self._has_ended = False

    def offer(self, text: bytes, resync: bytes) -> bool:
        """Queue *text*; False when there is no room, and *resync* stands in place of all of it."""
        fits = self._queued_bytes + len(text) <= _MOST_QUEUED_BYTES
        if not fits:
            self._queue.clear()
            self._queued_bytes = 0
            text = resync
        self._queue.append(text)
        self._queued_bytes += len(text)
        self._has_news.set()
        return fits

    def end(self) -> None:
        """No more events: whoever waits for the next one is told so, once the queue is empty."""
        self._has_ended = True
        self._has_news.set()

    async def next(self) -> bytes | None:
        """What has been queued, as one piece; None at the end."""
        await self._has_news.wait()
        if not self._queue:
            return None
        text = b"".join(self._queue)
        self._queue.clear()
        self._queued_bytes = 0
        if not self._has_ended:
            self._has_news.clear()
        return text


class EventHub:
    """
    Attributes:
        published: Events sent out since the start, each counted once.
        resyncs: Times a stream, or all of them, had to be told to start over.
    """

    def __init__(self, *, master: str, version: str, streams_per_user: int = 20) -> None:
        self.published = 0
        self.resyncs = 0
        self._streams_per_user = streams_per_user
        self._about = {"master": master, "version": version}
        self._journal = Journal(new_nonce()[:12])
        self._pending: dict[tuple[EventKind, str], LiveEvent] = {}
        self._has_overflowed = False
        self._has_news = asyncio.Event()
        self._streams: set[EventStream] = set()
        self._per_owner: Counter[str] = Counter()
        self._is_closed = False

    def publish(self, event: LiveEvent) -> None:
        """Tell *event* to all streams, soon; never waits."""
        if len(self._pending) >= _MOST_PENDING:
            self._has_overflowed = True
            self._pending.clear()
        # Behind those that came later: what is told last is what is true.
        self._pending.pop((event.kind, event.subject), None)
        self._pending[event.kind, event.subject] = event
        self._has_news.set()

    def start_over(self) -> None:
        """Tell all streams that something may have been missed."""
        self._has_overflowed = True
        self._has_news.set()

    async def run(self) -> None:
        """Send what was published, for ever."""
        while True:
            await self._has_news.wait()
            self.flush()
            await asyncio.sleep(MOMENT_S)

    def flush(self) -> None:
        """Send what is pending now."""
        self._has_news.clear()
        frames: list[Frame] = []
        if self._has_overflowed:
            self._has_overflowed = False
            frames.append(self._journal.break_off())
            self.resyncs += 1
        pending, self._pending = self._pending, {}
        frames += [self._journal.add(event) for event in pending.values()]
        self.published += len(pending)
        self._send(frames)

    def open(self, owner: str, audience: Audience, last_event_id: str | None) -> EventStream:
        """
        A new stream; what *last_event_id* has missed comes first.

        Raises:
            TooManyStreams: *owner* has as many open as anybody may.
        """
        if self._per_owner[owner] >= self._streams_per_user:
            raise TooManyStreams(
                f"{owner} has {self._streams_per_user} event streams open already: close another page first",
                limit=self._streams_per_user,
            )
        stream = EventStream(owner, audience)
        resync = self._journal.resync().text
        missed = self._missed(audience, last_event_id)
        # With an id the client stands at before it has read what it missed: a connection that breaks in
        # between must lose nothing. `-gap` is no number, so coming back with it is a gap again.
        at = self._journal.id if not missed else last_event_id or ""
        if missed is None:
            self.resyncs += 1
            at, missed = f"{self._journal.instance}-gap", resync
        stream.offer(encode(EventKind.HELLO, at, self._about) + missed, resync)
        self._streams.add(stream)
        self._per_owner[owner] += 1
        if self._is_closed:
            stream.end()
        return stream

    def close(self, stream: EventStream) -> None:
        """Forget *stream*; closing one twice is no fault."""
        if stream in self._streams:
            self._streams.remove(stream)
            self._per_owner[stream.owner] -= 1
            if not self._per_owner[stream.owner]:
                del self._per_owner[stream.owner]
        stream.end()

    def close_all(self) -> None:
        """End every stream, and each that is opened from now on: the master stops."""
        self._is_closed = True
        for stream in self._streams:
            stream.end()

    def __len__(self) -> int:
        return len(self._streams)

    def _missed(self, audience: Audience, last_event_id: str | None) -> bytes | None:
        """What a client that stands at this event has to be told; None when unknown, or too much."""
        if not last_event_id:
            return b""
        frames = self._journal.since(last_event_id)
        text = audience.text_of(frames) if frames is not None else None
        return text if text is not None and len(text) <= _MOST_QUEUED_BYTES // 2 else None

    def _send(self, frames: Sequence[Frame]) -> None:
        if not frames or not self._streams:
            return
        texts: dict[Audience, bytes] = {}
        resync = self._journal.resync().text
        for stream in self._streams:
            text = texts.get(stream.audience)
            if text is None:
                text = texts[stream.audience] = stream.audience.text_of(frames)
            if text and not stream.offer(text, resync):
                self.resyncs += 1
