"""What a configuration may not say: values, combinations, files."""

import json
import os
from pathlib import Path

import pytest

from common.config.addresses import masked_mongo_uri, normal_endpoint
from common.config.files import default_state_root
from common.config.loader import Given, load
from common.domain.errors import ConfigError
from master.config import PROGRAM as MASTER
from master.config import MasterConfig
from worker.config import PROGRAM as WORKER


def problems(program, **settings):
    """What is wrong with these environment variables, as `key: message` without the blame."""
    env = {f"{program.name.upper()}_{name}": value for name, value in settings.items()}
    try:
        load(program, Given(), env)
    except ConfigError as error:
        lines = str(error).splitlines()
        return [line.removeprefix(f"{program.name}: ").rpartition(" (")[0] for line in lines]
    return []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("JOB_LOCK_TTL", "4", "jobLockTtl: must be at least 5", id="lease too short"),
        pytest.param("LOG_BATCH_SIZE", "0", "logBatchSize: must be at least 1", id="empty batches"),
        pytest.param("HEALTH_PORT", "65536", "healthPort: must be at most 65535", id="no such port"),
        pytest.param("LOG_LEVEL", "loud", "logLevel: must be debug, info, warning or error", id="level"),
        pytest.param(
            "EXECUTOR_THREADS", "2.5", 'executorThreads: must be a whole number, not "2.5"', id="half"
        ),
        pytest.param(
            "ALLOW_INSECURE_ETCD",
            "maybe",
            'allowInsecureEtcd: must be true or false, not "maybe"',
            id="maybe",
        ),
        pytest.param("ETCD_ENDPOINTS", "[]", "etcdEndpoints: must have at least 1 entry", id="no endpoint"),
        pytest.param(
            "ETCD_ENDPOINTS",
            "ftp://h:1",
            "etcdEndpoints: entry 1 'ftp://h:1' must be host:port, http://host:port or https://host:port",
            id="scheme",
        ),
        pytest.param(
            "ETCD_ENDPOINTS",
            "localhost:2379,::1",
            "etcdEndpoints: entry 2 '::1': an IPv6 address stands in brackets, such as [::1]:2379",
            id="IPv6 without brackets",
        ),
        pytest.param(
            "ETCD_ENDPOINTS",
            "me:pw@localhost",
            "etcdEndpoints: entry 1 must not carry credentials: use etcdUsername and etcdPasswordFile",
            id="credentials in an endpoint",
        ),
        pytest.param(
            "KEY_PREFIX",
            "cron",
            "keyPrefix: must start and end with a slash, with a name between, such as /cron/",
            id="prefix without slashes",
        ),
        pytest.param(
            "HEALTH_PREFIX",
            "/cron/health/",
            "healthPrefix: must lie beside keyPrefix (/cron/), neither inside nor around it",
            id="prefixes inside each other",
        ),
        pytest.param(
            "MONGO_URI",
            "localhost:27017",
            "mongoUri: must start with mongodb:// or mongodb+srv://, such as mongodb://localhost:27017",
            id="URI without scheme",
        ),
        pytest.param(
            "MONGO_URI",
            "mongodb://me:p@ss@h",
            "mongoUri: user name and password must be percent-encoded"
            " (@ is %40, : is %3A, / is %2F, % is %25)",
            id="password not encoded",
        ),
        pytest.param(
            "MONGO_URI",
            "mongodb://me:password@h",
            "mongoUri: the password in it is one that everybody tries first: choose another",
            id="well-known password",
        ),
        pytest.param(
            "MONGO_DATABASE",
            "a b",
            'mongoDatabase: must be 1 to 63 bytes without / \\ . " $ and spaces',
            id="database name",
        ),
        pytest.param(
            "WORKER_ID",
            "Node 7",
            "workerId: must be 1 to 128 of a-z, 0-9, dot, underscore and hyphen,"
            " starting with a letter or digit",
            id="worker id",
        ),
        pytest.param(
            "LABELS", "zone", 'labels: must be an object such as {"a": "b"}, not "zone"', id="labels"
        ),
        pytest.param(
            "HTTP_ALLOWED_NETWORKS",
            "10.0.0.1/8",
            "httpAllowedNetworks: entry 1 '10.0.0.1/8' must be a network such as 10.0.0.0/8",
            id="network",
        ),
        pytest.param(
            "ETCD_USERNAME",
            "me",
            "etcdUsername: needs a password: set etcdPasswordFile or etcdPassword",
            id="user alone",
        ),
        pytest.param("ETCD_PASSWORD", "x9", "etcdPassword: needs etcdUsername as well", id="password alone"),
        pytest.param(
            "LOG_FILE", "\udcff", "logFile: is not valid text or not a finite number", id="no text at all"
        ),
        pytest.param(
            "LOG_FILE",
            "~nobodyofthisname/x",
            "logFile: has a ~ that stands for nobody's home directory",
            id="~",
        ),
    ],
)
def test_values_of_a_worker(name, value, expected):
    """Each says what is expected, in one line, and nothing else is wrong."""
    assert [expected] == problems(WORKER, **{name: value})


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        pytest.param("mongodb://h:1/db?tls=true", "mongodb://h:1/db?tls=true", id="nothing to hide"),
        pytest.param("mongodb://me:pw@h/db", "mongodb://me:***@h/db", id="password"),
        pytest.param("mongodb://me@h", "mongodb://me@h", id="user alone"),
        pytest.param("mongodb://me:p@w/x?y@h/db", "mongodb://me:***@h/db", id="password not encoded"),
        pytest.param(
            "mongodb://h/?tlsCertificateKeyFilePassword=pw&tls=true",
            "mongodb://h/?tlsCertificateKeyFilePassword=***&tls=true",
            id="password of a key file",
        ),
    ],
)
def test_masked_mongo_uri(uri, expected):
    """Where it leads can be read, what opens it cannot."""
    assert expected == masked_mongo_uri(uri)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("localhost", "localhost:2379", id="port added"),
        pytest.param("HTTPS://etcd:1/", "https://etcd:1", id="scheme in lower case, slash gone"),
        pytest.param("http://[::1]:7", "http://[::1]:7", id="IPv6"),
        pytest.param(" etcd_1:7 ", "etcd_1:7", id="name of a Compose service"),
    ],
)
def test_normal_endpoint(text, expected):
    """One form per address, whatever was typed."""
    assert expected == normal_endpoint(text)


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        pytest.param({}, [], id="loopback"),
        pytest.param({"API_HOST": "127.8.0.1"}, [], id="all of 127"),
        pytest.param({"API_HOST": "::1"}, [], id="loopback of IPv6"),
        pytest.param({"API_HOST": "0.0.0.0"}, ["apiHost"], id="every address"),
        pytest.param({"API_HOST": "localhost.example"}, ["apiHost"], id="a name that begins like localhost"),
        pytest.param({"API_HOST": "::", "BEHIND_TLS_PROXY": "true"}, [], id="behind a proxy"),
        pytest.param({"ETCD_ENDPOINTS": "localhost,[::1]:2379,127.0.0.2"}, [], id="etcd on this host"),
        pytest.param({"ETCD_ENDPOINTS": "localhost,10.0.0.1"}, ["etcdEndpoints"], id="one etcd elsewhere"),
        pytest.param({"ETCD_ENDPOINTS": "http://etcd"}, ["etcdEndpoints"], id="etcd elsewhere by http"),
        pytest.param({"ETCD_ENDPOINTS": "https://etcd"}, [], id="etcd elsewhere by https"),
        pytest.param({"ETCD_ENDPOINTS": "https://a,b"}, ["etcdEndpoints"], id="one of two etcds by https"),
        pytest.param({"ETCD_ENDPOINTS": "https://a,http://localhost"}, ["etcdEndpoints"], id="both schemes"),
        pytest.param(
            {"ETCD_ENDPOINTS": "etcd", "ALLOW_INSECURE_ETCD": "yes"}, [], id="etcd accepted as it is"
        ),
        pytest.param(
            {"ETCD_ENDPOINTS": "etcd", "ETCD_USERNAME": "me", "ETCD_PASSWORD": "x9"},
            [],
            id="etcd with a password",
        ),
        pytest.param(
            {"ETCD_USERNAME": "me", "ETCD_PASSWORD": "ROOT"},
            ["etcdPassword"],
            id="a password everybody tries",
        ),
    ],
)
def test_security_of_a_master(settings, refused):
    """Nothing readable crosses a network unless somebody said so."""
    assert refused == [problem.partition(":")[0] for problem in problems(MASTER, **settings)]


