"""One installation that the e2e tests of a run share; tests that stop or break one start their own."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.installation import Installation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All e2e tests in one xdist worker: they share an installation, and the machine's two cores."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running `cronctl up` with two workers and the sample job."""
    running = Installation(tmp_path_factory.mktemp("up") / "data")
    try:
        running.start()
        yield running
    finally:
        running.end()


@pytest.fixture
def http(installation: Installation) -> Iterator[httpx2.Client]:
    """Plain HTTP with the admin token."""
    with installation.client() as client:
        yield client
