"""People and their tokens from the command line: real `cronctl` processes against a real master."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.e2e.installation import CRONCTL, clean_environment
from tests.integration.master_programs import Masters
from tests.integration.people_client import OTHER_PASSWORD, PASSWORD

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Desk:
    """Somebody's machine: a home of its own, and `cronctl` there."""

    home: Path

    def cronctl(
        self, *arguments: str, typed: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        ours = clean_environment(HOME=str(self.home), XDG_CONFIG_HOME=str(self.home / "config"))
        return subprocess.run(
            [CRONCTL, *arguments],
            env=ours | environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def does(self, *arguments: str, typed: str = "", **environment: str) -> str:
        """What `cronctl` prints; it must succeed."""
        call = self.cronctl(*arguments, typed=typed, **environment)
        assert call.returncode == 0, f"{arguments}: {call.stderr}"
        return call.stdout.strip()

    @property
    def contexts(self) -> Path:
        return self.home / "config" / "everytick" / "contexts.yaml"


@pytest.fixture
def desks(tmp_path: Path) -> tuple[Desk, Desk]:
    """Of the administrator, and of somebody else."""
    desks = Desk(tmp_path / "kim"), Desk(tmp_path / "lee")
    for desk in desks:
        desk.home.mkdir()
    return desks


def master_of(version: str) -> str:
    """Which master has told its version."""
    told: str = json.loads(version)["installation"]["master_id"]
    return told


def set_up(masters: Masters, desk: Desk) -> str:
    """The first account, made at the address that `cronctl setup` shows; returns the API's address."""
    api = masters.programs[0].ready_address
    shown = urlsplit(desk.does("setup", EVERYTICK_API=api, EVERYTICK_TOKEN=masters.token))
    token = parse_qs(shown.query)["token"][0]
    body = {"token": token, "username": "kim", "password": PASSWORD}
    assert (api, "/welcome") == (f"{shown.scheme}://{shown.netloc}", shown.path)
    assert 200 == httpx2.post(f"{api}/api/v1/auth/setup", json=body, trust_env=False).status_code
    return api


def test_from_the_set_up_token_to_a_revoked_one(masters: Masters, desks: tuple[Desk, Desk]):
    """First admin, sign-in, a token for a program, a user of one namespace, and the end of what was given."""
    kim, lee = desks
    api = set_up(masters, kim)
    again = kim.cronctl("setup", EVERYTICK_API=api, EVERYTICK_TOKEN=masters.token)
    wrong = kim.cronctl("--api", api, "login", "-u", "kim", typed=f"{OTHER_PASSWORD}\n")
    signed_in = kim.does("--api", api, "login", "--name", "home", "-u", "kim", typed=f"{PASSWORD}\n")

    assert (4, "") == (again.returncode, again.stdout)
    assert (1, False) == (wrong.returncode, OTHER_PASSWORD in wrong.stderr)
    assert "home" in signed_in
    assert 0o600 == kim.contexts.stat().st_mode & 0o777
    assert PASSWORD not in kim.contexts.read_text()

    deploy = kim.does("token", "create", "deploy", "--role", "editor:shop", "--days", "1")
    program = {"EVERYTICK_API": api, "EVERYTICK_TOKEN": deploy}
    lee.does("job", "save", "shop/backup", "--command", "true", **program)
    foreign = lee.cronctl("job", "save", "default/backup", "--command", "true", **program)
    kim.does("job", "save", "default/other", "--command", "true")

    assert deploy.startswith("et_")
    assert (1, True) == (foreign.returncode, "right" in foreign.stderr)

    kim.does("user", "add", "lee", "--role", "viewer:shop", typed=f"{OTHER_PASSWORD}\n")
    lee.does("--api", api, "login", "-u", "lee", typed=f"{OTHER_PASSWORD}\n")
    seen = {desk: desk.does("job", "list", "-o", "name").split() for desk in desks}
    refusals = [
        lee.cronctl(*words).returncode
        for words in (
            ("job", "get", "default/other"),
            ("job", "delete", "shop/backup", "--yes"),
            ("user", "list"),
        )
    ]

    assert {kim: ["default/other", "shop/backup"], lee: ["shop/backup"]} == seen
    assert [3, 1, 1] == refusals

    tokens = json.loads(kim.does("token", "list", "-o", "json"))
    kim.does("token", "delete", next(token["id"] for token in tokens if token["name"] == "deploy"))
    kim.does("user", "disable", "lee")
    revoked = lee.cronctl("job", "list", **program)
    disabled = lee.cronctl("job", "list")

    for refused in (revoked, disabled):
        assert (1, "", True) == (refused.returncode, refused.stdout, "cronctl login" in refused.stderr)


def test_contexts_keep_several_installations_apart(masters: Masters, desks: tuple[Desk, Desk]):
    """Kept by `context set`, chosen by name or for good, forgotten; a wrong token is not kept."""
    kim, _ = desks
    addresses = [program.ready_address for program in masters.programs]
    for name, address in zip(("one", "two"), addresses, strict=True):
        kim.does("--api", address, "context", "set", name, EVERYTICK_TOKEN=masters.token)
    refused = kim.cronctl("--api", addresses[0], "login", "--name", "bad", EVERYTICK_TOKEN="et_no_such")
    kept = kim.does("context", "list", "-o", "name").split()
    chosen = master_of(kim.does("--context", "two", "version", "-o", "json"))
    kim.does("context", "use", "two")
    used = master_of(kim.does("version", "-o", "json"))
    kim.does("context", "delete", "two")
    nowhere = kim.cronctl("job", "list", EVERYTICK_CONTEXT="two")

    assert (1, ["one", "two"]) == (refused.returncode, kept)
    assert ("m2", "m2") == (chosen, used)
    assert 0 != nowhere.returncode
    assert "one" in nowhere.stderr
