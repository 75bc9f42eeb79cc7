"""Alert rules ask only for metrics, labels and reasons that the code has, and say where to read on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.generate_docs import metrics_page, shown
from tests.repo.test_docs import anchors
from tests.support.tree import ROOT

from homeostat.operators.cluster import words
from homeostat.operators.cluster.meanings.tables import TABLES
from homeostat.telemetry.metrics import Declaration, declared

RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
TESTS = ROOT / "deploy" / "prometheus" / "alerts_test.yaml"
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
}
PARTS = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
FROM_THE_SCRAPE = {"instance"}
ASKED = re.compile(r"(homeostat_[a-z_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*[=!]~?\s*\"([^\"]*)\"")


def series() -> dict[str, Declaration]:
    """Every name that a scrape can show."""
    metrics_page()  # imports all that declares
    return {shown(one.name, one.kind) + part: one for one in declared() for part in PARTS[one.kind]}


def asked(expression: str) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(name, MATCHER.findall(matchers)) for name, matchers in ASKED.findall(expression)]


@pytest.mark.parametrize("alert", ALERTS)
def test_a_rule_asks_for_metrics_and_labels_that_there_are(alert: str) -> None:
    known, expression = series(), ALERTS[alert]["expr"]
    assert asked(expression)
    for name, matchers in asked(expression):
        assert name in known, f"{alert}: no metric {name}"
        assert {label for label, _ in matchers} <= set(known[name].labels), f"{alert}: labels of {name}"
    labels = {label for name, _ in asked(expression) for label in known[name].labels}
    grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(",")}
    assert grouped <= labels | FROM_THE_SCRAPE, alert


def test_rules_name_conditions_and_reasons_that_users_meet() -> None:
    reasons = {word.name for table in TABLES for word in table.words}
    for alert, rule in ALERTS.items():
        for _, matchers in asked(rule["expr"]):
            said = dict(matchers)
            assert said.get("condition", words.READY) in words.CONDITIONS, alert
            assert set(filter(None, said.get("reason", "").split("|"))) <= reasons, alert


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_urgent_it_is_and_where_to_read_on(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("page", "ticket")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor in anchors(Path(page))


def test_every_alert_is_shown_to_fire() -> None:
    checks = [check for one in yaml.safe_load(TESTS.read_text())["tests"] for check in one["alert_rule_test"]]
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == set(ALERTS)
