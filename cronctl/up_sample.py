"""The sample job of `cronctl up`: created once per data directory, so that deleting it is final."""

from typing import Final

import httpx2

from common.domain.errors import CronError
from cronctl.up_layout import DataDir, write_atomically

SAMPLE_NAME: Final = "hello"
SAMPLE: Final = {
    "namespace": "default",
    "name": SAMPLE_NAME,
    "description": "The sample job of `cronctl up`: prints a line every ten seconds.",
    "schedule": "*/10 * * * * *",
    "command": 'echo "hello from execution $CRON_EXECUTION, due at $CRON_SCHEDULED_AT"',
}
_EXISTS: Final = (409, 412)


class SampleRefused(CronError):
    """The sample job could not be created."""


async def create_sample(client: httpx2.AsyncClient, api: str, token: str, data_dir: DataDir) -> bool:
    """
    Create the sample job unless this data directory ever had it; return whether it was created now.

    Raises:
        SampleRefused: The master refused it.
    """
    if data_dir.sample_created.exists():
        return False
    answer = await client.post(
        f"{api}/api/v1/job/save",
        json=SAMPLE,
        headers={"Authorization": f"Bearer {token}", "If-None-Match": "*"},
    )
    if answer.is_error and answer.status_code not in _EXISTS:
        raise SampleRefused(f"the master refused the sample job: {answer.status_code} {answer.text[:400]}")
    write_atomically(data_dir.sample_created, f"{SAMPLE_NAME}\n")
    return not answer.is_error
