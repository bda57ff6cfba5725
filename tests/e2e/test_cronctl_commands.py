"""The command line against a running installation: output forms, exit codes, what it says."""

import json
import select
import signal
import subprocess
import uuid

import pytest
import yaml

from tests.e2e.installation import CRONCTL, eventually


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

    def verdict() -> str:
        explain = ("job", "explain", "hello", "--tick", str(last), "-o", "json")
        return str(json.loads(installation.cronctl(*explain).stdout)["verdict"])

    assert 8 == len(ticks)
    eventually(lambda: verdict() == "ran", "the record of the newest execution")


def test_version_names_both_sides(installation):
    """What runs here and what runs there."""
    told = json.loads(installation.cronctl("version", "-o", "json").stdout)

    assert told["cronctl"] == told["installation"]["version"]


def test_many_jobs_at_once(installation, job_name):
    """By names and by label: a result for each, the code of the wrong one, and a script must say --yes."""
    names = [f"{job_name}-{number}" for number in (1, 2)]
    for name in names:
        installation.cronctl("job", "save", name, "--command", "echo hi", "--label", f"batch={job_name}")
    label = ("--label", f"batch={job_name}")
    unasked = installation.cronctl("job", "disable", *label, stdin=subprocess.DEVNULL)
    disabled = installation.cronctl("job", "disable", *label, "--yes", "-o", "json")
    mixed = installation.cronctl("job", "enable", names[0], "no-such-job", names[1], "-o", "json")
    deleted = installation.cronctl("job", "delete", *names, "--yes")

    assert (2, True) == (unasked.returncode, "--yes" in unasked.stderr)
    assert (0, [True, True]) == (disabled.returncode, [row["ok"] for row in json.loads(disabled.stdout)])
    assert (3, [True, False, True]) == (mixed.returncode, [row["ok"] for row in json.loads(mixed.stdout)])
    assert 0 == deleted.returncode


def test_executions_from_the_list_to_the_retry(installation, job_name):
    """Run, listed, shown, printed, run again, and killed while it sleeps."""
    installation.cronctl("job", "save", job_name, "--command", "echo out; sleep ${PAUSE:-0}; exit 3")
    ran = installation.cronctl("job", "run", job_name, "--follow")
    listed = installation.cronctl("execution", "list", job_name, "--status", "failed", "-o", "json")
    first = json.loads(listed.stdout)[0]
    shown = installation.cronctl("execution", "get", first["id"])
    printed = installation.cronctl("execution", "logs", first["id"])
    again = installation.cronctl("execution", "retry", first["id"], "-o", "name")
    followed = installation.cronctl("execution", "logs", "-f", again.stdout.strip())
    gone = installation.cronctl("execution", "get", "kq3x5h2m9w1abc.1.1")

    assert (1, "out\n") == (ran.returncode, ran.stdout)
    assert ("failed", 3) == (first["status"], first["exit_code"])
    assert "exit code   3" in shown.stdout
    assert "out\n" == printed.stdout
    assert (1, "out\n") == (followed.returncode, followed.stdout)
    assert 3 == gone.returncode


def test_a_copy_is_another_job_that_rests(installation, job_name):
    """Same definition, another name, disabled; a second copy of that name is a conflict."""
    installation.cronctl("job", "save", job_name, "--schedule", "0 3 * * *", "--command", "echo one")
    cloned = installation.cronctl("job", "clone", job_name, f"{job_name}-copy")
    shown = json.loads(installation.cronctl("job", "get", f"{job_name}-copy", "-o", "json").stdout)
    twice = installation.cronctl("job", "clone", job_name, f"{job_name}-copy")

    assert [0, 4] == [cloned.returncode, twice.returncode], cloned.stderr
    assert ("echo one", False) == (shown["command"], shown["enabled"])


def test_schedule_preview_and_worker(installation):
    """What needs no job."""
    told = installation.cronctl(
        "schedule", "preview", "30 2 * * *", "--timezone", "Europe/Berlin", "-o", "json"
    )
    wrong = installation.cronctl("schedule", "preview", "61 * * * *")
    worker = json.loads(installation.cronctl("worker", "get", "worker-1", "-o", "json").stdout)

    assert (5, 2) == (len(json.loads(told.stdout)["ticks"]), wrong.returncode)
    assert "online" == worker["status"]


def test_events_are_followed(installation, job_name):
    """What another command does is told within seconds, one JSON object per line."""
    following = subprocess.Popen(
        [CRONCTL, "events", "--kind", "job", "-o", "json"],
        env=installation.environment | {"EVERYTICK_DATA_DIR": str(installation.data_dir)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for number in range(40):
            installation.cronctl("job", "save", job_name, "--command", f"echo {number}")
            if select.select([following.stdout], [], [], 1)[0]:
                break
        told = json.loads(following.stdout.readline())
    finally:
        following.send_signal(signal.SIGINT)
        code = following.wait(10)

    assert ("job", job_name, False) == (told["event"], told["name"], told["deleted"])
    assert 0 == code


def test_contexts_and_completion(installation, tmp_path, job_name):
    """An installation is kept under a name and used by it; the shell is offered its jobs."""
    installation.cronctl("job", "save", job_name, "--command", "true")
    env = installation.environment | {"XDG_CONFIG_HOME": str(tmp_path), "EVERYTICK_TOKEN": installation.token}

    def call(*arguments, **more):
        return subprocess.run(
            [CRONCTL, *arguments], env=env | more, capture_output=True, text=True, timeout=60
        )

    kept = call("--api", installation.api, "context", "set", "here")
    listed = call("context", "list", "-o", "json")
    seen = call("job", "get", job_name, "-o", "name", EVERYTICK_TOKEN="")
    offered = call(
        "",
        _CRONCTL_COMPLETE="complete_bash",
        COMP_WORDS=f"cronctl job get {job_name[:6]}",
        COMP_CWORD="3",
    )

    assert 0 == kept.returncode, kept.stderr
    assert [("here", True)] == [(row["name"], row["is_current"]) for row in json.loads(listed.stdout)]
    assert installation.token not in listed.stdout
    assert f"default/{job_name}\n" == seen.stdout
    assert job_name in offered.stdout
