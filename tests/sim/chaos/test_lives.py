"""Fleets live through hours of chance; with HOMEOSTAT_SEEDS=N, through N lives of HOMEOSTAT_HOURS each."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.chaos.campaign import lived
from tests.support.chaos.event import Event
from tests.support.chaos.life import live
from tests.support.tree import ROOT

SHORT_H, LONG_H = 0.7, 12.0
FIRST = 400  # the seed of the life that a short run takes: a busy one, of 33 events
REDUCED_BY = 60  # lives
SCHEDULE = [
    Event(0.0, "declare", "ant", {"packageVersion": "v1.34.4"}),
    Event(90.0, "write", "ant"),
    Event(100.0, "fault", "host-a1", {"fault": "reboot"}),
    Event(110.0, "operator-dies", "", {"for_s": 2.0}),
]


def test_whatever_happens_to_a_fleet_the_invariants_hold_and_all_is_well_in_the_end(
    seed: int, *, is_thorough: bool
) -> None:
    hours = float(os.environ.get("HOMEOSTAT_HOURS", LONG_H)) if is_thorough else SHORT_H
    lived(FIRST + seed, hours, REDUCED_BY if is_thorough else 0)


def test_a_schedule_gives_one_life_in_processes_that_hash_otherwise() -> None:
    command = [sys.executable, "-c", "from tests.sim.chaos.test_lives import *; print(live(SCHEDULE).digest)"]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == live(SCHEDULE).digest, done.stderr
