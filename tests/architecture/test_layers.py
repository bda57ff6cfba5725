"""Who may import whom: the contracts of pyproject.toml, and the place that may name adapters."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]


def test_every_import_contract_is_kept():
    """import-linter as `make lint` runs it; its report is shown when a contract is broken."""
    program = Path(sys.executable).with_name("lint-imports")
    call = subprocess.run([program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert 0 == call.returncode, call.stdout + call.stderr


@pytest.mark.parametrize("program", ["master", "worker"])
def test_only_the_program_itself_imports_its_wiring(program):
    """Whatever else names concrete adapters could not be tested without them."""
    graph = grimp.build_graph(program, cache_dir=None)

    assert {f"{program}.__main__"} == graph.find_modules_that_directly_import(f"{program}.wiring")


def test_only_the_wiring_puts_the_masters_areas_together():
    """Routes and services never reach an area's maker, and through it a concrete adapter."""
    graph = grimp.build_graph("master", cache_dir=None)
    areas = {module for module in graph.modules if module.startswith("master.assembly")}
    importers = {
        importer for area in areas for importer in graph.find_modules_that_directly_import(area)
    } - areas

    assert {"master.__main__", "master.wiring"} == importers
