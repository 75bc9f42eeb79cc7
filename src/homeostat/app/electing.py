"""Who leads among the replicas of a process."""

from __future__ import annotations

import os
import socket

from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.runtime.leader import LeaderElector
from homeostat.telemetry.metrics import Metrics


def elector_of(
    client: Client, lease: str, namespace: str, *, clock: Clock, random: Random, metrics: Metrics
) -> LeaderElector:
    """A candidate by the name of this host and process."""
    identity = f"{socket.gethostname()}-{os.getpid()}"
    return LeaderElector(client, lease, namespace, identity, clock=clock, random=random, metrics=metrics)
