"""What the API answers about the audit trail."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from master.api.schemas import Page, Schema
from master.domain.audit import Action, ActorKind, Outcome


class AuditEntry(Schema):
    """One change that was made, refused or failed."""

    seq: Annotated[int, Field(description="Place in the chain; without gaps.")]
    entry_id: str
    at: Annotated[datetime, Field(description="When it happened, also if it was stored later.")]
    actor: Annotated[str, Field(description="Account or token; `everytick` is the master itself.")]
    actor_kind: ActorKind
    client: Annotated[str | None, Field(description="Address it came from.")]
    action: Action
    object: Annotated[str | None, Field(description="Name or id of what it was about.")]
    namespace: str | None
    outcome: Outcome
    detail: Annotated[str | None, Field(description="Why it was refused or failed.")]
    before: Annotated[Any, Field(description="What was replaced, secrets masked.")]
    after: Annotated[Any, Field(description="What replaced it, secrets masked.")]
    request_id: str
    hash: Annotated[str, Field(description="SHA-256 of this entry and of the hash before it.")]
    previous_hash: str


class AuditEntryPage(Page[AuditEntry]):
    """Entries, newest first."""


class AuditCheck(Schema):
    """Whether the chain is whole."""

    ok: bool
    checked: int
    first_seq: int | None
    last_seq: int | None
    last_hash: Annotated[str | None, Field(description="Hash of the last good entry: note it elsewhere.")]
    broken_at: Annotated[int | None, Field(description="The first entry that does not fit.")]
    detail: str
