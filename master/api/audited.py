"""How an operation says what the audit trail is to hold of it.

    @router.post("/save", dependencies=[audited(Action.JOB_SAVE)])
    async def save_job(draft: DraftDep, ...):
        draft.about(definition.name, definition.namespace)
        ...
        draft.changed(before, after)

The entry is written by the layer in `audit_layer.py` when the answer is known: `done`, `refused` or `failed`.
A route that takes POST and changes nothing says so with `changes_nothing`; one that says neither does not
pass the walk over all routes in the tests.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Request
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from common.domain.job import JobDefinition
from common.runtime.clock import Clock, new_nonce
from master.domain.audit import Action, ActorKind, Fact, Outcome, in_milliseconds, storable
from master.domain.audit_values import audit_text, job_change
from master.domain.rights import Principal

CHANGING_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
#: What a route calls the thing it is about.
_OBJECT_PARAMETERS: Final = ("name", "execution_id", "worker_id", "token_id", "id")
_UNKNOWN: Final = "unknown"


@dataclass(slots=True)
class Draft:
    """
    What will be recorded of this request; the operation fills in what it knows.

    Attributes:
        actor: Set by a sign-in: whom the request claims, or proves, to be.
        items: Entries of a batch, in place of one for all.
    """

    action: Action
    id: str = field(default_factory=new_nonce)
    actor: str | None = None
    actor_kind: ActorKind | None = None
    target: str | None = None
    namespace: str | None = None
    detail: str | None = None
    before: object = None
    after: object = None
    outcome: Outcome | None = None
    items: list["Draft"] = field(default_factory=list)

    def about(self, target: str, namespace: str | None = None) -> None:
        """Name what it is about: the `object` of the entry."""
        self.target, self.namespace = target, namespace

    def changed(self, before: object, after: object) -> None:
        """Show what was replaced by what; values are masked by name and by their secret mark."""
        self.before, self.after = before, after

    def changed_job(self, before: JobDefinition | None, after: JobDefinition | None) -> None:
        """Show what differs between two versions of a job; None is a job that was not or is no more."""
        self.before, self.after = job_change(before, after)

    def item(
        self,
        action: Action,
        target: str,
        namespace: str | None = None,
        *,
        outcome: Outcome = Outcome.DONE,
        detail: str | None = None,
    ) -> "Draft":
        """One part of a batch, with an entry of its own."""
        part = Draft(action, target=target, namespace=namespace, outcome=outcome, detail=detail)
        self.items.append(part)
        return part


class Audited:
    """A dependency that opens the draft of a request, and leaves the intent in the journal."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request) -> None:
        draft = Draft(self.action)
        request.state.audit = draft
        services = request.app.state.services
        services.audit.intend(fact_of(draft, request.scope, services.clock, Outcome.FAILED))


class ChangesNothing:
    """A dependency that only says: POST because the question needs a body."""

    async def __call__(self) -> None:
        return


def audited(action: Action) -> Any:
    """Every request to this route is recorded as *action*."""
    return Depends(Audited(action))


def changes_nothing() -> Any:
    """Requests to this route leave everything as it is, whatever their method."""
    return Depends(ChangesNothing())


async def _draft(request: Request) -> Draft:
    draft: Draft = request.state.audit
    return draft


DraftDep: TypeAlias = Annotated[Draft, Depends(_draft)]


def marks_of(route: BaseRoute) -> list[Audited | ChangesNothing]:
    """What a route says about its changes."""
    dependencies: Iterable[Any] = getattr(route, "dependencies", ())
    return [
        found.dependency for found in dependencies if isinstance(found.dependency, Audited | ChangesNothing)
    ]


def action_at(scope: Scope, routes: Sequence[BaseRoute]) -> Action | None:
    """
    What a changing request would have been, had it come as far as its route; None when that changes nothing.

    Puts the parameters of the address into *scope*, as coming there would have.
    """
    for route in routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            scope["path_params"] = found["path_params"]
            marks = marks_of(route)
            if any(isinstance(mark, ChangesNothing) for mark in marks):
                return None
            return next((mark.action for mark in marks if isinstance(mark, Audited)), Action.REQUEST)
    return Action.REQUEST


def fact_of(draft: Draft, scope: Scope, clock: Clock, outcome: Outcome) -> Fact:
    """The fact *draft* stands for, with what the request itself says."""
    principal: Principal | None = scope["state"].get("principal")
    name, namespace = _named_by(scope, draft)
    return Fact(
        id=draft.id,
        at=in_milliseconds(clock.now()),
        actor=storable(draft.actor or (principal.name if principal else _UNKNOWN)) or _UNKNOWN,
        actor_kind=draft.actor_kind or _kind_of(principal),
        client=scope["state"].get("client"),
        action=draft.action,
        object=storable(name),
        namespace=storable(namespace),
        outcome=draft.outcome or outcome,
        detail=storable(draft.detail),
        before=audit_text(draft.before),
        after=audit_text(draft.after),
        request_id=scope["state"].get("request_id", ""),
    )


def _kind_of(principal: Principal | None) -> ActorKind:
    return ActorKind.ANONYMOUS if principal is None else ActorKind(principal.kind.value)


def _named_by(scope: Scope, draft: Draft) -> tuple[str | None, str | None]:
    """Object and namespace as the draft has them, else as the address does."""
    if draft.target is not None:
        return draft.target, draft.namespace
    if draft.action is Action.REQUEST:
        return scope["path"], None
    parameters = scope.get("path_params", {})
    name = next((str(parameters[key]) for key in _OBJECT_PARAMETERS if key in parameters), None)
    is_job = draft.action.family == "job" and name is not None
    return name, Request(scope).query_params.get("namespace", "default") if is_job else None
