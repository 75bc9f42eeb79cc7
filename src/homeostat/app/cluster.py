"""`homeostat run cluster`: homeostat's own operator for one business cluster, hosted beside its masters in the cell.

It is one hosted operator among others (a component of a ClusterPackageVersion), and talks to the business cluster
alone. It tells of its Nodes as metrics; operators of machines and workloads join it here.
"""

from __future__ import annotations

import asyncio

from homeostat.app.options import ClusterOptions
from homeostat.app.process import elector_of, manager_of, run_until_told
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.config import resolve
from homeostat.kube.connect import connect
from homeostat.kube.observing import PrometheusObserver
from homeostat.operators.nodes.census import add_census
from homeostat.telemetry.logs import configure
from homeostat.telemetry.metrics import Metrics

LEASE = "homeostat-cluster"
CLUSTER = "business"  # what metrics call the cluster whose operator this is


def run_cluster(options: ClusterOptions) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Raises ConfigError when there is nothing to connect to."""
    return asyncio.run(_run(options))


async def _run(options: ClusterOptions) -> int:
    clock, random, metrics = SystemClock(), system_random(), Metrics()
    configure(clock=clock, style=options.log_format, level=options.log_level)
    config = resolve(options.kubeconfig or None, options.context or None)
    observer = PrometheusObserver(metrics.registry).of(CLUSTER)
    client = connect(config, clock=clock, random=random, field_manager=LEASE, observer=observer, cluster=CLUSTER)
    async with client:
        elector = elector_of(options, client, LEASE, clock=clock, random=random, metrics=metrics)
        manager = manager_of(options, elector, clock=clock, random=random, metrics=metrics)
        add_census(manager, client)
        return await run_until_told(manager)
