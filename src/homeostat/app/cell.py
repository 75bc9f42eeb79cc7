"""`homeostat run cell`: joins the cluster operator to an API server, a clock and a process."""

from __future__ import annotations

import asyncio

from homeostat.app.options import CellOptions
from homeostat.app.process import elector_of, manager_of, run_until_told
from homeostat.app.snapshots import add_restoring, snapshot_means
from homeostat.kit.clock import SystemClock
from homeostat.kit.random import system_random
from homeostat.kube.client import Client
from homeostat.kube.config import resolve
from homeostat.kube.connect import connect
from homeostat.kube.observing import PrometheusObserver
from homeostat.operators.cluster.controller import add_cluster_admission, add_cluster_operator, fleet_of
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.pulse import Pulse
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy
from homeostat.operators.cluster.ports import Outside
from homeostat.operators.cluster.snapshots.controller import Means, add_backups
from homeostat.providers.endpoint.granting import BusinessRights
from homeostat.providers.endpoint.probing import EndpointProbe
from homeostat.providers.etcd.membership import EtcdMembership
from homeostat.providers.etcd.upkeep import EtcdStores
from homeostat.runtime.leader import LeaderElector
from homeostat.runtime.manager import Manager
from homeostat.runtime.webhook.configuration import ServiceAddress
from homeostat.runtime.webhook.service import Webhooks, WebhookSettings
from homeostat.telemetry.logs import configure
from homeostat.telemetry.metrics import Metrics

LEASE = "homeostat-cell"
WEBHOOKS = "homeostat-cell"  # the ValidatingWebhookConfiguration, as deploy/operator/rights.yaml names it
CELL = "cell"  # what metrics call the cluster whose operator this is


def run_cell(options: CellOptions) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Raises ConfigError when there is nothing to connect to."""
    return asyncio.run(_run(options))


async def _run(options: CellOptions) -> int:
    clock, random = SystemClock(), system_random()
    configure(clock=clock, style=options.log_format, level=options.log_level)
    metrics = Metrics()
    pulse = Pulse(clock)
    config = resolve(options.kubeconfig or None, options.context or None)
    client = connect(
        config,
        clock=clock,
        random=random,
        field_manager="homeostat-cluster",
        observer=pulse.beside(PrometheusObserver(metrics.registry).of(CELL)),
        cluster=CELL,
    )
    async with client, snapshot_means(options, clock=clock, random=random) as means:
        elector = elector_of(options, client, LEASE, clock=clock, random=random, metrics=metrics)
        manager = manager_of(options, elector, clock=clock, random=random, metrics=metrics)
        await _add_operators(options, manager, client, means, pulse)
        if options.webhook_service:
            _add_webhooks(options, manager, client, elector)
        return await run_until_told(manager)


async def _add_operators(
    options: CellOptions, manager: Manager, client: Client, means: Means | None, pulse: Pulse
) -> None:
    """One for each namespace, which share what they know of the cell, and the backup loop."""
    clock = manager.clock
    pacing = PacingPolicy(creating=options.max_creating, rolling=options.max_rolling)
    policy = Policy(pacing=pacing, node_ports=options.endpoint_node_ports)
    fleet = fleet_of(manager, policy, is_slow=lambda: pulse.is_slow)
    outside = Outside(
        probe=EndpointProbe(clock=clock, random=manager.random),
        etcd=EtcdMembership(clock=clock),
        upkeep=EtcdStores(clock=clock),
        rights=BusinessRights(clock=clock, random=manager.random),
        store=means.store if means is not None else None,
        restoring=await add_restoring(options, manager, means),
    )
    namespaces = options.namespaces or ("",)
    for namespace in namespaces:
        add_cluster_operator(
            manager, client, outside, namespace=namespace, workers=options.workers, policy=policy, fleet=fleet
        )
    add_backups(manager, client, means, namespaces=namespaces)


def _add_webhooks(options: CellOptions, manager: Manager, client: Client, elector: LeaderElector | None) -> None:
    namespace, _, service = options.webhook_service.partition("/")
    settings = WebhookSettings(
        namespace=namespace,
        secret=service,
        configuration=WEBHOOKS,
        host=options.webhook_host,
        port=options.webhook_port,
        namespaces=options.namespaces,
    )
    webhooks = Webhooks(client, ServiceAddress(namespace, service), settings, manager, elector=elector)
    add_cluster_admission(webhooks, manager, client, namespaces=options.namespaces or ("",))
    manager.add_server(webhooks)
