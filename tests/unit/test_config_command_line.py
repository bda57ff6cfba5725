"""The command line: what is printed where, and how the program ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.config.reference import reference
from common.domain.errors import StoreUnavailable
from master.config import PROGRAM as MASTER
from master.config import parse_command_line as parse_master
from worker.config import PROGRAM as WORKER
from worker.config import parse_command_line as parse_worker

ROOT = Path(__file__).parents[2]


class Check:
    """An online check that finds what it is told to find."""

    def __init__(self, name, found):
        self.name = name
        self._found = found

    async def run(self):
        if isinstance(self._found, Exception):
            raise self._found
        return self._found


@pytest.fixture
def run(capsys):
    """Runs a worker's command line: exit code (None: it would start), stdout, stderr."""

    def run_it(*argv, env=(), checks=()):
        code = None
        try:
            parse_worker(argv, dict(env), lambda _config: checks)
        except SystemExit as exit_request:
            code = exit_request.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_it


@pytest.mark.parametrize("spelling", [["-config", "{}"], ["--config", "{}"], ["--config={}"], ["-config={}"]])
def test_both_spellings_of_config(tmp_path, spelling):
    """One hyphen as people type it, two as tools do."""
    file = tmp_path / "worker.json"
    file.write_text('{"logBatchSize": 7}')

    config = parse_worker([part.format(file) for part in spelling], {})

    expected = 7
    assert expected == config.log_batch_size


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(["--check"], 0, id="fine"),
        pytest.param(["--check=online"], 0, id="fine, nothing to reach"),
        pytest.param(["--check", "--set", "logBatchSize=0"], 2, id="wrong"),
        pytest.param(["--set", "logBatchSize=0"], 2, id="wrong at a start"),
        pytest.param(["--set", "logBatchSize"], 2, id="no value"),
        pytest.param(["--set"], 2, id="nothing to set"),
        pytest.param(["--log-levl", "info"], 2, id="unknown option"),
        pytest.param(["--check=often"], 2, id="unknown kind of check"),
        pytest.param(["-config", "/absent.json"], 2, id="no such file"),
        pytest.param(["--version"], 0, id="version"),
        pytest.param(["--help"], 0, id="help"),
        pytest.param(["--print-schema"], 0, id="schema"),
        pytest.param(["--print-config"], 0, id="configuration"),
        pytest.param(["--log-level", "debug"], None, id="a start"),
    ],
)
def test_exit_codes(run, argv, expected):
    """0 fine, 2 wrong; what was asked for on stdout, what is wrong on stderr."""
    code, out, err = run(*argv)

    assert expected == code
    assert bool(out) == (code == 0)
    assert bool(err) == (code == 2)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(
            ["--log-levl", "info"],
            "worker: unknown option --log-levl; did you mean --log-level? (see worker --help)\n",
            id="option",
        ),
        pytest.param(
            ["--set", "logBatch"],
            "worker: --set logBatch: must be key=value, such as --set logLevel=debug (see worker --help)\n",
            id="no value",
        ),
        pytest.param(
            ["--set", "logBatchSzie=1"],
            "worker: logBatchSzie: unknown key; did you mean logBatchSize? (in --set logBatchSzie)\n",
            id="key",
        ),
        pytest.param(
            ["--log-batch-size", "0"],
            "worker: logBatchSize: must be at least 1 (set to 0 by command line --log-batch-size)\n",
            id="value",
        ),
        pytest.param(
            ["--set", "etcdPassword=hunter2"],
            "worker: etcdPassword: a secret on the command line can be read by every user of this host: "
            "use etcdPasswordFile or the environment\n",
            id="secret",
        ),
        pytest.param(
            ["--mongo-uri", "mongodb://me:x9@h"],
            "worker: mongoUri: a secret on the command line can be read by every user of this host: "
            "use mongoUriFile or the environment\n",
            id="secret inside a URI",
        ),
        pytest.param(["nonsense"], "worker: unknown argument nonsense (see worker --help)\n", id="argument"),
    ],
)
def test_what_is_said(run, argv, expected):
    """One line that helps."""
    assert (2, "", expected) == run(*argv)


