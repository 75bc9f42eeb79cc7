"""What idle clusters cost the operator: processor time, memory, and calls to the API server of the cell.

A real API server, a double of kubelets and controllers (tests/support/kubelet.py), endpoints that speak real TLS with
each Cluster's own certificates (endpoints.py), and the operator as a process of its own. So many Clusters are declared
that all are Ready and the stores of their etcd were looked at once, for the first look is written down; then nothing
happens for a while, and the operator tells what that while has cost it. At last another process takes over what is
there, as after every update of the operator.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import yaml
from tests.support.apiserver import ApiServer, launch
from tests.support.cells import open_zones
from tests.support.kinds import cluster, install
from tests.support.kubelet import KINDS, Kubelet
from tests.support.tree import ROOT

from benchmarks.contender import pinned
from benchmarks.endpoints import Endpoints, Served, endpoints
from homeostat.api.cluster.masters import API_SERVER
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.connect import connect
from homeostat.operators.cluster.names import COMPONENT_LABEL, NAME_LABEL

COUNTS = (1, 10, 30, 100)
TOPOLOGIES = ("single", "ha")
READY_S, LOOK_S = 900.0, 0.2
SETTLE_S = 20.0  # what follows from being Ready is done by then
ROUND_S = 400.0  # the operator looks at the stores of every etcd within five minutes
WHILE_S = 120.0
Figures = dict[str, float]


async def cost_of_idle(
    counts: tuple[int, ...] = COUNTS, while_s: float = WHILE_S, topologies: tuple[str, ...] = TOPOLOGIES
) -> list[dict[str, Figures]]:
    """One round: the figures of every count, by its name; of highly available Clusters only those of the last one."""
    found = dict[str, Figures]()
    for topology in topologies:
        server = await asyncio.to_thread(launch)
        try:
            install(server)
            server.kubectl("apply", "--server-side", "-f", str(ROOT / "examples/packageversions"))
            found |= await _measure(server, topology, counts if topology == "single" else counts[-1:], while_s)
        finally:
            server.stop()
            shutil.rmtree(server.directory, ignore_errors=True)
    return [found]


async def _measure(server: ApiServer, topology: str, counts: tuple[int, ...], while_s: float) -> dict[str, Figures]:
    clock, found, there = SystemClock(), dict[str, Figures](), 0
    what = "idle" if topology == "single" else f"idle, {topology}"
    async with connect(server.config, clock=clock, random=system_random()) as client, endpoints(server) as serving:
        kubelet = Kubelet(client, clock=clock, random=system_random(), namespace="default")
        kubelet.network = "127"
        async with open_zones(client), kubelet.running():
            async with _operator(server) as process:
                await asyncio.sleep(SETTLE_S)
                empty = await _told(process)
                for count in counts:
                    for number in range(there, count):
                        declared = cluster(f"idle-{number:03}", "default", topology=topology)
                        await client.create(KINDS["Cluster"], declared)
                    there = count
                    await _until_ready(kubelet, serving, count)
                    await kubelet.until(partial(_are_looked_at, kubelet), "all were looked at", within_s=ROUND_S)
                    found[f"{count} {what}"] = await _idle(process, empty, while_s)
            async with _operator(server) as process:
                await asyncio.sleep(ROUND_S)
                found[f"{there} {what}, started anew"] = await _idle(process, empty, while_s)
    return found


async def _until_ready(kubelet: Kubelet, serving: Endpoints, count: int) -> None:
    """Answer where API servers run, until all Clusters are Ready."""
    async with asyncio.timeout(READY_S):
        while not _are_ready(kubelet, count):
            await serving.serve(_served(kubelet))
            await asyncio.sleep(LOOK_S)
        await serving.serve(_served(kubelet))  # API servers that came last


def _served(kubelet: Kubelet) -> Iterator[Served]:
    """The addresses that are given, and what the API servers there have."""
    secrets = {secret["metadata"]["name"]: secret["data"] for secret in kubelet.all("Secret")}
    for each in (*kubelet.all("Service"), *kubelet.all("Pod")):
        labels, status = each["metadata"]["labels"], each.get("status", {})
        given = status.get("loadBalancer", {}).get("ingress") or [{"ip": status.get("podIP")}]
        data = secrets.get(f"{labels.get(NAME_LABEL)}-apiserver", {})
        if labels.get(COMPONENT_LABEL) == API_SERVER and given[0]["ip"] and "serving.key" in data:
            held = (base64.b64decode(data[entry]) for entry in ("ca.crt", "serving.crt", "serving.key"))
            yield Served(given[0]["ip"], *held)


@asynccontextmanager
async def _operator(server: ApiServer) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "benchmarks.contenders.idle_operator", str(server.kubeconfig)]
    environment = os.environ | allocator()
    process = await asyncio.create_subprocess_exec(*pinned(1, command), stdin=PIPE, stdout=PIPE, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


def allocator() -> dict[str, str]:
    """How the operator's Deployment sets up the allocator: it is measured as it is run."""
    documents = yaml.safe_load_all((ROOT / "deploy/operator/deployment.yaml").read_text())
    deployment = next(each for each in documents if each["kind"] == "Deployment")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return {each["name"]: each["value"] for each in variables if each["name"].startswith("MALLOC_")}


async def _idle(process: Process, empty: Figures, while_s: float) -> Figures:
    """What a while costs in which nothing happens."""
    await asyncio.sleep(SETTLE_S)
    before = await _told(process)
    await asyncio.sleep(while_s)
    return _cost(before, await _told(process), empty, while_s)


def _are_ready(kubelet: Kubelet, count: int) -> bool:
    return [one.get("status", {}).get("phase") for one in kubelet.all("Cluster")].count("Ready") == count


def _are_looked_at(kubelet: Kubelet) -> bool:
    return all("etcd" in one["status"] for one in kubelet.all("Cluster"))


def _cost(before: Figures, after: Figures, empty: Figures, while_s: float) -> Figures:
    return {
        "cpu_percent": 100 * (after["cpu_s"] - before["cpu_s"]) / while_s,
        "grown_mib": after["rss_mib"] - empty["rss_mib"],
        "rss_mib": after["rss_mib"],
        "calls_per_minute": 60 * (after["calls"] - before["calls"]) / while_s,
        "probes_per_minute": 60 * (after["probes"] - before["probes"]) / while_s,
        "load": os.getloadavg()[0],
    }


async def _told(process: Process) -> Figures:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"stats\n")
    told: Figures = msgspec.json.decode(await process.stdout.readline())
    return told
