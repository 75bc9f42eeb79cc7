"""A member of etcd that does not come up where a move brought it: that is for the move to judge. Pure.

Another one with an empty volume would be of the same version, and no better; what is mended is the version, and the
volume is worth most when it is. One whose host is away is dead of that.
"""

from __future__ import annotations

from homeostat.api.apps import StatefulSet
from homeostat.api.cluster.masters import ETCD
from homeostat.operators.cluster.names import REVISION_LABEL
from homeostat.operators.cluster.observe import Observed


def is_for_the_move(seen: Observed, member: str) -> bool:
    """Whether a member is of what etcd moved to last, on a host that is well, and that move is not over."""
    upgrade, workload = seen.cluster.status.upgrade, seen.workloads.get(seen.names.etcd)
    if upgrade is None or upgrade.component != ETCD or not isinstance(workload, StatefulSet):
        return False
    pod = next((each for each in seen.pods if each.metadata.name == member), None)
    if pod is None or pod.metadata.labels.get(REVISION_LABEL) != workload.status.update_revision:
        return False
    host = seen.hosts.get(pod.spec.node_name)
    return host is not None and host.is_ready
