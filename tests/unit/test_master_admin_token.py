"""The file of the admin token: made once, read by its owner only."""

import stat
from pathlib import Path

import pytest

from common.domain.errors import ConfigError
from master.services.admin_token import read_or_create_token


def test_the_first_start_makes_a_token(tmp_path: Path):
    """Mode 0600, one line, and the same token at the next start."""
    path = tmp_path / "state" / "admin-token"
    token = read_or_create_token(path)

    assert token.startswith("et_admin_")
    assert len(token) == len("et_admin_") + 43
    assert f"{token}\n" == path.read_text()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert token == read_or_create_token(path)
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        pytest.param("et_admin_" + "x" * 43, 0o644, "read by others", id="others can read it"),
        pytest.param("", 0o600, "holds no token", id="empty"),
        pytest.param("short", 0o600, "holds no token", id="too short"),
        pytest.param("two lines of text\nare no token at all", 0o600, "holds no token", id="not one line"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path: Path, content: str, mode: int, words: str):
    """The message names the key, the file and what to do."""
    path = tmp_path / "admin-token"
    path.write_text(content)
    path.chmod(mode)

    with pytest.raises(ConfigError, match=words) as refused:
        read_or_create_token(path)
    assert f"adminTokenFile: {path}" in str(refused.value)
