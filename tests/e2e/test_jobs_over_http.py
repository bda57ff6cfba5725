"""Jobs as an HTTP client sees them: saved, run on time, read, disabled, refused."""

import time
import uuid

import pytest

from tests.e2e.installation import eventually, marked_ticks, marking_command


@pytest.fixture
def job_name():
    return f"job-{uuid.uuid4().hex[:8]}"


def lines_of(http, name):
    answer = http.get(f"/log/{name}")
    return [line["text"] for line in answer.json()["output"]["lines"]] if answer.is_success else []


def test_a_saved_job_runs_and_its_output_can_be_read_within_five_seconds(http, job_name):
    """`*/2 * * * * *` is due at once; disabling it stops it."""
    saved = http.post(
        "/job/save", json={"name": job_name, "schedule": "*/2 * * * * *", "command": "echo it ran"}
    )

    assert (200, '"') == (saved.status_code, saved.headers["etag"][0])
    eventually(lambda: lines_of(http, job_name) == ["it ran"], "output", within_s=5)

    disabled = http.post(f"/job/disable/{job_name}", json={})

    assert (200, False) == (disabled.status_code, disabled.json()["enabled"])


def test_a_disabled_job_comes_due_no_more(http, job_name, tmp_path):
    """Nothing starts after the answer, and enabling starts it again."""
    marker = tmp_path / "marker"
    http.post(
        "/job/save", json={"name": job_name, "schedule": "* * * * * *", "command": marking_command(marker)}
    )
    eventually(lambda: marked_ticks(marker), "a first run")
    http.post(f"/job/disable/{job_name}", json={})
    disabled_at = int(time.time())
    # A tick that was claimed before the answer may still be writing its line.
    eventually(lambda: time.time() > disabled_at + 4, "four seconds", within_s=6)
    ticks = marked_ticks(marker)

    assert [] == [tick for tick in ticks if tick > disabled_at]

    http.post(f"/job/enable/{job_name}", json={})
    eventually(lambda: len(marked_ticks(marker)) > len(ticks), "a run after enabling")
    http.post(f"/job/disable/{job_name}", json={})


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        pytest.param("schedule", "61 * * * *", "61", id="minute out of range"),
        pytest.param("schedule", "0 0 31 2 *", "never", id="31 February"),
        pytest.param("timezone", "Mars/Olympus", "Mars/Olympus", id="unknown zone"),
        pytest.param("command", "x" * 40_000, "32768", id="command too long"),
        pytest.param("shedule", "* * * * *", "", id="misspelt field"),
    ],
)
def test_what_cannot_work_is_refused_with_the_field(http, job_name, field, value, told):
    """422, a problem, the field as a pointer and a reason a person understands."""
    document = {"name": job_name, "schedule": "* * * * *", "command": "true", field: value}
    answer = http.post("/job/save", json=document)
    problem = answer.json()

    assert (422, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert [f"/{field}"] == [error["pointer"] for error in problem["errors"]]
    assert told in problem["errors"][0]["detail"]
    assert 404 == http.get(f"/job/{job_name}").status_code


def test_no_route_but_health_is_open(installation):
    """Without the token the API answers 401 and says nothing else."""
    with installation.client() as http:
        http.headers.pop("Authorization")
        statuses = {
            path: http.get(installation.api + path).status_code
            for path in ("/livez", "/readyz", "/api/v1/job/list", "/api/v1/log/list", "/api/v1/worker/list")
        }

    assert [200, 200, 401, 401, 401] == list(statuses.values())
