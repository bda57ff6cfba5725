"""Signing in with an identity provider as a browser does it: there, back, and into a session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from structlog.testing import capture_logs

from common.kv.etcd import EtcdStore
from master.config import MasterConfig
from tests.integration.api_client import RunningApi, running_api
from tests.integration.people_client import add_user
from tests.oidc_provider import CLIENT, SECRET, PlayedProvider, played_provider

pytestmark = pytest.mark.integration

GROUPS = {"ops": "viewer", "bosses": "admin"}


@dataclass
class Visitor:
    """A browser that follows redirects to the provider and back."""

    browser: httpx2.AsyncClient
    web: httpx2.AsyncClient

    async def path_back(self) -> str:
        """Where the provider sends the browser after it has let somebody in."""
        state = (await self.browser.get("/api/v1/auth/state")).json()
        there = await self.browser.get(f"{state['oidc']['start']}?back=/jobs")
        back = urlsplit((await self.web.get(there.headers["Location"])).headers["Location"])
        return f"{back.path}?{back.query}"

    async def sign_in(self) -> dict[str, Any]:
        """Who one is after having been there."""
        await self.browser.get(await self.path_back())
        me: dict[str, Any] = (await self.browser.get("/api/v1/auth/me")).json()
        return me


@asynccontextmanager
async def visiting(
    config: MasterConfig, store: EtcdStore, provider: PlayedProvider
) -> AsyncIterator[tuple[RunningApi, Visitor]]:
    """A master that trusts *provider*, and a browser in front of both."""
    keys = {"oidcIssuer": provider.issuer, "oidcClientId": CLIENT, "oidcClientSecret": SECRET}
    known = config.model_dump(by_alias=True) | keys | {"oidcRoles": GROUPS}
    async with (
        running_api(MasterConfig.model_validate(known), store) as api,
        httpx2.AsyncClient() as web,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(api.app), base_url="http://127.0.0.1") as browser,
    ):
        yield api, Visitor(browser, web)


async def test_a_browser_goes_there_and_comes_back_signed_in(master_config: MasterConfig, store: EtcdStore):
    """With a session, as a user of source oidc; the same way back a second time leads nowhere."""
    with played_provider() as provider:
        async with visiting(master_config, store, provider) as (_, visitor):
            path = await visitor.path_back()
            done = await visitor.browser.get(path)
            me = (await visitor.browser.get("/api/v1/auth/me")).json()
            again = await visitor.browser.get(path)

    assert (302, "/jobs") == (done.status_code, done.headers["Location"])
    assert ("lee", "oidc", "viewer") == (me["name"], me["source"], me["roles"][0]["role"])
    assert "/login?error=bad_credentials" == again.headers["Location"]


async def test_groups_do_not_take_the_last_administrator(master_config: MasterConfig, store: EtcdStore):
    """The only one stays one, and log and audit say so; with another one there, groups decide again."""
    with played_provider() as provider, capture_logs() as events:
        async with visiting(master_config, store, provider) as (api, visitor):
            provider.claims = {"groups": ["bosses"]}
            first = await visitor.sign_in()
            provider.claims = {"groups": ["ops"]}
            kept = await visitor.sign_in()
            await add_user(api, "kim", ("admin", None))
            demoted = await visitor.sign_in()
            await api.until(lambda: api.services.audit.waiting == 0)
            entries = (await api.get("/audit/list", action="auth.oidc")).json()["items"]

    roles = [[role["role"] for role in me["roles"]] for me in (first, kept, demoted)]
    assert [["admin"], ["admin", "viewer"], ["viewer"]] == roles
    assert ["lee"] == [event["user"] for event in events if event["event"] == "auth.last_admin_kept"]
    assert [False, True, False] == ["kept" in (entry["detail"] or "") for entry in entries]
    assert ["admin", "viewer"] == [role["role"] for role in entries[0]["before"]["roles"]]
    assert ["viewer"] == [role["role"] for role in entries[0]["after"]["roles"]]
