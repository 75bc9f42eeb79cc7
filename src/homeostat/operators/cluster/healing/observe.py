"""From a cluster as it was seen to what healing wants to know beside. Nothing is asked of anybody here."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.masters import ETCD
from homeostat.api.core import Node
from homeostat.operators.cluster.healing.cell import CellHealth
from homeostat.operators.cluster.healing.illness import is_isolated
from homeostat.operators.cluster.healing.ladder import is_under_way
from homeostat.operators.cluster.healing.members import FRESH
from homeostat.operators.cluster.healing.seen import HostSeen
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Memory, Observed
from homeostat.operators.cluster.topology import ZONE_LABEL, is_changing, is_ready, standing, takes_pods
from homeostat.runtime.store import Store


def observe_ailing(seen: Observed, nodes: Store[Node], cell: CellHealth, known: Memory, now: datetime) -> Observed:
    """The same, with what healing looks at. Looking at all Nodes and Clusters costs, so only while a master ails."""
    members = seen.names.etcd_members(standing(seen.cluster).members)
    ready = {pod.metadata.name for pod in seen.pods if pod.is_ready}
    known.unready = {name: known.unready.get(name, now) for name in members if name not in ready}
    healing = seen.cluster.status.healing
    is_replacing = healing is not None and healing.replacement is not None
    is_odd = is_changing(seen.cluster) or bool(known.upkeep.deviating)
    if not known.unready and not is_replacing and not is_odd:
        if known.members is not None and now >= known.members.at + FRESH:
            known.members = None  # nobody asked lately, so nobody shall tell of it
        if not _masters_ail(seen):
            return seen
    hosts = {
        node.metadata.name: HostSeen(node.metadata.labels.get(ZONE_LABEL, ""), is_ready(node), takes_pods(node))
        for node in nodes.values()
    }
    counts = cell.look(now, seen.cluster.metadata.uid)
    return replace(seen, hosts=hosts, unready=dict(known.unready), cell=counts)


def _masters_ail(seen: Observed) -> bool:
    """Whether anything may have to be done about API servers or controllers."""
    healing = seen.cluster.status.healing
    if healing is not None and any(map(is_under_way, healing.restarts)):
        return True
    if any(server.failure for server in seen.servers.values()) or any(map(is_isolated, seen.pods)):
        return True
    if any(leader.is_stale for leader in seen.leaders.values()):
        return True
    others = (pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) != ETCD)
    return any(not pod.is_ready for pod in others)
