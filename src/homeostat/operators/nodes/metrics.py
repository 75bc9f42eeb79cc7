"""Every metric about the Nodes of a business cluster, with its unit."""

from __future__ import annotations

from homeostat.telemetry.metrics import declare

NODES = declare(
    "homeostat_nodes",
    "gauge",
    "nodes",
    "Nodes by whether they are ready (Unknown: nobody says so), whether they take new Pods, and the kubelet's version",
    labels=("ready", "schedulable", "version"),
)
