"""`cronctl audit` against an API that is played."""

import httpx2
import pytest
from typer.testing import CliRunner

from cronctl import audit
from cronctl.client import Api
from cronctl.contexts import Connection

WHOLE = {"ok": True, "checked": 3, "first_seq": 1, "last_seq": 3, "last_hash": "ab", "broken_at": None}
BROKEN = WHOLE | {"ok": False, "broken_at": 2, "detail": "entry 2 was altered after it was written"}


@pytest.mark.parametrize(
    ("verdict", "code", "shown"),
    [
        pytest.param(WHOLE | {"detail": "every entry follows"}, 0, "every entry follows", id="whole"),
        pytest.param(BROKEN, 1, "entry 2 was altered", id="broken"),
    ],
)
def test_verify_tells_scripts_and_people(monkeypatch, verdict, code, shown):
    """The exit code for scripts, the sentence for people."""
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, json=verdict))
    connection = Connection(api="http://127.0.0.1", token="t", origin="test")
    monkeypatch.setattr(audit, "connect", lambda _context: Api(connection, transport))

    result = CliRunner().invoke(audit.app, ["verify"])

    assert code == result.exit_code
    assert shown in result.output
