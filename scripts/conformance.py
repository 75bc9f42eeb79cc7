"""Kubernetes' own end-to-end suite as the judge of the simulated API server.

`python -m scripts.conformance` builds the suite from the pinned module in `engines/e2e` (minutes, once), serves a
simulated server over HTTPS with the controllers of the simulated world at work, and runs the conformance tests of
sig-api-machinery that need no running container. It prints which failed, and fails itself when fewer than the share
that is asked for passed. `--focus` takes other tests.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from tests.support.front import fronted
from tests.support.simulated import client_of, simulated_server

from homeostat.api.kind import Resource, unstructured
from homeostat.kit.clock import SystemClock
from homeostat.local.paths import Paths
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.world.controllers.accounts import add_root_certificates, add_service_accounts
from homeostat.sim.world.controllers.garbage.collector import add_garbage_collector
from homeostat.sim.world.controllers.namespaces import add_namespaces

MODULE = Path(__file__).parent.parent / "engines" / "e2e" / "1.34"
PACKAGE = "k8s.io/kubernetes/test/e2e"
FLAGS = ("-mod=readonly", "-trimpath", "-gcflags=all=-dwarf=false", "-ldflags=-s -w -buildid=")
FOCUS = r"\[sig-api-machinery\].*\[Conformance\]"
# What asks for a program in a Pod to answer, or for a controller that nobody plays.
SKIP = "AdmissionWebhook|Aggregator|CustomResourceConversionWebhook|CustomResourceFieldSelectors"
SETTINGS = (
    "--num-nodes=1",
    "--allowed-not-ready-nodes=-1",
    "--minStartupPods=0",
    "--kube-api-content-type=application/json",
    "--provider=skeleton",
    "--disable-log-dump",
)
GOAL = 0.95
ENTRANCE = {"metadata": {"name": "kubernetes"}, "spec": {"ports": [{"name": "https", "port": 443}]}}
SERVICE = unstructured(Resource("", "v1", "Service", "services"))
NODE = unstructured(Resource("", "v1", "Node", "nodes", namespaced=False))


class Verdict(Struct, frozen=True):
    """One test, and why it failed; nothing when it passed."""

    name: str
    failure: str


def suite() -> Path:
    """The suite as a program, built when it is not in the cache."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for file in sorted(MODULE.iterdir()):
        digest.update(file.read_bytes())
    place = Paths.from_environment(os.environ).binaries / f"e2e-{digest.hexdigest()[:12]}" / "e2e.test"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_suffix(".partial")
        subprocess.run(["go", "test", "-c", *FLAGS, "-o", str(partial), PACKAGE], cwd=MODULE, check=True)
        partial.replace(place)
    return place


@asynccontextmanager
async def at_work(server: ApiServer, authority: str) -> AsyncIterator[None]:
    """The controllers without which a cluster is none: for namespaces, accounts and garbage."""
    clock, stop = SystemClock(), asyncio.Event()
    async with client_of(server, clock) as client:
        manager = Manager(clock=clock, random=random.Random(0), settings=ManagerSettings(tune_gc=False))
        add_namespaces(manager, client)
        add_service_accounts(manager, client)
        add_root_certificates(manager, client, authority)
        add_garbage_collector(manager, client)
        running = asyncio.ensure_future(manager.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait({running}, timeout=10)
            running.cancel()


async def judged(focus: str, skip: str) -> list[Verdict]:
    """What the suite says of each test."""
    program, clock = suite(), SystemClock()
    server = simulated_server(clock)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        async with fronted(place, server) as kubectl, at_work(server, (place / "ca.crt").read_text()):
            async with client_of(server, clock) as client:
                await client.create(NODE, node("node-1"))
                await client.create(SERVICE, ENTRANCE, "default")
            words = (f"--ginkgo.focus={focus}", f"--ginkgo.skip={skip}", f"--report-dir={place}", *SETTINGS)
            config = f"--kubeconfig={place / 'kubeconfig'}"
            process = await asyncio.create_subprocess_exec(
                str(program), "--ginkgo.v", config, f"--kubectl-path={kubectl.program}", *words, cwd=place
            )
            await process.wait()
        return list(read(place / "junit_01.xml"))


def node(name: str) -> dict[str, object]:
    """A host that is ready and has room, with nobody on it."""
    room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {"metadata": {"name": name}, "status": {"conditions": [ready], "capacity": room, "allocatable": room}}


def read(report: Path) -> list[Verdict]:
    """The verdicts of a report of JUnit's form."""
    found = []
    for case in ET.parse(report).getroot().iter("testcase"):
        failure = case.find("failure")
        if case.find("skipped") is None and case.get("name", "").startswith("[It]"):
            text = "" if failure is None else failure.get("message") or failure.text or "failed"
            found.append(Verdict(case.get("name", "").removeprefix("[It] "), text))
    return found


def main() -> int:
    """Judge and print; the exit code says whether enough passed."""
    parser = argparse.ArgumentParser(description="Judge the simulated API server by Kubernetes' own suite.")
    parser.add_argument("--focus", default=FOCUS)
    parser.add_argument("--skip", default=SKIP)
    parser.add_argument("--goal", type=float, default=GOAL)
    asked = parser.parse_args()
    verdicts = asyncio.run(judged(asked.focus, asked.skip))
    failed = [each for each in verdicts if each.failure]
    for each in failed:
        print(f"FAILED {each.name}: {each.failure.strip().splitlines()[0]}")
    passed = len(verdicts) - len(failed)
    print(f"{passed} of {len(verdicts)} passed")
    return 0 if verdicts and passed >= asked.goal * len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
