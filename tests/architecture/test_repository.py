"""The repository as a stranger gets it: nothing of one machine in it, no dead link, no page unlisted."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: Folders of somebody's own machine, as the start of an absolute path.
MACHINE_PATH = re.compile(r"(?<![\w.~$%{}:/*-])/(?:root|work|opt|Users|builds|workspace|mnt)/\w")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def tracked_texts() -> dict[str, str]:
    """Every file of the repository that is text, by its path."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    texts = {}
    for path in filter(None, listed.stdout.split("\0")):
        content = (ROOT / path).read_bytes() if (ROOT / path).is_file() else b"\0"
        if b"\0" not in content:
            texts[path] = content.decode()
    return texts


def test_no_file_names_a_path_of_one_machine():
    """Who clones this has other folders."""
    found = [
        f"{path}: {line.strip()}"
        for path, text in tracked_texts().items()
        for line in text.splitlines()
        if MACHINE_PATH.search(line)
    ]

    assert [] == found


def test_lock_files_name_no_registry():
    """Everyone installs from the registry of their own settings."""
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    requirements = (ROOT / "requirements.lock").read_text().splitlines()

    assert [] == [name for name, package in packages.items() if "resolved" in package]
    assert [] == [line for line in requirements if line.startswith("-") or "://" in line]


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*.md")))
def test_links_of_the_first_pages_lead_somewhere(page):
    """README, its translation, and what stands next to it."""
    assert [] == broken_links(ROOT / page)


@pytest.mark.parametrize("page", sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")))
def test_links_of_the_documentation_lead_somewhere(page):
    """Within the repository; addresses elsewhere are not asked."""
    assert [] == broken_links(DOCS / page)


def broken_links(page: Path) -> list[str]:
    targets = LINK.findall(page.read_text())
    return [target for target in targets if "://" not in target and not (page.parent / target).exists()]


def test_the_index_lists_every_page():
    """A page nobody is led to is not read."""
    linked = set(LINK.findall((DOCS / "README.md").read_text()))
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}

    assert set() == pages - linked


def test_decisions_are_numbered_without_a_gap():
    """Every decision has one number, in its file name and in its heading."""
    pages = sorted((DOCS / "adr").glob("*.md"))
    headings = [int(re.match(r"# (\d+)\. ", page.read_text()).group(1)) for page in pages]

    assert list(range(1, len(pages) + 1)) == headings
    assert headings == [int(page.name[:4]) for page in pages]
