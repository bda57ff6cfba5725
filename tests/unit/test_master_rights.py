"""Who may do what, as tables: role x right x own and foreign namespace."""

import pytest

from master.domain.rights import Grant, Principal, PrincipalKind, Right, Role, administrator

SHOP = frozenset({"shop"})


def user(*grants: Grant) -> Principal:
    return Principal("kim", PrincipalKind.USER, grants)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        pytest.param(Role.VIEWER, {Right.SEE}, id="viewer"),
        pytest.param(Role.OPERATOR, {Right.SEE, Right.OPERATE}, id="operator"),
        pytest.param(Role.EDITOR, {Right.SEE, Right.OPERATE, Right.EDIT}, id="editor"),
        pytest.param(Role.ADMIN, set(Right), id="admin"),
    ],
)
@pytest.mark.parametrize("right", Right)
def test_a_role_in_one_namespace(role: Role, expected: set[Right], right: Right):
    """It has its rights in that namespace, and none in another or in all."""
    principal = user(Grant(role, SHOP))
    answers = [principal.may(right, where) for where in ("shop", "foreign", None)]

    assert [right in expected, False, False] == answers


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("right", Right)
def test_a_role_everywhere(role: Role, right: Right):
    """It reaches every namespace, also those nobody has thought of yet."""
    principal = user(Grant(role))
    answers = {principal.may(right, where) for where in ("shop", "new", None)}

    assert {right in role.rights} == answers


@pytest.mark.parametrize(
    ("grants", "right", "expected"),
    [
        pytest.param([], Right.SEE, frozenset(), id="nothing granted"),
        pytest.param([Grant(Role.VIEWER)], Right.SEE, None, id="everywhere"),
        pytest.param([Grant(Role.VIEWER)], Right.EDIT, frozenset(), id="a right it does not have"),
        pytest.param(
            [Grant(Role.VIEWER, SHOP), Grant(Role.EDITOR, frozenset({"mail"}))],
            Right.SEE,
            frozenset({"shop", "mail"}),
            id="two grants add up",
        ),
        pytest.param(
            [Grant(Role.VIEWER), Grant(Role.OPERATOR, SHOP)], Right.OPERATE, SHOP, id="each right by itself"
        ),
    ],
)
def test_where_a_right_reaches(grants: list[Grant], right: Right, expected: frozenset[str] | None):
    """None is everywhere, the empty set nowhere."""
    assert expected == user(*grants).namespaces(right)


@pytest.mark.parametrize(
    ("grant", "asked", "expected"),
    [
        pytest.param(Grant(Role.VIEWER), None, None, id="all of all"),
        pytest.param(Grant(Role.VIEWER), "shop", ("shop",), id="one of all"),
        pytest.param(Grant(Role.VIEWER, SHOP), None, ("shop",), id="all that is allowed"),
        pytest.param(Grant(Role.VIEWER, SHOP), "shop", ("shop",), id="the allowed one"),
        pytest.param(Grant(Role.VIEWER, SHOP), "foreign", (), id="a foreign one"),
    ],
)
def test_what_a_list_may_show(grant: Grant, asked: str | None, expected: tuple[str, ...] | None):
    """A list is cut to what one may see; a foreign namespace is as empty as one that does not exist."""
    assert expected == user(grant).within(Right.SEE, asked)


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [
        pytest.param(Grant(Role.EDITOR, SHOP), Grant(Role.VIEWER, SHOP), True, id="less"),
        pytest.param(Grant(Role.EDITOR, SHOP), Grant(Role.EDITOR, SHOP), True, id="the same"),
        pytest.param(Grant(Role.EDITOR, SHOP), Grant(Role.ADMIN, SHOP), False, id="a higher role"),
        pytest.param(Grant(Role.EDITOR, SHOP), Grant(Role.VIEWER), False, id="everywhere"),
        pytest.param(
            Grant(Role.EDITOR, SHOP), Grant(Role.VIEWER, frozenset({"foreign"})), False, id="elsewhere"
        ),
    ],
)
def test_nobody_hands_on_more_than_they_have(own: Grant, given: Grant, expected: bool):
    """What a new token may do is covered by what its maker may do."""
    assert expected == user(own).covers(given)


def test_the_admin_token_may_everything():
    """It starts an installation: every right, everywhere."""
    principal = administrator("admin")

    assert all(principal.may(right, None) for right in Right)
