"""The command line against a running installation: output forms, exit codes, what it says."""

import json
import uuid

import pytest
import yaml

from tests.e2e.installation import eventually


@pytest.fixture
def job_name():
    return f"cli-{uuid.uuid4().hex[:8]}"


def test_a_job_from_flags_to_its_end(installation, job_name):
    """Saved, shown, run with its output followed, disabled, deleted."""
    saved = installation.cronctl(
        "job",
        "save",
        job_name,
        "--schedule",
        "0 3 * * *",
        "--timezone",
        "Europe/Berlin",
        "--command",
        "echo hi",
    )
    shown = installation.cronctl("job", "get", job_name, "-o", "json")
    ran = installation.cronctl("job", "run", job_name, "--follow")
    disabled = installation.cronctl("job", "disable", job_name, "-o", "json")
    deleted = installation.cronctl("job", "delete", job_name, "--yes")
    gone = installation.cronctl("job", "get", job_name)

    assert [0, 0, 0, 0, 0, 3] == [call.returncode for call in (saved, shown, ran, disabled, deleted, gone)], [
        call.stderr for call in (saved, shown, ran, disabled, deleted, gone)
    ]
    assert "Europe/Berlin" == json.loads(shown.stdout)["timezone"]
    assert "hi\n" == ran.stdout
    assert json.loads(disabled.stdout)["state"]["paused"]


def test_a_file_may_hold_several_jobs(installation, tmp_path, job_name):
    """YAML with two documents saves two jobs; the names come back."""
    documents = [{"name": f"{job_name}-{number}", "command": "true"} for number in (1, 2)]
    path = tmp_path / "jobs.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    saved = installation.cronctl("job", "save", "-f", str(path), "-o", "name")

    assert [f"default/{job_name}-1", f"default/{job_name}-2"] == saved.stdout.split()


def test_flags_change_only_what_they_name(installation, job_name):
    """A second save keeps the command of the first."""
    installation.cronctl("job", "save", job_name, "--schedule", "0 3 * * *", "--command", "echo kept")
    installation.cronctl("job", "save", job_name, "--schedule", "0 4 * * *")
    shown = json.loads(installation.cronctl("job", "get", job_name, "-o", "json").stdout)

    assert ("0 4 * * *", "echo kept", 2) == (shown["schedule"], shown["command"], shown["generation"])


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        pytest.param(("job", "get", "no-such-job"), 3, "no-such-job", id="not found"),
        pytest.param(("job", "save", "hello", "--create", "--command", "true"), 4, "exists", id="conflict"),
        pytest.param(
            ("job", "save", "x", "--schedule", "61 * * * *", "--command", "true"), 2, "61", id="422"
        ),
        pytest.param(("job", "get"), 2, "JOB", id="missing argument"),
        pytest.param(("--api", "http://127.0.0.1:9", "job", "list"), 1, "cannot reach", id="nothing there"),
        pytest.param(("--token", "wrong", "job", "list"), 1, "cronctl login", id="wrong token"),
    ],
)
def test_exit_codes(installation, arguments, code, told):
    """Failures are told apart by code, and to people in a sentence on stderr."""
    call = installation.cronctl(*arguments)

    assert (code, "", True) == (call.returncode, call.stdout, told in call.stderr), call.stderr
    assert "Traceback" not in call.stderr


def test_lists_are_tab_separated_in_a_pipe(installation):
    """`cut -f2` finds the name of the sample job, and both workers are there."""
    jobs = [line.split("\t") for line in installation.cronctl("job", "list").stdout.splitlines()]
    workers = installation.cronctl("worker", "list", "-o", "name").stdout.split()

    assert "hello" in [row[1] for row in jobs]
    assert ["worker-1", "worker-2"] == sorted(workers)


def test_the_sample_job_can_be_looked_at_from_every_side(installation):
    """Output, ticks to come, ticks that were, and why the last one ran."""
    eventually(
        lambda: "hello from" in installation.cronctl("job", "logs", "hello").stdout, "output", within_s=25
    )
    ticks = json.loads(installation.cronctl("job", "next", "hello", "-c", "8", "-o", "json").stdout)
    rows = json.loads(installation.cronctl("job", "ledger", "hello", "-o", "json").stdout)
    last = next(row["tick"] for row in rows if row["kind"] == "execution")
    told = json.loads(
        installation.cronctl("job", "explain", "hello", "--tick", str(last), "-o", "json").stdout
    )

    assert 8 == len(ticks)
    assert "ran" == told["verdict"]


def test_version_names_both_sides(installation):
    """What runs here and what runs there."""
    told = json.loads(installation.cronctl("version", "-o", "json").stdout)

    assert told["cronctl"] == told["installation"]["version"]
