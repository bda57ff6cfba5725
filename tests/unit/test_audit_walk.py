"""Every route that may change something says what the audit trail is to hold of it."""

import pytest
from fastapi.routing import APIRoute

from master.api.audited import CHANGING_METHODS, Audited, marks_of
from master.app import ROUTERS

ROUTES = [
    pytest.param(route, id=f"{'/'.join(sorted(route.methods))} {route.path}")
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
]


@pytest.mark.parametrize("route", [row for row in ROUTES if CHANGING_METHODS & row.values[0].methods])
def test_a_changing_route_names_its_action(route: APIRoute):
    """One mark: an action, or that nothing changes."""
    assert 1 == len(marks_of(route))


def test_no_two_routes_share_an_action():
    """An entry tells which request it comes from."""
    actions = [mark.action for row in ROUTES for mark in marks_of(row.values[0]) if isinstance(mark, Audited)]

    assert len(set(actions)) == len(actions)
