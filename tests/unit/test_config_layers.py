"""Layers: who wins, who is named, and which forms a value may have."""

import json

import pytest

from common.config.layering import Layer, Origin, Problem, Setting, merge, told
from common.config.loader import Given, load, printable
from common.config.texts import env_suffix, option_of, value_of
from common.config.wording import nearest
from common.domain.errors import ConfigError
from worker.config import PROGRAM, WorkerConfig

FILE = Origin(Layer.FILE, "worker.json")
ENVIRONMENT = Origin(Layer.ENVIRONMENT, "WORKER_LOG_BATCH_SIZE")
OPTION = Origin(Layer.COMMAND_LINE, "--set logBatchSize")
DEFAULT = Origin(Layer.DEFAULT)


@pytest.fixture
def loaded(tmp_path):
    """Loads a worker's configuration from a file's values, variables and options."""

    def load_it(file=None, env=(), options=()):
        path = None
        if file is not None:
            path = tmp_path / "worker.json"
            path.write_text(json.dumps(file))
        settings = [(f"--set {key}", key, text) for key, text in options]
        return load(PROGRAM, Given(path, settings), dict(env))

    return load_it


@pytest.mark.parametrize(
    ("file", "env", "options", "expected"),
    [
        pytest.param({}, {}, [], (50, "default"), id="nobody"),
        pytest.param({"logBatchSize": 1}, {}, [], (1, "file"), id="file"),
        pytest.param(
            {"logBatchSize": 1}, {"WORKER_LOG_BATCH_SIZE": "2"}, [], (2, "environment"), id="environment"
        ),
        pytest.param(
            {"logBatchSize": 1},
            {"WORKER_LOG_BATCH_SIZE": "2"},
            [("logBatchSize", "3")],
            (3, "command line"),
            id="command line",
        ),
        pytest.param(
            {}, {}, [("logBatchSize", "3"), ("logBatchSize", "4")], (4, "command line"), id="last wins"
        ),
        pytest.param(
            {"logBatchSize": 1},
            {"WORKER_LOG_BATCH_SIZE": " "},
            [],
            (1, "file"),
            id="an empty variable is not set",
        ),
        pytest.param(None, {"WORKER_LOG_BATCH_SIZE": "2"}, [], (2, "environment"), id="no file at all"),
    ],
)
def test_precedence(loaded, file, env, options, expected):
    """Command line over environment over file over defaults."""
    result = loaded(file, env, options)

    origin = str(result.settings["logBatchSize"].origin)
    value, layer = expected
    assert value == result.config.log_batch_size
    assert origin.startswith(layer)


def test_layers_are_merged_key_by_key(loaded):
    """A layer that sets one key leaves the others to the layers below."""
    config = loaded(
        {"logBatchSize": 1, "killGrace": 7}, {"WORKER_LOG_BATCH_SIZE": "2"}, [("logLevel", "debug")]
    ).config

    expected = (2, 7, "debug", 5)
    found = (config.log_batch_size, config.kill_grace_s, config.log_level, config.executor_threads)
    assert expected == found


def test_merge_does_not_depend_on_the_order_of_layers():
    """The layer decides, not the place in the call."""
    strong, weak = {"a": Setting(2, ENVIRONMENT)}, {"a": Setting(1, FILE)}

    assert merge(strong, weak) == merge(weak, strong)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        pytest.param("logBatchSize", " 7 ", 7, id="number"),
        pytest.param("logBatchSize", "soon", "soon", id="no number stays text for validation"),
        pytest.param("allowInsecureEtcd", "Yes", True, id="yes"),
        pytest.param("allowInsecureEtcd", "0", False, id="0"),
        pytest.param("allowInsecureEtcd", "maybe", "maybe", id="maybe stays text"),
        pytest.param("etcdEndpoints", "a:1, b:2", ["a:1", "b:2"], id="list with commas"),
        pytest.param("etcdEndpoints", '["a:1"]', ["a:1"], id="list as JSON"),
        pytest.param("labels", "zone=eu,disk=ssd", {"zone": "eu", "disk": "ssd"}, id="pairs"),
        pytest.param("labels", '{"zone": "eu"}', {"zone": "eu"}, id="object as JSON"),
        pytest.param("labels", "zone", "zone", id="no pair stays text"),
        pytest.param("executors", "shell,exec", ["shell", "exec"], id="list that may be absent"),
        pytest.param("healthPort", "9", 9, id="number that may be absent"),
        pytest.param("workerId", "7", "7", id="text that looks like a number"),
        pytest.param("logFile", "/var/log/7", "/var/log/7", id="path"),
        pytest.param("mongoUri", "mongodb://h", "mongodb://h", id="secret"),
    ],
)
def test_values_from_text(key, text, expected):
    """The type of the key decides how text is read."""
    annotations = {field.alias: field.annotation for field in WorkerConfig.model_fields.values()}

    assert expected == value_of(text, annotations[key])


@pytest.mark.parametrize(
    ("key", "suffix", "option"),
    [
        pytest.param("workerId", "WORKER_ID", "--worker-id", id="two words"),
        pytest.param("etcdCaCert", "ETCD_CA_CERT", "--etcd-ca-cert", id="short words"),
        pytest.param("jobLockTtl", "JOB_LOCK_TTL", "--job-lock-ttl", id="abbreviation"),
    ],
)
def test_names_in_other_layers(key, suffix, option):
    """One key, three spellings."""
    assert (suffix, option) == (env_suffix(key), option_of(key))


