"""Alerts and dashboard name metrics of `docs/metrics.md`, which e2e compares with reality."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"everytick_[a-z_]+")
SUFFIX = re.compile(r"_(bucket|sum|count)$")
DOCUMENTED = set(NAME.findall((ROOT / "docs" / "metrics.md").read_text()))
ALERTS = [
    pytest.param(rule, id=rule["alert"])
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = [
    pytest.param(panel, id=panel["title"])
    for panel in json.loads((ROOT / "deploy" / "grafana" / "everytick.json").read_text())["panels"]
]


def unknown(expression: str) -> set[str]:
    return {SUFFIX.sub("", name) for name in NAME.findall(expression)} - DOCUMENTED


@pytest.mark.parametrize("rule", ALERTS)
def test_alert_can_fire(rule):
    """It asks for metrics that exist, and says what is wrong and how bad."""
    assert NAME.findall(rule["expr"])
    assert set() == unknown(rule["expr"])
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in {"warning", "critical"}


@pytest.mark.parametrize("panel", PANELS)
def test_panel_shows_something(panel):
    """Every query of it asks for metrics that exist."""
    assert panel["targets"]
    assert [set()] * len(panel["targets"]) == [unknown(target["expr"]) for target in panel["targets"]]
