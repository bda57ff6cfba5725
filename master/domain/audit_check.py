"""Whether the audit trail is whole: entry by entry, from its anchor to its end.

Pure. What it proves: nothing between the two ends was altered, removed or put in. Somebody who can write to
the database could make a whole chain anew; comparing the last hash with one that was noted elsewhere finds
that out.
"""

from dataclasses import dataclass

from master.domain.audit import Anchor, Entry, is_authentic


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """
    What a check of the chain found.

    Attributes:
        broken_at: The first entry that does not fit; None while all do.
        last_hash: Hash of the last good entry, to be noted outside.
    """

    ok: bool
    checked: int
    first_seq: int | None
    last_seq: int | None
    last_hash: str | None
    broken_at: int | None
    detail: str


class ChainCheck:
    """
    Takes the entries behind *anchor* in ascending order, until one does not fit.

    Args:
        newest: The newest entry that is known otherwise: the chain must reach and contain it.
    """

    def __init__(self, anchor: Anchor, newest: Anchor | None = None) -> None:
        self._tail = anchor
        self._newest = newest
        self._first_seq: int | None = None
        self._checked = 0
        self._broken_at: int | None = None
        self._reason = ""

    def accepts(self, entry: Entry) -> bool:
        """Whether *entry* continues the chain; after the first that does not, the check is over."""
        expected = self._tail.seq + 1
        if entry.seq != expected:
            return self._broken(expected, f"entry {expected} is missing: the next one is {entry.seq}")
        if entry.previous_hash != self._tail.hash:
            return self._broken(
                entry.seq, f"entry {entry.seq} does not follow the one before it: that one was replaced"
            )
        if not is_authentic(entry):
            return self._broken(entry.seq, f"entry {entry.seq} was altered after it was written")
        if self._newest and entry.seq == self._newest.seq and entry.hash != self._newest.hash:
            return self._broken(entry.seq, f"entry {entry.seq} is not the one this master has seen there")
        self._tail = entry.anchor
        self._first_seq = self._first_seq or entry.seq
        self._checked += 1
        return True

    def verdict(self) -> AuditVerdict:
        """What was found so far."""
        if self._broken_at is None and self._newest and self._newest.seq > self._tail.seq:
            first, last = self._tail.seq + 1, self._newest.seq
            self._broken(first, f"the entries from {first} on are missing: there was an entry {last}")
        is_whole = self._broken_at is None
        return AuditVerdict(
            ok=is_whole,
            checked=self._checked,
            first_seq=self._first_seq,
            last_seq=self._tail.seq if self._checked else None,
            last_hash=self._tail.hash if self._checked else None,
            broken_at=self._broken_at,
            detail="every entry follows the one before it" if is_whole else self._reason,
        )

    def _broken(self, seq: int, reason: str) -> bool:
        self._broken_at, self._reason = seq, reason
        return False