def test_every_key_has_its_own_variable_and_option():
    """No two keys share a spelling, and every model attribute with a unit loses it in its key."""
    keys = [field.alias for field in WorkerConfig.model_fields.values()]

    assert len(keys) == len({env_suffix(key) for key in keys})
    assert {"etcdDialTimeout", "jobLockTtl", "logCommitTimeout", "spoolMaxBytes"} <= set(keys)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("logbatchsize", "logBatchSize", id="case"),
        pytest.param("log_batch_size", "logBatchSize", id="snake case"),
        pytest.param("logBatchSzie", "logBatchSize", id="letters swapped"),
        pytest.param("jobLockTTL", "jobLockTtl", id="capitals"),
        pytest.param("colour", None, id="nothing near"),
    ],
)
def test_nearest(name, expected):
    """A suggestion is made only where it helps."""
    keys = [str(field.alias) for field in WorkerConfig.model_fields.values()]

    assert expected == nearest(name, keys)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        pytest.param(
            Problem("must be at least 1", "logBatchSize", Setting(0, ENVIRONMENT)),
            "worker.json: logBatchSize: must be at least 1 (set to 0 by environment WORKER_LOG_BATCH_SIZE)",
            id="environment",
        ),
        pytest.param(
            Problem("must be at least 1", "logBatchSize", Setting(0, OPTION)),
            "worker.json: logBatchSize: must be at least 1 (set to 0 by command line --set logBatchSize)",
            id="command line",
        ),
        pytest.param(
            Problem("needs a password", "etcdUsername", Setting("me", FILE)),
            'worker.json: etcdUsername: needs a password (set to "me" by file worker.json)',
            id="text is quoted",
        ),
        pytest.param(
            Problem("must not be empty", "etcdPassword", Setting("hunter2", FILE), is_secret=True),
            "worker.json: etcdPassword: must not be empty (set by file worker.json)",
            id="a secret is not shown",
        ),
        pytest.param(
            Problem("is in use", "apiPort", Setting(8070, DEFAULT)),
            "worker.json: apiPort: is in use (8070 is the default)",
            id="default",
        ),
        pytest.param(Problem("cannot be read"), "worker.json: cannot be read", id="no key"),
        pytest.param(
            Problem("is long", "logFile", Setting("x" * 500, FILE)),
            f'worker.json: logFile: is long (set to "{"x" * 56}... by file worker.json)',
            id="a long value is cut",
        ),
    ],
)
def test_told(problem, expected):
    """One line: where, which key, what is wrong, who said so."""
    assert expected == told(problem, "worker.json")


def test_print_config_masks_secrets_and_names_layers(loaded):
    """Everything can be shown to anybody."""
    result = loaded(
        {"mongoUri": "mongodb://me:hunter2@h/?tls=true", "etcdUsername": "me"},
        {"WORKER_ETCD_PASSWORD": "hunter2"},
    )

    rows = {key: (value, layer.partition(" ")[0]) for key, value, layer in printable(result)}

    assert ('"mongodb://me:***@h/?tls=true"', "file") == rows["mongoUri"]
    assert ('"***"', "environment") == rows["etcdPassword"]
    assert ("null", "default") == rows["etcdPasswordFile"]
    assert "hunter2" not in str(rows)
    assert "hunter2" not in repr(result.config)


def test_all_problems_are_told_at_once(loaded, tmp_path):
    """One run shows everything: single keys, rules about several, files, spelling."""
    with pytest.raises(ConfigError) as caught:
        loaded(
            {"logBatchSize": 0, "logLevl": "info", "etcdEndpoints": ["etcd.example:2379"]},
            {"WORKER_PIDFILE": "7"},
            [("etcdKey", "/no.pem"), ("killGrace", "x")],
        )

    source = tmp_path / "worker.json"
    expected = [
        f"{source}: logLevl: unknown key; did you mean logLevel? (in file {source})",
        f"{source}: WORKER_PIDFILE: unknown environment variable; did you mean WORKER_PID_FILE?",
        f'{source}: killGrace: must be a whole number, not "x" (set to "x" by command line --set killGrace)',
        f"{source}: logBatchSize: must be at least 1 (set to 0 by file {source})",
        f'{source}: etcdKey: needs etcdCert as well (set to "/no.pem" by command line --set etcdKey)',
        f'{source}: etcdKey: there is no file /no.pem (set to "/no.pem" by command line --set etcdKey)',
    ]
    lines = str(caught.value).splitlines()
    assert sorted(expected) == sorted(line for line in lines if "neither TLS" not in line)
    assert len(expected) + 1 == len(lines)


@pytest.mark.parametrize(
    ("env", "warned"),
    [
        pytest.param({"WORKER_PORT_80_TCP": "tcp://10.0.0.1:80"}, True, id="a service of Kubernetes"),
        pytest.param({"WORKERS": "5", "PATH": "/bin"}, False, id="not our prefix"),
        pytest.param({"WORKER_LOG_LEVEL": "info"}, False, id="ours"),
    ],
)
def test_strangers_in_the_environment(loaded, env, warned):
    """A variable that resembles none of ours is somebody else's: worth a warning, no refusal."""
    assert warned == bool(loaded({}, env).warnings)
