"""How patient a cluster is with its Nodes; the defaults are those of kube-controller-manager."""

from __future__ import annotations

from msgspec import Struct


class NodeSettings(Struct, frozen=True):
    """Flags of kube-controller-manager."""

    grace_s: float = 50.0  # --node-monitor-grace-period
    startup_grace_s: float = 60.0  # --node-startup-grace-period
    evictions_per_s: float = 0.1  # --node-eviction-rate, for each zone
    slow_evictions_per_s: float = 0.01  # --secondary-node-eviction-rate, where much of a large zone is ill
    unhealthy_share: float = 0.55  # --unhealthy-zone-threshold
    large_zone: int = 50  # --large-cluster-size-threshold
    quarantine_s: float = 40.0  # how long a Node must be gone before its Pods are