def test_the_example_of_the_documentation(run, tmp_path, monkeypatch):
    """The line as people find it in the pages."""
    monkeypatch.chdir(tmp_path)
    Path("worker.json").write_text("{}")

    result = run("-config", "worker.json", "--check", env={"WORKER_LOG_BATCH_SIZE": "0"})

    expected = (
        "worker.json: logBatchSize: must be at least 1 (set to 0 by environment WORKER_LOG_BATCH_SIZE)\n"
    )
    assert (2, "", expected) == result


def test_online_checks_all_run_and_are_told(run):
    """A failed check does not hide the next one; the exit code says that one failed."""
    checks = [
        Check("etcd localhost:2379", "3.5.1, 1 ms"),
        Check("MongoDB localhost:27017", StoreUnavailable("connection refused")),
        Check("state directory", RuntimeError("odd")),
        Check("clock", "12 ms off"),
    ]

    code, out, err = run("--check=online", checks=checks)

    expected = [
        "✓ worker: configuration is fine",
        "✓ etcd localhost:2379: 3.5.1, 1 ms",
        "✗ MongoDB localhost:27017: connection refused",
        "✗ state directory: RuntimeError: odd",
        "✓ clock: 12 ms off",
    ]
    assert (1, expected, "") == (code, out.splitlines(), err)


def test_print_config(run):
    """Key, value and layer in columns."""
    _, out, _ = run("--print-config", "--set", "labels=zone=eu", env={"WORKER_LOG_LEVEL": "debug"})

    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines()}
    expected = {
        "labels": '{"zone": "eu"} command line --set labels',
        "logLevel": '"debug" environment WORKER_LOG_LEVEL',
        "logBatchSize": "50 default",
    }
    assert expected == {key: lines[key] for key in expected}


def test_print_schema(run):
    """The schema speaks of the keys of the file, and refuses others."""
    _, out, _ = run("--print-schema")

    schema = json.loads(out)
    keys = [field.alias for field in WORKER.model.model_fields.values()]
    assert keys == list(schema["properties"])
    assert schema["additionalProperties"] is False


def test_a_uri_without_a_password_may_be_an_option():
    """Only the password is a secret."""
    config = parse_worker(["--mongo-uri", "mongodb://h:7"], {})

    expected = "mongodb://h:7"
    assert expected == config.mongo_uri.get_secret_value()


def test_a_reader_that_has_gone_is_no_error():
    """`worker --print-schema | head` ends quietly."""
    program = "from worker.config import parse_command_line; parse_command_line(['--print-schema'], {})"
    read_end, write_end = os.pipe()
    os.close(read_end)

    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=write_end, stderr=subprocess.PIPE, cwd=ROOT, check=False
    )
    os.close(write_end)

    assert (0, b"") == (ended.returncode, ended.stderr)


def test_a_secret_in_a_file_that_everybody_reads_is_warned_about(run, tmp_path):
    """It works, and somebody should know."""
    file = tmp_path / "worker.json"
    file.write_text('{"mongoUri": "mongodb://me:x9@h"}')
    file.chmod(0o644)

    _, _, err = run("-config", str(file), "--check")

    expected = (
        f"warning: {file}: mongoUri: every user of this host can read it there: "
        f"chmod o-r {file}, or use mongoUriFile\n"
    )
    assert expected == err


@pytest.mark.parametrize(
    ("parse", "name"),
    [
        pytest.param(parse_master, "master.json", id="master"),
        pytest.param(parse_worker, "worker.json", id="worker"),
    ],
)
def test_the_files_at_the_root_work_as_they_are(parse, name):
    """Against etcd and MongoDB on this host."""
    config = parse(["-config", str(ROOT / name)], {})

    expected = (("localhost:2379",), "mongodb://localhost:27017")
    assert expected == (config.etcd_endpoints, config.mongo_uri.get_secret_value())


def test_the_reference_page_is_up_to_date():
    """Run `python docs/generate_configuration.py` when this fails."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert reference([MASTER, WORKER]) == page
