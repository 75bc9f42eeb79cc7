"""Generated files are as young as the code they come from."""

from __future__ import annotations

import subprocess
import sys

from tests.support.tree import ROOT


def test_generated_files_are_fresh() -> None:
    command = [sys.executable, "-m", "scripts.generate_docs", "--check"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
