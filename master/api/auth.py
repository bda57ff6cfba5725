"""What a request may do: the one dependency that decides about rights.

Who it is has been settled at the door (`admission.py`). Every route names the right it needs through `needs`;
a route that does not is refused by the walk over all routes in the tests. Where the right is needed follows
from the signature of the operation:

- `namespace: Namespace = "default"`: there;
- `namespace: NamespaceFilter = None`: somewhere; the operation filters by `principal.within(...)`;
- no `namespace`: somewhere for see, operate and edit, and the operation calls `check_found` or `require` once
  it knows the namespace; everywhere for administer.

A namespace that one may not see answers like one that does not exist: 404, whatever is in it.
"""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request

from common.domain.errors import JobNotFound, NotAllowed, NotFound
from master.domain.rights import Principal, Right
from master.services.identities import Identity


class Needs:
    """A dependency that lets a principal with *right* through and hands it to the operation."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def __call__(self, request: Request) -> Principal:
        principal: Principal | None = request.state.principal
        if principal is None:
            raise _not_allowed(self.right, None)
        default = _default_namespace(request.scope["endpoint"])
        if default is not None:
            # The last one wins, as it does in FastAPI's own reading.
            given = {**request.query_params, **request.path_params}
            namespace = given.get("namespace", default)
            missing = JobNotFound(f"there is no job {namespace}/{request.path_params.get('name', '')}")
            check_found(principal, self.right, namespace, missing)
        elif self.right is Right.ADMINISTER:
            require(principal, self.right, None)
        elif not _somewhere(principal, self.right):
            raise _not_allowed(self.right, None)
        return principal


def needs(right: Right) -> Any:
    """`principal: Principal = needs(Right.EDIT)` in the signature of an operation."""
    decide: Callable[[Request], Principal] = Needs(right)
    return Depends(decide)


class NeedsCredential:
    """A dependency of what everybody may do who has come in: things about oneself."""

    def __call__(self, request: Request) -> Identity:
        identity: Identity | None = request.state.identity
        if identity is None:
            raise NotAllowed("this needs a credential")
        return identity


SignedInDep: TypeAlias = Annotated[Identity, Depends(NeedsCredential())]


def check_found(principal: Principal, right: Right, namespace: str, missing: NotFound) -> None:
    """
    Decide about something in *namespace* that exists or not.

    Args:
        missing: What the operation answers when there is no such thing.

    Raises:
        NotFound: *missing*, when the principal may not even see the namespace.
        NotAllowed: It may see it, and lacks *right*.
    """
    if not principal.may(Right.SEE, namespace):
        raise missing
    require(principal, right, namespace)


def require(principal: Principal, right: Right, namespace: str | None) -> None:
    """Raise NotAllowed unless the principal has *right* in *namespace*; for None, in every one."""
    if not principal.may(right, namespace):
        raise _not_allowed(right, namespace)


def _not_allowed(right: Right, namespace: str | None) -> NotAllowed:
    where = f" in namespace {namespace}" if namespace is not None else ""
    where = " in every namespace" if namespace is None and right is Right.ADMINISTER else where
    return NotAllowed(f"this needs the right to {right}{where}", right=right, namespace=namespace)


def _somewhere(principal: Principal, right: Right) -> bool:
    return principal.namespaces(right) != frozenset()


@lru_cache(maxsize=256)
def _default_namespace(endpoint: Callable[..., Any]) -> str | None:
    """
    The namespace an operation is about when the request names none; None when that is for it to find out.

    A namespace that must be given is empty here: nobody has a right there.
    """
    parameter = inspect.signature(endpoint).parameters.get("namespace")
    if parameter is None:
        return None
    default = parameter.default
    return "" if default is inspect.Parameter.empty else default