def test_an_insecure_etcd_is_refused_by_workers_too():
    """Whoever can write to etcd can run commands here."""
    expected = ["etcdEndpoints"]
    assert expected == [line.partition(":")[0] for line in problems(WORKER, ETCD_ENDPOINTS="etcd")]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(0o600, [], id="owner alone"),
        pytest.param(0o640, [], id="a group, on purpose"),
        pytest.param(0o644, ["can be read or written by every user of this host"], id="everybody reads"),
        pytest.param(0o602, ["can be read or written by every user of this host"], id="everybody writes"),
    ],
)
@pytest.mark.parametrize(
    "name", ["TLS_KEY", "ETCD_KEY", "ETCD_PASSWORD_FILE", "MONGO_URI_FILE", "ADMIN_TOKEN_FILE"]
)
def test_files_that_others_may_not_read(tmp_path, name, mode, expected):
    """Keys, passwords and tokens are for us alone; the message ends with the command that helps."""
    file = tmp_path / "file"
    file.write_text("mongodb://h")
    file.chmod(mode)
    others = {"TLS_KEY": {"TLS_CERT": str(file)}, "ETCD_KEY": {"ETCD_CERT": str(file)}}
    more = others.get(name, {"ETCD_USERNAME": "me"} if name == "ETCD_PASSWORD_FILE" else {})

    found = problems(MASTER, **{name: str(file)}, **more)

    assert [f"{file} {text}: chmod o-rwx {file}" for text in expected] == [
        line.partition(": ")[2] for line in found
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "etcdPasswordFile: cannot read {}: no such file or directory", id="missing"),
        pytest.param(
            b"\n", "etcdPasswordFile: {} is empty: it must hold the secret and nothing else", id="empty"
        ),
        pytest.param(b"\xff", "etcdPasswordFile: file is not UTF-8 text (byte 0)", id="not text"),
        pytest.param(
            b"x" * 70_000, "etcdPasswordFile: file is larger than 64 KiB: not the file you meant?", id="large"
        ),
    ],
)
def test_secret_files_that_hold_no_secret(tmp_path, content, expected):
    """Named before anything connects."""
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)

    found = problems(WORKER, ETCD_USERNAME="me", ETCD_PASSWORD_FILE=str(file))

    assert expected.format(file) == found[0]


