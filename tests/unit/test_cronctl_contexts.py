"""Which installation a command talks to, and that a token never goes where it does not belong."""

import pytest

from common.domain.errors import InvalidInput
from cronctl.contexts import (
    Connection,
    Context,
    Contexts,
    NoInstallation,
    UnknownContext,
    contexts_path,
    find_connection,
    read_contexts,
    write_contexts,
)
from cronctl.up_layout import Addresses, DataDir

KEPT = "https://kept.example"
LOCAL = "http://127.0.0.1:8070"


@pytest.fixture
def env(tmp_path):
    """A home with nothing in it."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "EVERYTICK_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def logged_in(env):
    write_contexts(contexts_path(env), Contexts().with_context("prod", Context(api=KEPT, token="kept")))
    return env


@pytest.fixture
def running(env):
    directory = DataDir(contexts_path(env).parents[2] / "data")
    directory.prepare()
    directory.admin_token.write_text("local\n")
    directory.write_addresses(Addresses(api=LOCAL, etcd="http://127.0.0.1:1", mongo="mongodb://127.0.0.1:2"))
    with directory.held():
        yield env


def test_nothing_known_says_what_to_do(env):
    """The error is an instruction."""
    with pytest.raises(NoInstallation, match="cronctl up"):
        find_connection(env)


@pytest.mark.parametrize(
    ("more", "flags", "expected"),
    [
        pytest.param({}, {}, (KEPT, "kept"), id="context"),
        pytest.param(
            {"EVERYTICK_TOKEN": "env"}, {}, (KEPT, "env"), id="environment's token, context's address"
        ),
        pytest.param(
            {"EVERYTICK_API": "http://other"}, {}, ("http://other", None), id="no token for a stranger"
        ),
        pytest.param({"EVERYTICK_API": KEPT}, {}, (KEPT, "kept"), id="the address that is kept"),
        pytest.param(
            {"EVERYTICK_API": "http://other", "EVERYTICK_TOKEN": "env"},
            {"api": "flag:1", "token": "flag"},
            ("http://flag:1", "flag"),
            id="flags beat the environment",
        ),
    ],
)
def test_precedence(logged_in, more, flags, expected):
    """Flags, then environment, then context."""
    found = find_connection(logged_in | more, **flags)

    assert expected == (found.api, found.token)


def test_a_running_up_is_found(running):
    """Without any configuration the installation of this machine is meant."""
    found = find_connection(running)

    assert (LOCAL, "local") == (found.api, found.token)


def test_a_context_beats_a_running_up(running):
    """Who logged in somewhere means that."""
    write_contexts(contexts_path(running), Contexts().with_context("prod", Context(api=KEPT, token="kept")))

    assert Connection(KEPT, "kept", "context prod") == find_connection(running)


def test_a_stopped_up_is_not_used(running):
    """Its token would go to whoever listens on its port now."""
    stopped = dict(running)
    directory = DataDir(contexts_path(stopped).parents[2] / "data")
    directory.lock.unlink()

    with pytest.raises(NoInstallation):
        find_connection(stopped)


def test_an_unknown_context_names_the_known_ones(logged_in):
    """A typing error is seen at once."""
    with pytest.raises(UnknownContext, match=r"no context 'prd'.*known: prod"):
        find_connection(logged_in, context="prd")


def test_the_contexts_file_is_the_owners_alone(logged_in):
    """It is written so, and refused otherwise."""
    path = contexts_path(logged_in)

    assert 0o600 == path.stat().st_mode & 0o777

    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="chmod 600"):
        read_contexts(path)


@pytest.mark.parametrize("text", ["[", "current: 5\ncontexts: 3", "contexts: {a: {api: nowhere, token: x}}"])
def test_a_damaged_contexts_file_is_named(env, text):
    """No traceback, and not a silent start from nothing."""
    path = contexts_path(env)
    write_contexts(path, Contexts())
    path.write_text(text)

    with pytest.raises(InvalidInput, match=str(path)):
        read_contexts(path)


@pytest.mark.parametrize("given", ["localhost:1", "http://localhost:1/", "http://localhost:1/api/v1/"])
def test_addresses_may_be_given_in_any_form(env, given):
    """With or without scheme, slash and path."""
    assert "http://localhost:1" == find_connection(env, api=given).api
