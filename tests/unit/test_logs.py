"""The log: one format for everybody, no secrets, files that rotate."""

import json
import logging

import pytest
import structlog

from common.domain.errors import ConfigError
from common.runtime.logs import configure_logging, mask_secrets, mask_uri_password


@pytest.fixture
def stderr(capsys):
    """Reads what was logged to a stderr that is no terminal; the set-up of other tests comes back."""
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    source_file = logging._srcfile
    root.handlers = []
    yield lambda: capsys.readouterr().err
    for handler in root.handlers:
        handler.close()
    root.handlers, logging.raiseExceptions, logging._srcfile = handlers, raising, source_file
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.configure(**before)


def events_in(text):
    events = [json.loads(line) for line in text.splitlines()]
    return [{key: value for key, value in event.items() if key != "timestamp"} for event in events]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"password": "hunter2"}, {"password": "***"}, id="password"),
        pytest.param({"api_token": "et_1"}, {"api_token": "***"}, id="part of a name"),
        pytest.param({"Set-Cookie": "s=1"}, {"Set-Cookie": "***"}, id="header"),
        pytest.param({"token_id": "7"}, {"token_id": "7"}, id="an id is no secret"),
        pytest.param(
            {"password_file": "/run/pw"}, {"password_file": "/run/pw"}, id="nor is the name of a file"
        ),
        pytest.param({"a": {"secret": "x"}}, {"a": {"secret": "***"}}, id="nested"),
        pytest.param({"a": [{"secret": "x"}]}, {"a": [{"secret": "***"}]}, id="in a list"),
        pytest.param({"password": None}, {"password": None}, id="absence is worth knowing"),
        pytest.param(
            {"error": ValueError("mongodb://u:p@h")}, {"error": "ValueError: mongodb://u:***@h"}, id="error"
        ),
        pytest.param({"keyboard": "x", "n": 3}, {"keyboard": "x", "n": 3}, id="everything else stays"),
    ],
)
def test_mask_secrets(event, expected):
    """Values under a telling name are hidden wherever they stand."""
    assert expected == mask_secrets(None, "info", event)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("mongodb://u:p@h/db", "mongodb://u:***@h/db", id="one"),
        pytest.param("mongodb://u:p@q@h/db", "mongodb://u:***@h/db", id="an unescaped at sign"),
        pytest.param("a://u:p@h b://v:q@i", "a://u:***@h b://v:***@i", id="two"),
        pytest.param("mongodb://h:27017/db", "mongodb://h:27017/db", id="no password"),
        pytest.param("mail me@example.com", "mail me@example.com", id="no URI"),
    ],
)
def test_mask_uri_password(text, expected):
    """Only the password goes; where it leads stays readable."""
    assert expected == mask_uri_password(text)


def test_our_events_and_those_of_libraries_look_alike(stderr):
    """JSON lines on stderr, from structlog and from the standard library."""
    configure_logging("info", "auto")

    structlog.get_logger().info("worker.started", slots=5)
    logging.getLogger("pymongo").warning("lost %s", "mongodb://u:p@h")

    expected = [
        {"event": "worker.started", "level": "info", "slots": 5},
        {"event": "lost mongodb://u:***@h", "level": "warning", "logger": "pymongo"},
    ]
    assert expected == events_in(stderr())


def test_levels(stderr):
    """The level holds for everybody; libraries and their requests stay quieter than we are."""
    configure_logging("debug", "json")

    structlog.get_logger().debug("plan.changed")
    logging.getLogger("pymongo").debug("a whole command")
    logging.getLogger("uvicorn.access").info("GET /")

    expected = [{"event": "plan.changed", "level": "debug"}]
    assert expected == events_in(stderr())


def test_passwords_in_tracebacks_are_masked(stderr):
    """The exception's text passes the same mask."""
    configure_logging("info", "json")

    try:
        raise ValueError("mongodb://u:hunter2@h")
    except ValueError:
        structlog.get_logger().exception("sink.failed")

    text = stderr()
    assert "hunter2" not in text
    assert "mongodb://u:***@h" in text


def test_the_file_gets_what_stderr_gets(stderr, tmp_path):
    """A file is an addition, not a replacement."""
    file = tmp_path / "worker.log"
    configure_logging("info", "auto", file)

    structlog.get_logger().info("worker.started")

    assert stderr() == file.read_text()


def test_a_traceback_is_in_each_of_two_places(stderr, tmp_path):
    """Rendering an event for one handler takes nothing from the next."""
    file = tmp_path / "worker.log"
    configure_logging("info", "json", file)

    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("sink.failed", batch={"size": 3})

    assert "ValueError: broken" in file.read_text()
    assert stderr() == file.read_text()


def test_a_file_moved_away_is_opened_anew(stderr, tmp_path):
    """What logrotate does works without a signal."""
    file = tmp_path / "worker.log"
    configure_logging("info", "json", file)

    structlog.get_logger().info("first")
    file.rename(tmp_path / "worker.log.1")
    structlog.get_logger().info("second")

    expected = ["second"]
    assert expected == [event["event"] for event in events_in(file.read_text())]


def test_a_full_file_is_rotated(stderr, tmp_path):
    """With a size limit we rotate ourselves and keep only so many."""
    configure_logging("info", "json", tmp_path / "worker.log", max_bytes=200, backups=2)

    for number in range(30):
        structlog.get_logger().info("worker.started", number=number)

    expected = ["worker.log", "worker.log.1", "worker.log.2"]
    assert expected == sorted(path.name for path in tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(stderr, tmp_path):
    """The key, the path and the reason."""
    file = tmp_path / "absent" / "worker.log"

    with pytest.raises(ConfigError) as caught:
        configure_logging("info", "json", file)

    assert f"logFile: cannot write {file}: no such file or directory" == str(caught.value)
