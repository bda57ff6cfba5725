"""Signing in with an identity provider, against a small real one."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from common.domain.errors import BadCredentials, CronError, NotAllowed, StoreUnavailable
from common.runtime.clock import SystemClock
from master.adapters.oidc_provider import OidcProvider
from master.domain.accounts import ExternalIdentity
from master.domain.oidc import grant_of_text, safe_back
from master.domain.rights import Grant, Role
from master.services.oidc import Oidc
from tests.e2e.installation import clean_environment
from tests.oidc_provider import CLIENT, SECRET, PlayedProvider, played_provider
from tests.servers import free_port

HERE = "http://127.0.0.1/api/v1/auth/oidc/callback"


@pytest.fixture
def provider() -> Iterator[PlayedProvider]:
    with played_provider() as running:
        yield running


def oidc_of(provider: PlayedProvider) -> Oidc:
    adapter = OidcProvider(provider.issuer, CLIENT, SECRET, "openid", SystemClock())
    roles = {"ops": grant_of_text("editor:shop,mail"), "bosses": grant_of_text("admin")}
    return Oidc(provider=adapter, name="Acme", groups_claim="groups", roles=roles)


async def there(address: str) -> tuple[str, str]:
    """What the browser brings back from *address*: state and code."""
    async with httpx2.AsyncClient() as browser:
        sent_back = (await browser.get(address)).headers["Location"]
    query = parse_qs(urlsplit(sent_back).query)
    return query["state"][0], query["code"][0]


async def sign_in(provider: PlayedProvider) -> ExternalIdentity:
    oidc = oidc_of(provider)
    errand, address = await oidc.begin("/jobs", HERE)
    state, code = await there(address)
    return await oidc.finish(errand, state, code, HERE)


async def test_somebody_of_a_known_group_gets_in(provider: PlayedProvider):
    """With the name the provider has for them and the role of their group."""
    expected = Grant(Role.EDITOR, frozenset({"shop", "mail"}))

    assert ExternalIdentity(name="lee", display_name="Lee", grants=(expected,)) == await sign_in(provider)


async def test_the_browser_is_sent_with_a_challenge(provider: PlayedProvider):
    """PKCE with S256; state and nonce are different each time, and the verifier stays here."""
    oidc = oidc_of(provider)
    (first, address), (second, _) = await oidc.begin(None, HERE), await oidc.begin(None, HERE)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}

    assert ("code", "S256", HERE) == tuple(
        query[name] for name in ("response_type", "code_challenge_method", "redirect_uri")
    )
    assert first.verifier not in address
    assert 4 == len({first.state, second.state, first.nonce, second.nonce})


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param({"claims": {"nonce": "another"}}, BadCredentials, id="nonce of another sign-in"),
        pytest.param({"claims": {"nonce": None}}, BadCredentials, id="no nonce"),
        pytest.param({"claims": {"aud": "another"}}, BadCredentials, id="made for another client"),
        pytest.param(
            {"claims": {"aud": [CLIENT, "another"], "azp": "another"}}, BadCredentials, id="azp of another"
        ),
        pytest.param({"claims": {"iss": "https://evil.example"}}, BadCredentials, id="another issuer"),
        pytest.param({"claims": {"exp": int(time.time()) - 3600}}, BadCredentials, id="expired"),
        pytest.param({"claims": {"exp": None}}, BadCredentials, id="never expires"),
        pytest.param({"algorithm": "none"}, BadCredentials, id="unsigned"),
        pytest.param({"algorithm": "HS256"}, BadCredentials, id="signed with the public key"),
        pytest.param({"strange_key": True}, BadCredentials, id="signed with a strange key"),
        pytest.param({"claims": {"groups": ["guests"]}}, NotAllowed, id="group without a role"),
        pytest.param({"claims": {"groups": None}}, NotAllowed, id="no groups"),
        pytest.param({"claims": {"groups": {"ops": 1}}}, NotAllowed, id="groups that are no list"),
        pytest.param(
            {"claims": {"preferred_username": "../x", "sub": "<b>"}}, NotAllowed, id="no name that can be one"
        ),
    ],
)
async def test_who_does_not_get_in(
    provider: PlayedProvider, faults: dict[str, Any], expected: type[CronError]
):
    """A token that does not count, or a person without a role."""
    for name, value in faults.items():
        setattr(provider, name, value)

    with pytest.raises(expected):
        await sign_in(provider)


async def test_an_answer_to_somebody_else_is_refused(provider: PlayedProvider):
    """Wrong state, no errand in this browser, another's verifier, and a code that was used."""
    oidc = oidc_of(provider)
    errand, address = await oidc.begin(None, HERE)
    state, code = await there(address)
    for wrong in (
        oidc.finish(errand, "another", code, HERE),
        oidc.finish(errand, None, code, HERE),
        oidc.finish(None, state, code, HERE),
        oidc.finish(errand, state, None, HERE),
    ):
        with pytest.raises(BadCredentials):
            await wrong
    await oidc.finish(errand, state, code, HERE)
    with pytest.raises(BadCredentials):
        await oidc.finish(errand, state, code, HERE)
    other = await there((await oidc.begin(None, HERE))[1])
    with pytest.raises(BadCredentials):
        await oidc.finish(replace(errand, state=other[0]), *other, HERE)


async def test_an_unconfirmed_address_is_no_name(provider: PlayedProvider):
    """Anybody may claim one; the subject is the provider's own."""
    provider.claims = {"preferred_username": None, "email": "boss@acme.example", "email_verified": False}

    assert "248289761001" == (await sign_in(provider)).name


async def test_a_provider_that_is_away_is_no_wrong_password():
    """Said as an outage."""
    oidc = oidc_of(PlayedProvider(issuer="http://127.0.0.1:9"))

    with pytest.raises(StoreUnavailable):
        await oidc.begin(None, HERE)


@pytest.mark.parametrize(
    ("back", "expected"),
    [
        ("/jobs?q=a", "/jobs?q=a"),
        (None, "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("javascript:alert(1)", "/"),
        ("/" + "a" * 600, "/"),
    ],
)
def test_no_way_leads_to_another_host(back: str | None, expected: str):
    """Whatever `back` says, the browser stays here."""
    assert expected == safe_back(back)


@pytest.mark.parametrize("text", ["boss", "", "editor:", "editor:UPPER", "editor:a,,b"])
def test_a_role_that_is_none_is_refused(text: str):
    """At the start, not at the first sign-in."""
    with pytest.raises(ValueError):
        grant_of_text(text)


@pytest.mark.slow
def test_without_the_extra_a_master_says_what_to_install(tmp_path: Path):
    """Before anything is served, with the key of the configuration; the exit code is that of a wrong one."""
    config = {
        "oidcIssuer": "https://id.example.com",
        "oidcClientId": CLIENT,
        "oidcRoles": {"ops": "viewer"},
        "stateDir": str(tmp_path),
        "adminTokenFile": str(tmp_path / "admin-token"),
        "apiPort": free_port(),
    }
    path = tmp_path / "master.json"
    path.write_text(json.dumps(config))
    program = "import sys; sys.modules['jwt'] = None; from master.__main__ import main; main()"
    call = subprocess.run(
        [sys.executable, "-c", program, "-config", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(),
        check=False,
    )

    assert 2 == call.returncode, call.stderr
    assert "oidcIssuer" in call.stderr
    assert "pip install 'everytick[oidc]'" in call.stderr
    assert "Traceback" not in call.stderr
