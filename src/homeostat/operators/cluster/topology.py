"""How many replicas a topology means, and whether a cell has room for them. Pure.

Three etcd members keep a quorum when one zone is lost; of everything else, two are enough. Hard rules in their Pods
keep replicas apart, zone by zone, so a cell must have that many zones before the first Pod is made: a Pod that no host
may take would wait for ever, and tell nobody why.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from homeostat.api.core import Node

ETCD = "etcd"
ZONE_LABEL = "topology.kubernetes.io/zone"
HOST_LABEL = "kubernetes.io/hostname"
_BARRED = {"NoSchedule", "NoExecute"}


class Topology(Struct, frozen=True):
    """What `spec.topology` stands for."""

    members: int  # of etcd
    others: int  # replicas of each other master

    @property
    def quorum(self) -> int:
        """How many etcd members must agree."""
        return self.members // 2 + 1

    @property
    def zones(self) -> int:
        """In how many zones of the cell there must be a host that takes Pods."""
        return self.members if self.members > 1 else 0

    def replicas(self, component: str) -> int:
        """How many of a component there are."""
        return self.members if component == ETCD else self.others


SINGLE = Topology(members=1, others=1)
HA = Topology(members=3, others=2)
_TOPOLOGIES = {"single": SINGLE, "ha": HA}


def topology_of(name: str) -> Topology:
    """What a declared topology stands for; the CRD lets no other names in."""
    return _TOPOLOGIES[name]


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
