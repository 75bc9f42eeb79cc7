"""Every metric of the cluster operator, with its unit, and the measures that reports are made of.

Labels are words of a few kinds, never names of objects: a cell of ten thousand clusters has as many series as one of
ten. Gauges are told by every replica, from its own cache; counters and durations by the one that leads.
"""

from __future__ import annotations

from homeostat.telemetry.metrics import Measure, declare

CREATE, UPGRADE, ROLLBACK, DELETE = "create", "upgrade", "rollback", "delete"
HEAL, SCALE, RESTORE = "heal", "scale", "restore"
SUCCEEDED, FAILED, ABANDONED = "succeeded", "failed", "abandoned"
_WAITS_S = (1.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)

CLUSTERS = declare(
    "homeostat_clusters",
    "gauge",
    "clusters",
    "Clusters by phase and by the Kubernetes version that they serve, which is empty before they do",
    labels=("phase", "version"),
)
CONDITIONS = declare(
    "homeostat_cluster_conditions",
    "gauge",
    "clusters",
    "Clusters by what each of their conditions says, with the reasons of the words page",
    labels=("condition", "status", "reason"),
)
RUNNING = declare(
    "homeostat_orchestrations_running",
    "gauge",
    "clusters",
    "Clusters that are being created, moved, deleted, mended, restored, or made larger or smaller",
    labels=("operation",),
)
LONGEST = declare(
    "homeostat_orchestration_longest_running_seconds",
    "gauge",
    "seconds",
    "For how long the oldest orchestration that has not ended has been under way",
    labels=("operation",),
)
ENDED = declare(
    "homeostat_orchestrations",
    "counter",
    "orchestrations",
    "Orchestrations that ended: create, upgrade, rollback, delete, heal, scale, restore; a creation is abandoned by a "
    "deletion, a restore by taking its approval back",
    labels=("operation", "result"),
)
DURATION = declare(
    "homeostat_orchestration_duration_seconds",
    "histogram",
    "seconds",
    "From the beginning of an orchestration to its end",
    labels=("operation", "result"),
    buckets=_WAITS_S,
)
PROBES = declare(
    "homeostat_probe_duration_seconds",
    "histogram",
    "seconds",
    "Probes through endpoints and at single API servers, answered or failed",
    labels=("target", "result"),
)
RESTARTS = declare(
    "homeostat_master_restarts",
    "counter",
    "restarts",
    "Containers of masters that their kubelet started again, by how they had ended",
    labels=("component", "reason"),
)
ETCD_USED = declare(
    "homeostat_cluster_etcd_used",
    "gauge",
    "clusters",
    "Clusters by the share of its quota that the largest store of their etcd has: from so many percent on",
    labels=("percent",),
)
ETCD_ALARMS = declare(
    "homeostat_cluster_etcd_alarms",
    "gauge",
    "clusters",
    "Clusters whose etcd raised an alarm, with which nothing is written any more",
    labels=("alarm",),
)
ETCD_REPAIRS = declare(
    "homeostat_cluster_etcd_repairs",
    "counter",
    "repairs",
    "What was done to the stores of etcd: compact, defragment, disarm",
    labels=("repair",),
)
CERTIFICATES_END = declare(
    "homeostat_cluster_certificate_expiry_timestamp_seconds",
    "gauge",
    "seconds",
    "When the certificate of any Cluster's masters runs out that does so first, by the authority that signed it, the "
    "authority's own among them; +Inf without clusters",
    labels=("authority",),
)
FORMED = declare("homeostat_cell_clusters", "gauge", "clusters", "Clusters of the cell that were Ready once")
SICK = declare(
    "homeostat_cell_sick_clusters",
    "gauge",
    "clusters",
    "Of those, the ones that are not well, since whenever; paused ones aside",
)
FROZEN = declare(
    "homeostat_healing_frozen",
    "gauge",
    "cells",
    "1 while no master is replaced: many clusters fell sick at once (MassFailure), or the cell is slow (SlowCell)",
    labels=("why",),
)
BUDGET_LEFT = declare(
    "homeostat_healing_budget_left", "gauge", "masters", "Masters that may still be replaced or restarted in the window"
)
HANDED_OVER = declare(
    "homeostat_healing_handed_over", "gauge", "masters", "Masters that healing gave up on: a person must look at them"
)
HEALED = declare(
    "homeostat_healing_restarts",
    "counter",
    "restarts",
    "Pods of API servers and controllers that healing deleted, by what was wrong",
    labels=("component", "reason"),
)
ISOLATIONS = declare(
    "homeostat_healing_isolations",
    "counter",
    "isolations",
    "API servers that were taken out of their endpoint, or put back",
    labels=("direction",),
)


def ended(operation: str, result: str, seconds: float) -> tuple[Measure, ...]:
    """What an orchestration that is over counts as."""
    labels = (operation, result)
    return Measure(ENDED, labels), Measure(DURATION, labels, max(seconds, 0.0))
