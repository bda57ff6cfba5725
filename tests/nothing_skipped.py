"""A pytest plug-in: where `EVERYTICK_CI` is set, a skipped test is a failed test.

A skip is a promise nobody checks. On a developer's machine it may pass with its reason in the summary; in
continuous integration whatever is missing has to be installed.
"""

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip of *item* into a failure; an expected failure stays one."""
    report = yield
    if os.environ.get("EVERYTICK_CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and EVERYTICK_CI allows no skip: {call.excinfo}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into an error."""
    report = yield
    if os.environ.get("EVERYTICK_CI") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped as a whole: {report.longrepr}"
    return report
