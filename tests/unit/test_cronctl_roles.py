"""Roles as they are typed at `cronctl user`."""

import pytest

from common.domain.errors import InvalidInput
from cronctl.roles import read_role, roles_text


@pytest.mark.parametrize(
    ("text", "role", "namespaces"),
    [
        pytest.param("viewer", "viewer", None, id="everywhere"),
        pytest.param("operator:shop", "operator", ["shop"], id="one namespace"),
        pytest.param("editor:shop,mail", "editor", ["shop", "mail"], id="several"),
    ],
)
def test_a_role_and_back(text: str, role: str, namespaces: list[str] | None):
    """What is typed is what is shown."""
    found = read_role(text)

    assert {"role": role, "namespaces": namespaces} == found
    assert text == roles_text([found])


@pytest.mark.parametrize("text", ["root", "", "viewer:", "viewer:shop,", ":shop"])
def test_what_is_no_role(text: str):
    """An empty namespace is not silently every namespace."""
    with pytest.raises(InvalidInput):
        read_role(text)
