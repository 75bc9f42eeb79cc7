"""The alert rules fire when they should and stay silent when they should, as Prometheus itself judges."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from tests.support.tree import ROOT

pytestmark = pytest.mark.real

RULES = ROOT / "deploy" / "prometheus"


def promtool(*words: str) -> str:
    program = shutil.which("promtool")
    assert program, "expected promtool, of Debian's package prometheus; run `scripts/system-packages alerts`"
    done = subprocess.run([program, *words], cwd=RULES, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_reads_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", "alerts.yaml")


def test_alerts_fire_when_they_should_and_stay_silent_when_they_should() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml")
