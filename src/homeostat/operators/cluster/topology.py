"""How many replicas a topology means, and whether a cell has room for them. Pure.

Three etcd members keep a quorum when one zone is lost; of everything else, two are enough. Hard rules in their Pods
keep replicas apart, zone by zone, so a cell must have that many zones before the first Pod is made: a Pod that no host
may take would wait for ever, and tell nobody why.

What is declared and what there is to be now are two things: on the way from one topology to another, the status says
how far it may go (scaling/), and everything that makes or judges masters goes by the status.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from homeostat.api.cluster.masters import ETCD
from homeostat.api.cluster.scaling import ClusterTopologyStatus, MemberChangeStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.api.core import Node

SINGLE_NAME, HA_NAME = "single", "ha"
JOIN, LEAVE = "Join", "Leave"
ZONE_LABEL = "topology.kubernetes.io/zone"
HOST_LABEL = "kubernetes.io/hostname"
_BARRED = {"NoSchedule", "NoExecute"}


class Topology(Struct, frozen=True):
    """How many masters there are to be."""

    members: int  # of etcd
    others: int  # replicas of each other master
    zoned: bool = False  # whether members of etcd are kept apart by zone
    change: MemberChangeStatus | None = None  # the member that comes or goes

    @property
    def quorum(self) -> int:
        """How many etcd members must be ready; one of them that comes or goes is not counted on."""
        is_one_of_them = self.change is not None and number_of(self.change.member) < self.members
        return max(1, (self.members - is_one_of_them) // 2 + 1)

    @property
    def zones(self) -> int:
        """In how many zones of the cell there must be a host that takes Pods."""
        return self.members if self.members > 1 else 0

    @property
    def listed(self) -> int:
        """How many members one that starts is told of: also the one that joins, before its Pod is made."""
        joining = self.change is not None and self.change.action == JOIN
        return max(self.members, number_of(self.change.member) + 1) if self.change and joining else self.members

    def replicas(self, component: str) -> int:
        """How many of a component there are."""
        return self.members if component == ETCD else self.others


SINGLE = Topology(members=1, others=1)
HA = Topology(members=3, others=2, zoned=True)
TOPOLOGIES = {SINGLE_NAME: SINGLE, HA_NAME: HA}


def topology_of(name: str) -> Topology:
    """What a declared topology stands for; one that is not known, for which nothing is done, counts as the least."""
    return TOPOLOGIES.get(name, SINGLE)


def number_of(member: str) -> int:
    """Which member of etcd it is, counted from 0."""
    return int(member.rpartition("-")[2])


def topology_status(cluster: Cluster) -> ClusterTopologyStatus:
    """How many masters there are to be now; of a Cluster whose status does not say so yet, as many as there were."""
    if cluster.status.topology is not None:
        return cluster.status.topology
    desired = {component.name: component.desired for component in cluster.status.components}
    name = cluster.spec.topology
    if ETCD in desired and cluster.status.ready_at is not None:
        name = SINGLE_NAME if desired[ETCD] == SINGLE.members else HA_NAME
    begun = topology_of(name)
    return ClusterTopologyStatus(complete=name, members=begun.members, replicas=begun.others, zoned=begun.zoned)


def standing(cluster: Cluster) -> Topology:
    """How many masters there are to be now."""
    told = topology_status(cluster)
    return Topology(told.members, told.replicas, told.zoned, told.change)


def is_changing(cluster: Cluster) -> bool:
    """Whether the topology is on its way from one to another."""
    topology = cluster.status.topology
    return topology is not None and topology.started_at is not None


def open_zones(nodes: Iterable[Node]) -> frozenset[str]:
    """The zones of a cell in which at least one host takes new Pods."""
    return frozenset(zone for node in nodes if takes_pods(node) and (zone := node.metadata.labels.get(ZONE_LABEL)))


def takes_pods(node: Node) -> bool:
    """Whether a host is ready and barred by nothing that masters do not tolerate."""
    barred = node.spec.unschedulable or any(taint.effect in _BARRED for taint in node.spec.taints)
    return is_ready(node) and not barred and node.metadata.deletion_timestamp is None


def is_ready(node: Node) -> bool:
    """Whether its kubelet lives and says so."""
    return any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions)
