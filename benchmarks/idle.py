"""What idle clusters cost the operator: processor time, memory, and calls to the API server of the cell.

A real API server, a double of kubelets and controllers (tests/support/kubelet.py), and the operator as a process of its
own. So many Clusters are declared that all are Ready and the stores of their etcd were looked at once, for the first
look is written down; then nothing happens for a while, and the operator tells what that while has cost.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from functools import partial

import msgspec
from tests.support.apiserver import ApiServer, launch
from tests.support.kinds import cluster, install
from tests.support.kubelet import KINDS, Kubelet
from tests.support.tree import ROOT

from benchmarks.contender import pinned
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.connect import connect

COUNTS = (1, 10, 30, 100)
SETTLE_S = 20.0  # what follows from being Ready is done by then
ROUND_S = 400.0  # the operator looks at the stores of every etcd within five minutes
WHILE_S = 120.0
Figures = dict[str, float]


async def cost_of_idle(counts: tuple[int, ...] = COUNTS, while_s: float = WHILE_S) -> list[dict[str, Figures]]:
    """One round: the figures of every count, by its name."""
    server = await asyncio.to_thread(launch)
    try:
        install(server)
        server.kubectl("apply", "--server-side", "-f", str(ROOT / "examples/packageversions"))
        return [await _measure(server, counts, while_s)]
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)


async def _measure(server: ApiServer, counts: tuple[int, ...], while_s: float) -> dict[str, Figures]:
    clock = SystemClock()
    command = (sys.executable, "-m", "benchmarks.contenders.idle_operator", str(server.kubeconfig))
    process = await asyncio.create_subprocess_exec(
        *pinned(1, list(command)), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    async with connect(server.config, clock=clock, random=system_random()) as client:
        kubelet = Kubelet(client, clock=clock, random=system_random(), namespace="default")
        async with kubelet.running():
            await asyncio.sleep(SETTLE_S)
            found, there, empty = dict[str, Figures](), 0, await _told(process)
            for count in counts:
                for number in range(there, count):
                    await client.create(KINDS["Cluster"], cluster(f"idle-{number:03}", "default"))
                there = count
                await kubelet.until(partial(_are_ready, kubelet, count), f"{count} are Ready", within_s=600)
                await kubelet.until(partial(_are_looked_at, kubelet), "all stores were looked at", within_s=ROUND_S)
                await asyncio.sleep(SETTLE_S)
                before = await _told(process)
                await asyncio.sleep(while_s)
                found[f"{count} idle"] = _cost(before, await _told(process), empty, while_s)
    process.terminate()
    await process.wait()
    return found


def _are_ready(kubelet: Kubelet, count: int) -> bool:
    return [one.get("status", {}).get("phase") for one in kubelet.all("Cluster")].count("Ready") == count


def _are_looked_at(kubelet: Kubelet) -> bool:
    return all("etcd" in one["status"] for one in kubelet.all("Cluster"))


def _cost(before: Figures, after: Figures, empty: Figures, while_s: float) -> Figures:
    return {
        "cpu_percent": 100 * (after["cpu_s"] - before["cpu_s"]) / while_s,
        "grown_mb": after["rss_mb"] - empty["rss_mb"],
        "rss_mb": after["rss_mb"],
        "calls_per_minute": 60 * (after["calls"] - before["calls"]) / while_s,
        "probes_per_minute": 60 * (after["probes"] - before["probes"]) / while_s,
    }


async def _told(process: asyncio.subprocess.Process) -> Figures:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"stats\n")
    told: Figures = msgspec.json.decode(await process.stdout.readline())
    return told
