"""How measured figures get into the documentation."""

import pytest

from bench.report import page_with, section

_BEGIN = "<!-- figures: written by python -m bench.report -->"
_END = "<!-- end of figures -->"


def test_only_what_lies_between_the_markers_is_replaced():
    page = f"before\n{_BEGIN}\nold\n{_END}\nafter\n"

    assert f"before\n{_BEGIN}\n\nnew\n\n{_END}\nafter\n" == page_with(page, "new\n")


def test_writing_the_same_figures_again_changes_nothing():
    page = page_with(f"{_BEGIN}{_END}", "figures\n")

    assert page == page_with(page, "figures\n")


@pytest.mark.parametrize("page", ["", _BEGIN, _END])
def test_a_page_without_both_markers_is_refused(page):
    with pytest.raises(ValueError, match="must hold"):
        page_with(page, "new")


def test_a_section_names_what_made_its_figures():
    """A figure without the command, the machine and the versions behind it is worth nothing."""
    text = section(
        {
            "question": "How late?",
            "command": "python -m bench.burst",
            "date": "2026-05-01T10:00:00+00:00",
            "machine": {"cores": 2, "memory_gb": 24.0, "bare_spawns_per_s": 1520},
            "versions": {"etcd": "3.5.1", "mongodb": "6.0.5", "python": "3.11.7"},
            "figures": {
                "p99_s": {
                    "words": "lateness p99",
                    "value": 0.5,
                    "unit": "s",
                    "goal": "at most 0.67",
                    "is_met": True,
                },
                "jobs": {"words": "jobs", "value": 1000},
            },
        }
    )

    assert [
        "### How late?",
        "",
        "`python -m bench.burst` on 2026-05-01: 2 cores, 24 GB, 1,520 bare spawns/s just before; "
        "etcd 3.5.1, MongoDB 6.0.5, Python 3.11.7.",
        "",
        "| figure | value | goal | |",
        "|---|---:|---|---|",
        "| lateness p99 | 0.5 s | at most 0.67 | met |",
        "| jobs | 1,000 |  |  |",
    ] == text.splitlines()
