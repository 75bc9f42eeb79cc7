"""Which data of etcd may be drawn into a snapshot: none that is known to be corrupt. Pure.

A snapshot of a member that the others agree against would count as a good one, and older ones that are would go for it.
What is known stands in the status, by the last comparison of the members (upkeep/).
"""

from __future__ import annotations

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster.names import names_of
from homeostat.operators.cluster.ports import EtcdAccess
from homeostat.operators.cluster.upkeep.stores import CORRUPT


def distrust(cluster: Cluster) -> str:
    """Why no member can be drawn from; empty: some can."""
    loss, etcd = cluster.status.quorum_loss, cluster.status.etcd
    if loss is not None and loss.corrupt:
        return "no majority of the members of etcd agrees on the data, so none is drawn from; EtcdReady says more"
    if etcd is not None and CORRUPT in etcd.alarms:
        return "etcd raised the alarm CORRUPT, so no member is drawn from before it is cleared; EtcdReady says more"
    return ""


def trusted(access: EtcdAccess, cluster: Cluster) -> EtcdAccess:
    """To those members alone whose data the others agree on, as far as that is known."""
    etcd = cluster.status.etcd
    apart = {names_of(cluster).etcd_host(member) for member in etcd.deviating} if etcd is not None else set()
    return replace(access, hosts={name: host for name, host in access.hosts.items() if host not in apart})
