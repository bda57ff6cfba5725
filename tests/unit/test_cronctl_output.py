"""What commands print, and how failures read."""

import json

import httpx2
import pytest
import yaml

from common.domain.errors import Conflict, CronError, InvalidInput, NotAllowed, NotFound, StoreUnavailable
from cronctl.client import Api
from cronctl.contexts import Connection
from cronctl.failures import Unreachable, error_of, exit_code_of
from cronctl.output import Column, Format, cell_text, duration_text, print_one, print_rows

COLUMNS = (Column("NAME", lambda row: row["name"]), Column("LABELS", lambda row: row.get("labels")))
ROWS = [{"name": "a", "labels": {"k": "v"}}, {"name": "b\tc"}]
REQUEST = httpx2.Request("GET", "http://127.0.0.1:8070/api/v1/job/list")


def printed(capsys, form, rows=ROWS):
    print_rows(rows, COLUMNS, form, name=lambda row: row["name"], empty="no jobs")
    return capsys.readouterr()


def test_a_table_in_a_pipe_is_tab_separated(capsys):
    """One line per row whatever the cells hold."""
    assert "NAME\tLABELS\na\tk=v\nb c\t\n" == printed(capsys, Format.TABLE).out


def test_forms_for_programs_hold_the_rows_as_they_are(capsys):
    """JSON and YAML are the API's own answer."""
    assert ROWS == json.loads(printed(capsys, Format.JSON).out)
    assert ROWS == yaml.safe_load(printed(capsys, Format.YAML).out)
    assert "a\nb\tc\n" == printed(capsys, Format.NAME).out


def test_an_empty_list_is_a_remark_to_people_and_nothing_to_programs(capsys):
    """The word goes to stderr, so that a pipe counts no line."""
    empty = printed(capsys, Format.TABLE, [])

    assert ("", "no jobs\n") == (empty.out, empty.err)
    assert "[]\n" == printed(capsys, Format.JSON, []).out


def test_one_object_is_a_line_per_field(capsys):
    """Empty ones are left out, several lines are indented."""
    columns = (
        Column("name", lambda row: row["name"]),
        Column("next ticks", lambda _: "1\n2"),
        Column("none", lambda _: None),
    )
    print_one({"name": "a"}, columns, Format.TABLE, name="a")

    assert "name        a\nnext ticks  1\n            2\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (True, "yes"), ({"a": 1}, "a=1"), (["x", "y"], "x, y"), (0, "0")],
)
def test_cell_text(value, expected):
    """Values as people read them."""
    assert expected == cell_text(value)


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(None, ""), (7, "7 ms"), (1840, "1.8 s"), (125_000, "2 m 05 s"), (3_720_000, "1 h 02 m")],
)
def test_duration_text(milliseconds, expected):
    """Two figures are enough."""
    assert expected == duration_text(milliseconds)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CronError(), 1),
        (StoreUnavailable(), 1),
        (NotAllowed(), 1),
        (Unreachable(), 1),
        (InvalidInput(), 2),
        (NotFound(), 3),
        (Conflict(), 4),
    ],
)
def test_exit_codes(error, expected):
    """Scripts tell usage, absence and conflict apart."""
    assert expected == exit_code_of(error)


def problem(status, **members):
    return httpx2.Response(
        status, json=members, headers={"content-type": "application/problem+json"}, request=REQUEST
    )


@pytest.mark.parametrize(
    ("response", "kind", "told"),
    [
        pytest.param(
            problem(
                422,
                detail="61 is not a minute",
                errors=[{"pointer": "/schedule", "detail": "61 is not a minute"}],
            ),
            InvalidInput,
            "schedule: 61 is not a minute",
            id="one field",
        ),
        pytest.param(
            problem(
                422,
                detail="The job has 2 errors.",
                errors=[
                    {"pointer": "/retry/delay_s", "detail": "too small"},
                    {"pointer": "", "detail": "whole"},
                ],
            ),
            InvalidInput,
            "The job has 2 errors.\n  retry.delay_s: too small\n  whole",
            id="several",
        ),
        pytest.param(problem(404, title="There is no job."), NotFound, "There is no job.", id="title only"),
        pytest.param(problem(412, detail="Changed."), Conflict, "Changed.", id="conflict"),
        pytest.param(
            problem(500, detail="A bug.", request_id="r1"),
            CronError,
            "A bug.\n  request r1; the master's log says more",
            id="bug",
        ),
        pytest.param(
            httpx2.Response(502, text="<html>", request=REQUEST),
            CronError,
            "http://127.0.0.1:8070/api/v1/job/list answered 502 Bad Gateway",
            id="not a problem",
        ),
    ],
)
def test_problems_are_told_in_sentences(response, kind, told):
    """Field, reason, and where to look; no JSON."""
    error = error_of(response)

    assert (True, told) == (isinstance(error, kind), str(error))


def api_answering(*answers):
    asked = []

    def answer(request):
        asked.append(request)
        return answers[len(asked) - 1]

    return Api(Connection("http://x", "secret", "test"), transport=httpx2.MockTransport(answer)), asked


def test_pages_are_followed_to_the_end():
    """The token of each page asks for the next one; absent parameters are not sent."""
    api, asked = api_answering(
        httpx2.Response(200, json={"items": [{"n": 1}], "next_page_token": "t2"}),
        httpx2.Response(200, json={"items": [{"n": 2}], "next_page_token": None}),
    )
    with api:
        rows = list(api.pages("/job/list", q=None, enabled=True))

    assert [{"n": 1}, {"n": 2}] == rows
    assert [
        {"enabled": "true", "page_size": "500"},
        {"enabled": "true", "page_size": "500", "page_token": "t2"},
    ] == [dict(request.url.params) for request in asked]
    assert "Bearer secret" == asked[0].headers["authorization"]


def test_a_limit_ends_the_pages():
    """No page is asked for in vain."""
    api, asked = api_answering(
        httpx2.Response(200, json={"items": [{"n": 1}, {"n": 2}], "next_page_token": "t"})
    )
    with api:
        rows = list(api.pages("/job/list", limit=2))

    assert (2, 1, "2") == (len(rows), len(asked), asked[0].url.params["page_size"])


def test_an_answer_that_is_not_json_is_not_an_everytick():
    """A wrong address that answers politely."""
    api, _ = api_answering(httpx2.Response(200, text="<html>"))
    with api, pytest.raises(Unreachable, match="is it an everytick API"):
        api.get("/job/list")
