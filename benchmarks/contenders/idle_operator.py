"""The cluster operator as a contender: it keeps what it finds on an API server, and tells what that costs it.

Everything is as `homeostat run cell` wires it, probes included; only etcd, which is not there, is a double that says
that all is well. Answers the word `stats` on its input with a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from tests.support.granting import FakeRights
from tests.support.membership import FakeEtcd
from tests.support.stores import FakeStores

from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.config import resolve
from homeostat.kube.connect import connect
from homeostat.kube.observing import PrometheusObserver
from homeostat.operators.cluster.controller import add_cluster_operator
from homeostat.operators.cluster.ports import Direct, Outside, Served
from homeostat.providers.endpoint.probing import EndpointProbe
from homeostat.runtime.leader import LeaderElector
from homeostat.runtime.manager import Manager
from homeostat.telemetry.logs import configure
from homeostat.telemetry.metrics import Metrics

PAGE = resource.getpagesize()


class CountingProbe(EndpointProbe):
    """Counts those that went well, through an endpoint or past it."""

    answered = 0

    async def probe(self, kubeconfig: bytes, direct: Direct | None = None) -> Served:
        """What the server told. Raises Unreachable."""
        told = await super().probe(kubeconfig, direct)
        self.answered += 1
        return told


def stats(metrics: Metrics, probe: CountingProbe) -> dict[str, float]:
    """What it has cost so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    calls = sum(
        sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "homeostat_kube_requests_total"
    )
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    return {
        "cpu_s": used.ru_utime + used.ru_stime,
        "rss_mib": resident / 2**20,
        "calls": calls,
        "probes": probe.answered,
    }


async def run(kubeconfig: str) -> None:
    """Work until the input ends."""
    clock, random, metrics = SystemClock(), system_random(), Metrics()
    configure(clock=clock, level="warning", stream=sys.stderr)
    observer = PrometheusObserver(metrics.registry).of("cell")
    async with connect(
        resolve(kubeconfig, None), clock=clock, random=random, field_manager="homeostat-cluster", observer=observer
    ) as client:
        elector = LeaderElector(client, "homeostat-cell", "default", "bench", clock=clock, random=random)
        manager = Manager(clock=clock, random=random, metrics=metrics, elector=elector)
        probe, etcd = CountingProbe(clock=clock, random=random), FakeEtcd()
        add_cluster_operator(manager, client, Outside(probe, etcd, FakeStores(etcd), FakeRights()))
        stop = asyncio.Event()
        working = asyncio.ensure_future(manager.run(stop))
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while await reader.readline():
            print(json.dumps(stats(metrics, probe)), flush=True)
        stop.set()
        await working


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
