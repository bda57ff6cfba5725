"""The dashboard in a real browser against a running `cronctl up`: runs the tests of `frontend/e2e`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.installation import Installation

FRONTEND = Path(__file__).parents[2] / "frontend"
PLAYWRIGHT = FRONTEND / "node_modules" / ".bin" / "playwright"
LIMIT_S = 900


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S + 60)
def test_the_dashboard_works_in_a_browser(tmp_path: Path) -> None:
    """
    From the setup address to the first job, every page in both languages and themes with a silent console,
    and at last a live log while its master is killed.
    """
    fresh = Installation(tmp_path / "data")
    try:
        fresh.start()
        run_in_browser(fresh, EVERYTICK_FRESH="1", EVERYTICK_MASTER_PID=str(fresh.pid("master")))
    finally:
        fresh.end()


def run_in_browser(installation: Installation, **more: str) -> None:
    """Run the tests of `frontend/e2e` against *installation*; fail with what they printed."""
    chromium = os.environ.get("EVERYTICK_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium on PATH: apt-get install chromium, or set EVERYTICK_CHROMIUM")
    if not PLAYWRIGHT.exists():
        pytest.skip("the dashboard's packages are not installed: make setup")

    run = subprocess.run(
        [PLAYWRIGHT, "test"],
        cwd=FRONTEND,
        env=os.environ
        | {
            "EVERYTICK_URL": installation.api,
            "EVERYTICK_TOKEN": installation.token,
            "EVERYTICK_CHROMIUM": chromium,
        }
        | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert 0 == run.returncode, run.stdout[-8000:]
