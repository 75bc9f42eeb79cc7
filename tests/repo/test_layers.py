"""Dependencies between layers point one way (architecture.md), and import-linter checks it in every run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.tree import ROOT


def test_higher_layers_import_lower_ones_only() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
