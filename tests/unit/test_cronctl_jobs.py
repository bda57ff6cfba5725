"""How cronctl reads job names, files and flags, and follows output, against an API that is played."""

import io
import json

import httpx2
import pytest

from common.domain.errors import InvalidInput
from cronctl.client import Api
from cronctl.contexts import Connection
from cronctl.job_definition import _completed, _save_flags, definition_of, read_documents
from cronctl.job_logs import follow_execution
from cronctl.job_ticks import _tick_s
from cronctl.options import JobRef, job_ref


@pytest.mark.parametrize(
    ("typed", "namespace", "expected"),
    [
        pytest.param("backup", None, JobRef("default", "backup"), id="name"),
        pytest.param("ops/backup", None, JobRef("ops", "backup"), id="qualified"),
        pytest.param("backup", "ops", JobRef("ops", "backup"), id="option"),
        pytest.param("ops/backup", "ops", JobRef("ops", "backup"), id="both, the same"),
    ],
)
def test_job_ref(typed, namespace, expected):
    """Three ways to name a job."""
    assert expected == job_ref(typed, namespace)


@pytest.mark.parametrize(
    ("typed", "namespace"), [("ops/backup", "dev"), ("Backup", None), ("a/b/c", None), ("", None)]
)
def test_names_that_cannot_be_are_refused_before_any_request(typed, namespace):
    """Nothing that was typed becomes part of a path unchecked."""
    with pytest.raises(InvalidInput):
        job_ref(typed, namespace)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"name": "a"}', ["a"], id="JSON"),
        pytest.param('[{"name": "a"}, {"name": "b"}]', ["a", "b"], id="JSON list"),
        pytest.param("name: a", ["a"], id="YAML"),
        pytest.param("name: a\n---\nname: b\n---\n", ["a", "b"], id="YAML documents"),
    ],
)
def test_files_hold_one_job_or_several(tmp_path, text, expected):
    """JSON and YAML are told apart by their first character."""
    path = tmp_path / "jobs"
    path.write_text(text)

    assert expected == [job["name"] for job in read_documents(str(path))]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('{"name": ', "jobs:1:10", id="JSON cut off: line and column"),
        pytest.param("a: [", "line 1", id="YAML cut off"),
        pytest.param("", "holds no job", id="empty"),
        pytest.param("- just text", "job 1 is not a mapping", id="not a job"),
    ],
)
def test_files_that_cannot_be_read_say_where(tmp_path, text, told):
    """The message names the file and the place."""
    path = tmp_path / "jobs"
    path.write_text(text)

    with pytest.raises(InvalidInput, match=told):
        list(read_documents(str(path)))


def test_standard_input_is_a_file_too(monkeypatch):
    """`-f -` reads it."""
    monkeypatch.setattr("sys.stdin", io.StringIO("name: piped"))

    assert [{"name": "piped"}] == list(read_documents("-"))


def test_what_the_command_line_says_wins_over_the_file():
    """Name, namespace and flags; the rest is the file's."""
    document = {"name": "a", "namespace": "ops", "schedule": "@daily", "command": "true"}

    assert document | {"name": "b", "schedule": "@hourly"} == _completed(
        document, "b", None, {"schedule": "@hourly"}
    )
    assert document | {"namespace": "dev"} == _completed(document, None, "dev", {})


def test_only_what_a_user_writes_is_edited():
    """Identity and state are the installation's."""
    job = {"name": "a", "schedule": "@daily", "cwd": None, "uid": "x", "state": {}, "generation": 3}

    assert {"name": "a", "schedule": "@daily"} == definition_of(job)


def played(answer):
    return Api(Connection("http://x", None, "test"), transport=httpx2.MockTransport(answer))


def test_flags_change_the_version_they_were_read_from():
    """If-Match carries the version, so that nobody's change in between is lost."""
    sent = []

    def answer(request):
        if request.method == "GET":
            return httpx2.Response(
                200, json={"name": "a", "namespace": "default", "command": "x"}, headers={"etag": '"7"'}
            )
        sent.append((request.headers.get("if-match"), json.loads(request.content)))
        return httpx2.Response(200, json={})

    with played(answer) as api:
        _save_flags(api, JobRef("default", "a"), {"schedule": "@daily"}, create=False)

    assert [('"7"', {"name": "a", "namespace": "default", "command": "x", "schedule": "@daily"})] == sent


@pytest.mark.parametrize(("status", "expected"), [("succeeded", 0), ("failed", 1)])
def test_following_prints_each_line_once_and_ends_as_the_execution_did(capsys, status, expected):
    """Streams are kept apart; the last round comes after the end was seen."""
    lines = [
        {"seq": 0, "stream": "stdout", "text": "one"},
        {"seq": 1, "stream": "stderr", "text": "oops"},
        {"seq": 2, "stream": "stdout", "text": "two"},
    ]
    rounds = []

    def answer(request):
        if not request.url.path.endswith("/output"):
            return httpx2.Response(200, json={"id": "e", "status": status})
        rounds.append(request)
        after = int(request.url.params["after_seq"])
        shown = [line for line in lines if after < line["seq"] < len(rounds) // 2]
        last = max([after, *(line["seq"] for line in shown)])
        finished = last == lines[-1]["seq"]
        return httpx2.Response(200, json={"lines": shown, "next_seq": last + 1, "finished": finished})

    with played(answer) as api:
        code = follow_execution(api, "e", poll_s=0)
    told = capsys.readouterr()

    assert (expected, "one\ntwo\n", "oops\n") == (code, told.out, told.err)


@pytest.mark.parametrize(
    ("typed", "expected"), [("1767225600", 1767225600), ("2026-01-01T01:00:00+01:00", 1767225600)]
)
def test_ticks_are_instants_or_seconds(typed, expected):
    """Both name the same tick."""
    assert expected == _tick_s(typed)


def test_an_instant_without_a_zone_is_refused():
    """Guessing the zone would explain another tick."""
    with pytest.raises(InvalidInput, match="names no zone"):
        _tick_s("2026-01-01T00:00:00")
