"""What every process of operators begins and ends with: who leads among its replicas, its manager, its signals."""

from __future__ import annotations

import asyncio
import os
import socket

from homeostat.app.options import CellOptions, ClusterOptions
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.runtime.leader import LeaderElector
from homeostat.runtime.manager import Manager, ManagerSettings, stop_on_signals
from homeostat.telemetry.metrics import Metrics

Options = CellOptions | ClusterOptions


def elector_of(
    options: Options, client: Client, lease: str, *, clock: Clock, random: Random, metrics: Metrics
) -> LeaderElector | None:
    """A candidate by the name of this host and process; None for a process that has no others beside it."""
    if not options.leader_election:
        return None
    identity, namespace = f"{socket.gethostname()}-{os.getpid()}", options.leader_election_namespace
    return LeaderElector(client, lease, namespace, identity, clock=clock, random=random, metrics=metrics)


def manager_of(
    options: Options, elector: LeaderElector | None, *, clock: Clock, random: Random, metrics: Metrics
) -> Manager:
    """A manager that serves health and metrics where the options say."""
    settings = ManagerSettings(health_host=options.health_host, health_port=options.health_port or None)
    return Manager(clock=clock, random=random, metrics=metrics, settings=settings, elector=elector)


async def run_until_told(manager: Manager) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    return await manager.run(stop)
