"""Fleets of several sizes, each in a process of its own, and what a phase cost for each cluster of it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable

import msgspec

from benchmarks.contender import ROOT
from benchmarks.fleets.course import PHASES, Phase

COUNTS = (10, 30, 100)
Figures = dict[str, float]


async def cost_of_fleets(
    counts: tuple[int, ...], say: Callable[[str], None], phases: tuple[str, ...] = PHASES
) -> dict[str, list[Figures]]:
    """The figures of each phase of each fleet, by their name; what did not come to its end is not told."""
    found: dict[str, list[Figures]] = {}
    for count in counts:
        for phase in await _measured(count, phases, say):
            found[f"{count}: {phase.phase}"] = [figures_of(phase)]
    return found


async def _measured(count: int, phases: tuple[str, ...], say: Callable[[str], None]) -> list[Phase]:
    command = [sys.executable, "-m", "benchmarks.fleets.course", str(count), "--phases", ",".join(phases)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    told = []
    async for line in process.stdout:
        told.append(msgspec.json.decode(line, type=Phase))
        say(f"  {count}: {line.decode().strip()}")
    if await process.wait() != 0:
        say(f"  {count}: ended with {process.returncode}")
    return told


def figures_of(phase: Phase) -> Figures:
    """For each cluster, and per second of the processor."""
    each = 1 / phase.clusters
    cpu_s = phase.world_s + phase.operator_s + phase.collector_s
    return {
        "virtual_s": phase.virtual_s,
        "world_ms": 1000 * phase.world_s * each,
        "operator_ms": 1000 * phase.operator_s * each,
        "collector_ms": 1000 * phase.collector_s * each,
        "both_s": cpu_s * each,
        "all_calls": phase.calls,
        "calls": phase.calls * each,
        "changes": phase.changes * each,
        "steps": phase.steps * each,
        "changes_per_s": phase.changes / cpu_s if cpu_s else 0.0,
        "day_s": cpu_s * each * 86400 / phase.virtual_s if phase.virtual_s else 0.0,
        "rss_mib": phase.rss_mib,
    }
