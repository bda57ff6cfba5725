"""Signing in with an identity provider as a browser does it: there, back, and into a session."""

from urllib.parse import urlsplit

import httpx2
import pytest

from common.kv.etcd import EtcdStore
from master.config import MasterConfig
from tests.integration.api_client import running_api
from tests.oidc_provider import CLIENT, SECRET, played_provider

pytestmark = pytest.mark.integration


async def test_a_browser_goes_there_and_comes_back_signed_in(master_config: MasterConfig, store: EtcdStore):
    """With a session, as a user of source oidc; the same way back a second time leads nowhere."""
    with played_provider() as provider:
        keys = {"oidcIssuer": provider.issuer, "oidcClientId": CLIENT, "oidcClientSecret": SECRET}
        known = master_config.model_dump(by_alias=True) | keys | {"oidcRoles": {"ops": "viewer"}}
        config = MasterConfig.model_validate(known)
        async with running_api(config, store) as api, httpx2.AsyncClient() as web:
            browser = httpx2.AsyncClient(transport=httpx2.ASGITransport(api.app), base_url="http://127.0.0.1")
            async with browser:
                state = (await browser.get("/api/v1/auth/state")).json()
                there = await browser.get(f"{state['oidc']['start']}?back=/jobs")
                back = (await web.get(there.headers["Location"])).headers["Location"]
                path = f"{urlsplit(back).path}?{urlsplit(back).query}"
                done = await browser.get(path)
                me = (await browser.get("/api/v1/auth/me")).json()
                again = await browser.get(path)

    assert (302, "/jobs") == (done.status_code, done.headers["Location"])
    assert ("lee", "oidc", "viewer") == (me["name"], me["source"], me["roles"][0]["role"])
    assert "/login?error=bad_credentials" == again.headers["Location"]
