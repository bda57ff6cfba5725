"""Writes the figures of `results/` into `docs/benchmarks.md`: `python -m bench.report [--check]`.

Nobody types figures. What was only measured in its short form says so by its command.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.__main__ import PROGRAMS
from bench.figures import number_text
from bench.program import RESULTS

PAGE: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_BEGIN: Final = "<!-- figures: written by python -m bench.report -->"
_END: Final = "<!-- end of figures -->"
_VERDICTS: Final = {True: "met", False: "missed", None: ""}


def page_with(page: str, sections: str) -> str:
    """
    *page* with everything between its two markers replaced by *sections*.

    Raises:
        ValueError: A marker is missing.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page must hold {_BEGIN!r} and {_END!r}")
    return f"{before}{begin}\n\n{sections}\n{end}{after}"


def section(document: Mapping[str, Any]) -> str:
    """One result as a heading, where and how it was made, and a table."""
    machine, versions = document["machine"], document["versions"]
    lines = [
        f"### {document['question']}",
        "",
        f"`{document['command']}` on {document['date'][:10]}: {machine['cores']} cores, "
        f"{machine['memory_gb']:g} GB, {machine['bare_spawns_per_s']:,} bare spawns/s just before; "
        f"etcd {versions['etcd']}, MongoDB {versions['mongodb']}, Python {versions['python']}.",
        "",
        "| figure | value | goal | |",
        "|---|---:|---|---|",
    ]
    for figure in document["figures"].values():
        value = f"{number_text(figure['value'])} {figure.get('unit', '')}".strip()
        verdict = _VERDICTS[figure.get("is_met")]
        lines.append(f"| {figure['words']} | {value} | {figure.get('goal', '')} | {verdict} |")
    return "\n".join(lines) + "\n"


def stored_result(name: str) -> dict[str, Any] | None:
    """The result of one program: of its full form, else of its short one, else None."""
    for path in (RESULTS / f"{name}.json", RESULTS / f"{name}.short.json"):
        if path.exists():
            document: dict[str, Any] = json.loads(path.read_text())
            return document
    return None


def main() -> int:
    """Write the page, or with `--check` tell whether it is as it would be written."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    is_check = parser.parse_args().check
    found = [result for name in (*PROGRAMS, "peers") if (result := stored_result(name)) is not None]
    page = PAGE.read_text()
    wanted = page_with(page, "\n".join(section(result) for result in found))
    if is_check and page != wanted:
        print("docs/benchmarks.md is not what bench/results say: run python -m bench.report", file=sys.stderr)
        return 1
    if not is_check:
        PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
