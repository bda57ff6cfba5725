"""The address of the first start: asked for when everything is up, while there is no account."""

import httpx2


async def ask_welcome(client: httpx2.AsyncClient, api: str, token: str) -> str | None:
    """Path of the page that makes the first account, with a fresh set-up token; None once there is one."""
    try:
        answer = await client.post(
            f"{api}/api/v1/auth/setup-token", headers={"Authorization": f"Bearer {token}"}
        )
        return str(answer.json()["path"]) if answer.status_code == 200 else None
    except (httpx2.HTTPError, ValueError, KeyError):
        # Everything runs: that the address is missing is told by `cronctl setup`.
        return None
