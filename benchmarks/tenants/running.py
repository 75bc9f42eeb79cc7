"""Runs the rounds, each as a process of its own on one core."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

from benchmarks.contender import ROOT, pinned
from benchmarks.entries import OWN
from benchmarks.tenants.metering import Rows

Rounds = dict[str, list[dict[str, float]]]
SCENARIOS = ("tenant", "requests", "empty")
FULL, SMALL = (10_000, 100_000), (100, 1_000)  # Nodes and Pods


def rounds_of(scenario: str, rounds: int, *, is_small: bool) -> Rounds:
    """The figures of every round, by the names of their rows."""
    found: Rounds = {}
    for _ in range(rounds):
        merged: Rows = {}
        for rows in _told(scenario, is_small=is_small):
            merged |= rows
        for name, figures in merged.items():
            found.setdefault(name, []).append(figures)
    return found


def _told(scenario: str, *, is_small: bool) -> Iterator[Rows]:
    nodes, pods = SMALL if is_small else FULL
    match scenario:
        case "tenant":
            yield _run("tenant", "--nodes", str(nodes), "--pods", str(pods))
        case "requests":
            yield _run("requests", "--pods", str(pods // 50))
        case _:
            yield _run("start")
            yield _run("empty")


def _run(*words: str) -> Rows:
    command = [OWN, "-m", "benchmarks.tenants.course", *words]
    done = subprocess.run(pinned(1, command), cwd=ROOT, check=True, capture_output=True)
    rows: Rows = json.loads(done.stdout)
    return rows