@pytest.mark.parametrize(
    ("in_file", "env", "expected"),
    [
        pytest.param({"etcdPasswordFile": "a"}, {}, "from a", id="file named in the file"),
        pytest.param(
            {"etcdPasswordFile": "a"}, {"WORKER_ETCD_PASSWORD": "direct"}, "direct", id="environment wins"
        ),
        pytest.param(
            {"etcdPassword": "x9"}, {"WORKER_ETCD_PASSWORD_FILE": "b"}, "from b", id="named by environment"
        ),
        pytest.param(
            {"etcdPassword": "x9", "etcdPasswordFile": "a"}, {}, "stands beside", id="both in one layer"
        ),
    ],
)
def test_secret_files_are_layered_with_what_they_stand_for(tmp_path, monkeypatch, in_file, env, expected):
    """The stronger layer wins, whichever of the two keys it uses."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(name).write_text(f"from {name}\n")
        Path(name).chmod(0o600)
    Path("worker.json").write_text(json.dumps({"etcdUsername": "me", **in_file}))

    try:
        loaded = load(WORKER, Given(Path("worker.json")), env)
        found = loaded.config.etcd_password.get_secret_value()
    except ConfigError as error:
        found = str(error)

    assert expected in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "", "line 1, column 1: not JSON: the file is empty; {} is the smallest configuration", id="empty"
        ),
        pytest.param(
            '{\n  "logLevel": "info",\n}', "line 3, column 1: not JSON: comma before }", id="last comma"
        ),
        pytest.param('{"a": 1 "b": 2}', "line 1, column 9: not JSON: expecting ',' delimiter", id="no comma"),
        pytest.param("{'a': 1}", "line 1, column 2: not JSON: text stands in double quotes", id="quotes"),
        pytest.param("{\n// x\n}", "line 2, column 1: not JSON: JSON has no comments", id="comment"),
        pytest.param("[]", 'must hold one JSON object, such as {"logLevel": "info"}', id="list"),
        pytest.param('{"a": 1, "a": 2}', "a: stands in the file twice; keep one", id="key twice"),
        pytest.param('{"a": NaN}', "NaN is not JSON", id="NaN"),
        pytest.param("[" * 100_000, "is nested too deeply: a configuration is one flat object", id="deep"),
        pytest.param(b"\xff{}", "worker.json is not UTF-8 text (byte 0)", id="not text"),
        pytest.param(b"\xef\xbb\xbf{}", None, id="byte order mark"),
        pytest.param(
            '{"logBatchSize": 1e400}', "logBatchSize: is not valid text or not a finite", id="infinite"
        ),
        pytest.param('{"logFile": "\\ud800"}', "logFile: is not valid text", id="half a character"),
        pytest.param('{"logBatchSize": null}', "logBatchSize: must be a whole number, not null", id="null"),
        pytest.param('{"etcdCaCert": ""}', "etcdCaCert: must not be empty", id="empty path"),
        pytest.param(
            '{"logBatchSize": true}', "logBatchSize: must be a whole number, not true", id="not a number"
        ),
    ],
)
def test_files_that_are_no_configuration(tmp_path, text, expected):
    """File, place and reason; never a traceback."""
    file = tmp_path / "worker.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    try:
        load(WORKER, Given(file), {})
        found = None
    except ConfigError as error:
        found = str(error)

    if expected is None:
        assert found is None
    else:
        assert str(found).startswith(f"{file}: {expected}")


def test_a_file_that_is_not_there_is_named_with_where_it_was_looked_for(tmp_path, monkeypatch):
    """A relative path means little in the log of a supervisor."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError) as caught:
        load(WORKER, Given(Path("worker.json")), {})

    expected = f"worker.json: cannot be read: no such file or directory (looked in {tmp_path})"
    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("uid", "writable", "env", "expected"),
    [
        pytest.param(0, False, {}, "/var/lib/everytick", id="root"),
        pytest.param(7, True, {}, "/var/lib/everytick", id="may write there"),
        pytest.param(7, False, {"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/everytick", id="XDG"),
        pytest.param(
            7, False, {"XDG_STATE_HOME": "s", "HOME": "/h"}, "/h/.local/state/everytick", id="XDG relative"
        ),
        pytest.param(7, False, {"HOME": "/h"}, "/h/.local/state/everytick", id="home"),
    ],
)
def test_default_state_root(monkeypatch, uid, writable, env, expected):
    """The system's directory for the system's programs, the user's for the user's."""
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(os, "access", lambda *_: writable)

    assert expected == str(default_state_root(env))


def test_master_properties():
    """What wiring asks of a master's configuration."""
    config = MasterConfig(state_dir=Path("/s"), etcd_endpoints=("https://a", "[::1]:7"))

    expected = (Path("/s/admin-token"), False, False, ("https://a:2379", "[::1]:7"))
    assert expected == (config.token_file, config.uses_tls, config.etcd_uses_tls, config.etcd_endpoints)
