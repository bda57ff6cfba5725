"""cronctl over several jobs, contexts, events and completion, against an API that is played."""

import json

import httpx2
import pytest
import typer

from common.domain.errors import Conflict, InvalidInput
from cronctl.client import Api
from cronctl.contexts import Connection, Context, Contexts, read_contexts, write_contexts
from cronctl.events import follow, read_events
from cronctl.job_versions import secret_names
from cronctl.options import JobRef
from cronctl.output import Format
from cronctl.selection import chosen_jobs, confirm, for_each

JOBS = [{"namespace": "default", "name": "a"}, {"namespace": "shop", "name": "b"}]


def played(answer):
    return Api(Connection("http://x", None, "test"), transport=httpx2.MockTransport(answer))


def listing(request):
    return httpx2.Response(200, json={"items": JOBS, "next_page_token": None, "asked": str(request.url)})


@pytest.mark.parametrize(
    ("names", "label", "everything", "expected"),
    [
        pytest.param(["a", "shop/b"], None, False, ["default/a", "shop/b"], id="names"),
        pytest.param([], "team=ops", False, ["default/a", "shop/b"], id="by label"),
        pytest.param(None, None, True, ["default/a", "shop/b"], id="all"),
    ],
)
def test_jobs_are_named_or_chosen(names, label, everything, expected):
    """Names need no request; a label and --all ask the list."""
    assert expected == [str(ref) for ref in chosen_jobs(played(listing), names, None, label, everything)]


@pytest.mark.parametrize(
    ("names", "label", "everything"),
    [(None, None, False), ([], None, False), (["a"], "team=ops", False), (["a"], None, True)],
)
def test_nothing_is_chosen_by_accident(names, label, everything):
    """No name is not all jobs, and names with --all is a slip."""
    with pytest.raises(InvalidInput):
        chosen_jobs(played(listing), names, None, label, everything)


def test_a_failure_in_the_middle_does_not_stop_the_others(capsys):
    """Each has its result; the exit code is that of the first failure; the reason is on stderr."""
    tried = []

    def act(ref):
        tried.append(ref.name)
        if ref.name == "b":
            raise Conflict("it has no schedule")
        return {}

    refs = [JobRef("default", name) for name in "abc"]
    with pytest.raises(typer.Exit) as ended:
        for_each(refs, act, "enabled", Format.JSON)
    out, err = capsys.readouterr()

    assert ["a", "b", "c"] == tried
    assert 4 == ended.value.exit_code
    assert [True, False, True] == [row["ok"] for row in json.loads(out)]
    assert "default/b: it has no schedule" in err


def test_a_question_without_anybody_to_ask_is_refused(monkeypatch, capsys):
    """A script that forgot --yes is told so, and nothing happens."""
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115 - an empty input

    with pytest.raises(InvalidInput, match="--yes"):
        confirm("Delete 3 jobs?", False)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        pytest.param({"env": {"A": "1"}}, [], id="nothing secret"),
        pytest.param({"env": {"A": {"secret": True, "value": "********"}}}, ["A"], id="environment"),
        pytest.param({"request": {"headers": {"X": {"secret": True, "value": "*"}}}}, ["X"], id="header"),
    ],
)
def test_secrets_do_not_go_into_a_copy(definition, expected):
    """A mask must not become the value."""
    assert expected == secret_names(definition)


def test_events_are_read_from_their_lines():
    """Comments are no events, and an event ends with an empty line."""
    lines = [": keep-alive", "", "id: i-1", "event: job", 'data: {"name": "a"}', "", "id: i-2", "event: hel"]

    assert [("i-1", "job", {"name": "a"})] == list(read_events(iter(lines)))


def test_a_broken_stream_is_opened_again_where_it_stood(capsys):
    """The second request names the last event of the first; a refusal in between is waited out."""
    seen = []

    def answer(request):
        seen.append(request.headers.get("last-event-id"))
        if len(seen) == 2:
            return httpx2.Response(503, json={"detail": "is starting", "code": "store_unavailable"})
        text = f'id: i-{len(seen)}\nevent: worker\ndata: {{"id": "w{len(seen)}"}}\n\n'
        return httpx2.Response(200, text=text, headers={"Content-Type": "text/event-stream"})

    told = follow(played(answer), None, pause_s=0)

    assert ["w1", "w3"] == [next(told)[1]["id"] for _ in range(2)]
    assert [None, "i-1", "i-1"] == seen
    assert "is starting" in capsys.readouterr().err


def test_a_deleted_context_is_not_current_any_more(tmp_path, monkeypatch, capsys):
    """Set, use, delete: the file says what the commands said."""
    from cronctl.context import delete_context, use_context

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "everytick" / "contexts.yaml"
    kept = {name: Context(api=f"http://{name}", token="t") for name in ("one", "two")}
    write_contexts(path, Contexts(current="one", contexts=kept))
    use_context("two")
    used = read_contexts(path).current
    delete_context("two")

    assert "two" == used
    assert (None, ["one"]) == (read_contexts(path).current, list(read_contexts(path).contexts))
