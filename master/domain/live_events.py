"""Live events: what a stream tells, who may hear it, and what is kept for those who come back.

Pure. An event is encoded once, whoever listens. A frame without a namespace (a worker, a `resync`) is for
everybody who may see anything at all.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from common.domain.instants import utc_text

#: Events kept for streams that come back: some 10 s of a busy master, minutes of an ordinary one.
KEPT_EVENTS: Final = 2_000
KEEP_ALIVE: Final = b": keep-alive\n\n"


class EventKind(StrEnum):
    """The names of events, as clients listen for them."""

    JOB = "job"
    EXECUTION = "execution"
    WORKER = "worker"
    RESYNC = "resync"
    """Something may have been missed: ask for everything again."""
    HELLO = "hello"
    """The first word of a stream."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """
    One piece of news.

    Attributes:
        subject: What it is about; of several pieces about one subject within a moment the last one counts.
        namespace: Only for those who may see it; None is for all.
    """

    kind: EventKind
    subject: str
    namespace: str | None
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as it goes over the wire."""

    number: int
    namespace: str | None
    text: bytes


@dataclass(frozen=True, slots=True)
class Audience:
    """The namespaces a stream may and wants to hear of; None is all of them."""

    namespaces: frozenset[str] | None = None

    def hears(self, frame: Frame) -> bool:
        return self.namespaces is None or frame.namespace is None or frame.namespace in self.namespaces

    def text_of(self, frames: Iterable[Frame]) -> bytes:
        """What of *frames* goes to this audience."""
        return b"".join(frame.text for frame in frames if self.hears(frame))


def encode(kind: EventKind, event_id: str, data: Mapping[str, object]) -> bytes:
    """One event in the format of `text/event-stream`; JSON has no line breaks of its own."""
    body = json.dumps(data, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event_id}\nevent: {kind}\ndata: {body}\n\n".encode()


class Journal:
    """
    The newest events of one master, numbered from 1.

    Attributes:
        instance: This start of this master; numbers of another one mean nothing here.
        number: That of the newest event.
    """

    def __init__(self, instance: str, kept: int = KEPT_EVENTS) -> None:
        self.instance = instance
        self.number = 0
        self._frames: deque[Frame] = deque(maxlen=kept)
        self._complete_after = 0

    def add(self, event: LiveEvent) -> Frame:
        """Number, encode and keep *event*."""
        self.number += 1
        if self._frames.maxlen == len(self._frames) and self._frames:
            self._complete_after = self._frames[0].number
        frame = Frame(self.number, event.namespace, encode(event.kind, self.id, event.data))
        self._frames.append(frame)
        return frame

    def break_off(self) -> Frame:
        """Note that events were left out; nobody can resume from before here. Returns the `resync`."""
        self.number += 1
        self._frames.clear()
        self._complete_after = self.number
        return self.resync()

    def resync(self) -> Frame:
        """A `resync` that stands at the newest event."""
        return Frame(self.number, None, encode(EventKind.RESYNC, self.id, {}))

    def since(self, event_id: str) -> list[Frame] | None:
        """Everything behind the event with this id; None when that cannot be told any more."""
        instance, _, number = event_id.rpartition("-")
        if instance != self.instance or not number.isdecimal():
            return None
        if not self._complete_after <= int(number) <= self.number:
            return None
        return [frame for frame in self._frames if frame.number > int(number)]

    @property
    def id(self) -> str:
        """Id of the newest event."""
        return f"{self.instance}-{self.number}"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
