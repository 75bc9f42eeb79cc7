"""One seed gives one history, bit for bit, in any process."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.tree import ROOT


def digest(seed: int, hash_seed: int) -> str:
    """Of every request, answer and event of an upgrade, as another process finds it."""
    command = [sys.executable, "-m", "tests.sim.history", "upgrade", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_processes_that_hash_otherwise_have_the_same_history_and_other_seeds_another() -> None:
    first = digest(seed=1, hash_seed=1)
    assert len(first) == 64
    assert digest(seed=1, hash_seed=2) == digest(seed=1, hash_seed=3) == first
    assert digest(seed=2, hash_seed=1) != first
