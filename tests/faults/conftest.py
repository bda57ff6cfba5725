"""Every scenario breaks an installation of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster, running_cluster
from tests.faults.figures import is_full


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One after the other, in one xdist worker: two at a time would disturb each other's figures."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("faults"))
            if is_full():
                item.add_marker(pytest.mark.timeout(900))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """etcd, MongoDB and a master; nothing of ours may end with a traceback."""
    with running_cluster(tmp_path) as running:
        yield running

        assert [] == running.tracebacks()
