"""The last look before a member of etcd that is well is forgotten by the others, for that cannot be taken back."""

from __future__ import annotations

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.kube.client import Client
from homeostat.operators.cluster.actions import RetireMember
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.ports import Etcd, EtcdAccess
from homeostat.operators.cluster.scaling.safety import unsafe_to_retire


async def why_not(client: Client, etcd: Etcd, seen: Observed, access: EtcdAccess, action: RetireMember) -> str:
    """Why it must not leave after all, by what the Cluster and etcd say at this moment; empty: it may."""
    cluster = await client.get(CLUSTER, seen.cluster.metadata.name, seen.names.namespace)
    if cluster.spec.paused or is_ending(cluster):
        return f"{action.member} does not leave: the Cluster is paused or is being deleted"
    planned, told = seen.cluster.status.topology, cluster.status.topology
    if cluster.spec.topology != seen.cluster.spec.topology or planned is None or told is None:
        return f"{action.member} does not leave: the topology is not to change any more"
    if told.change != planned.change:
        return f"{action.member} does not leave: another step was told meanwhile"
    unsafe = unsafe_to_retire(await etcd.members(access), action.id)
    return f"{action.member} does not leave: {unsafe}" if unsafe else ""
