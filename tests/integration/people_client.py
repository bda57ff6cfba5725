"""People for the tests: accounts with roles, and browsers that keep a cookie as browsers do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from tests.integration.api_client import RunningApi

PASSWORD = "plum-ladder-cobalt-9"
OTHER_PASSWORD = "quiet-harbour-walnut-3"


class Browser:
    """One browser: it sends its cookie by itself, and the CSRF token because our page does."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.csrf: str | None = None

    async def login(self, name: str, password: str = PASSWORD) -> httpx2.Response:
        answer = await self.post("/auth/login", {"username": name, "password": password})
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf_token"]
        return answer

    async def get(self, path: str, **params: object) -> httpx2.Response:
        return await self.client.get(f"/api/v1{path}", params=params)

    async def post(self, path: str, body: object = None) -> httpx2.Response:
        return await self.send("POST", path, body)

    async def delete(self, path: str) -> httpx2.Response:
        return await self.send("DELETE", path)

    async def send(self, method: str, path: str, body: object = None) -> httpx2.Response:
        headers = {"X-CSRF-Token": self.csrf} if self.csrf else {}
        return await self.client.request(method, f"/api/v1{path}", json=body or {}, headers=headers)


@asynccontextmanager
async def browser(api: RunningApi, peer: str = "10.0.0.1") -> AsyncIterator[Browser]:
    """A browser on another host."""
    transport = httpx2.ASGITransport(api.app, client=(peer, 4711))
    async with httpx2.AsyncClient(transport=transport, base_url="http://cron.example") as client:
        yield Browser(client)


async def add_user(api: RunningApi, name: str, *roles: tuple[str, list[str] | None]) -> None:
    """A user with *roles* and PASSWORD, made with the admin token."""
    body = {
        "name": name,
        "roles": [{"role": role, "namespaces": namespaces} for role, namespaces in roles],
        "password": PASSWORD,
    }
    answer = await api.post("/user/save", body)
    assert answer.status_code == 200, answer.text


async def new_token(api: RunningApi, role: str, namespaces: list[str] | None) -> str:
    """An API token made with the admin token."""
    answer = await api.post("/token/create", {"name": "test", "role": role, "namespaces": namespaces})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


def bearer(api: RunningApi, token: str) -> httpx2.AsyncClient:
    """A client that sends *token*."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(api.app, client=("10.0.0.2", 4711)),
        base_url="http://cron.example",
        headers={"Authorization": f"Bearer {token}"},
    )
