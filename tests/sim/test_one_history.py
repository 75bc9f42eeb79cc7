"""One seed gives one history, bit for bit, in any process, and in a copy of one as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.support.killing.course import take
from tests.support.killing.faults import Fault
from tests.support.killing.scenarios import SCENARIOS
from tests.support.tree import ROOT


def digests(scenario: str, seed: int, *disturbances: str, hash_seed: int = 0) -> dict[str, str]:
    """Of every request, answer and event, as another process finds it."""
    command = [sys.executable, "-m", "tests.sim.history", scenario, str(seed), *disturbances]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_processes_that_hash_otherwise_have_the_same_history_and_other_seeds_another() -> None:
    first = digests("upgrade", 1, hash_seed=1)
    assert len(first[""]) == 64
    assert digests("upgrade", 1, hash_seed=2) == digests("upgrade", 1, hash_seed=3) == first
    assert digests("upgrade", 2, hash_seed=1) != first


def test_a_copy_that_is_disturbed_has_the_history_of_a_whole_run_with_that_disturbance() -> None:
    scenario = next(each for each in SCENARIOS if each.name == "backup")
    whole = {
        "": take(scenario),
        "30": take(scenario, kill_at=30),
        "90": take(scenario, kill_at=90),
        "lost@1": take(scenario, fault=Fault("lost", 1)),
        "overlap@0": take(scenario, fault=Fault("overlap", 0)),
        "missed@2": take(scenario, fault=Fault("missed", 2)),
    }
    histories = {word: course.digest for word, course in whole.items()}
    assert len(set(histories.values())) == len(histories), "each of them is another one"
    assert digests("backup", 0, *list(whole)[1:]) == histories
