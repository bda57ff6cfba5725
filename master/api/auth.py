"""What a request may do: the one dependency that decides about rights.

Who it is has been settled at the door (`admission.py`). Every route names the right it needs through `needs`;
a route that does not is refused by the walk over all routes in the tests.
"""

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request

from common.domain.errors import NotAllowed
from master.domain.rights import Principal, Right


class Needs:
    """A dependency that lets a principal with *right* through and hands it to the operation."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def __call__(self, request: Request) -> Principal:
        principal: Principal | None = request.state.principal
        if principal is None or not principal.may(self.right):
            raise NotAllowed(f"this needs the right to {self.right}", right=self.right)
        return principal


def needs(right: Right) -> Any:
    """`principal: Principal = needs(Right.EDIT)` in the signature of an operation."""
    decide: Callable[[Request], Principal] = Needs(right)
    return Depends(decide)
