"""From a cluster as it was seen to what healing wants to know beside. Nothing is asked of anybody here."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.api.core import Node
from homeostat.operators.cluster.healing.cell import CellHealth
from homeostat.operators.cluster.healing.members import FRESH
from homeostat.operators.cluster.healing.seen import HostSeen
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.topology import ZONE_LABEL, is_ready, takes_pods, topology_of
from homeostat.runtime.store import Store


def observe_ailing(seen: Observed, nodes: Store[Node], cell: CellHealth, known: Memory, now: datetime) -> Observed:
    """The same, with what healing looks at. Looking at all Nodes and Clusters costs, so only while a member ails."""
    members = seen.names.etcd_members(topology_of(seen.cluster.spec.topology).members)
    ready = {pod.metadata.name for pod in seen.pods if pod.is_ready}
    known.unready = {name: known.unready.get(name, now) for name in members if name not in ready}
    healing = seen.cluster.status.healing
    if not known.unready and (healing is None or healing.replacement is None):
        if known.members is not None and now >= known.members.at + FRESH:
            known.members = None  # nobody asked lately, so nobody shall tell of it
        return seen
    hosts = {
        node.metadata.name: HostSeen(node.metadata.labels.get(ZONE_LABEL, ""), is_ready(node), takes_pods(node))
        for node in nodes.values()
    }
    return replace(seen, hosts=hosts, unready=dict(known.unready), cell=cell.look(now))
