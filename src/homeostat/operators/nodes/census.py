"""Counts the Nodes of a business cluster as they change, so that no scrape walks all of them.

Labels are words of a few kinds: a cluster of ten thousand Nodes has as many series as one of ten. Nodes say themselves
of which version they are, so only so many versions have a name here.
"""

from __future__ import annotations

from collections import Counter

from homeostat.api.core import NODE, Node
from homeostat.kube.client import Client
from homeostat.operators.nodes.metrics import NODES
from homeostat.runtime.manager import Manager
from homeostat.runtime.queue import Priority
from homeostat.telemetry.metrics import Metrics

Kind = tuple[str, str, str]  # ready, schedulable, version
MOST_VERSIONS, OTHER = 20, "other"


class Census:
    """How many Nodes there are of each kind."""

    def __init__(self, metrics: Metrics) -> None:
        self._gauge = metrics.gauge(NODES)
        self._count = Counter[Kind]()
        self._versions = set[str]()  # only grows: whoever counts as another one does so for ever

    def note(self, old: Node | None, new: Node | None, priority: Priority = Priority.CHANGE) -> None:  # noqa: ARG002
        """A Node came, changed or went. A kind of which none is left is told no more."""
        before, after = (self._kind(node) if node is not None else None for node in (old, new))
        if before == after:
            return
        for kind, change in ((before, -1), (after, 1)):
            if kind is not None:
                self._count[kind] += change
                self._tell(kind)

    def _kind(self, node: Node) -> Kind:
        said = next((each.status for each in node.status.conditions if each.type == "Ready"), "Unknown")
        version = node.status.node_info.kubelet_version
        if version not in self._versions and len(self._versions) < MOST_VERSIONS:
            self._versions.add(version)
        shown = version if version in self._versions else OTHER
        return said if said in ("True", "False") else "Unknown", "false" if node.spec.unschedulable else "true", shown

    def _tell(self, kind: Kind) -> None:
        if self._count[kind] > 0:
            self._gauge.labels(*kind).set(self._count[kind])
        else:
            del self._count[kind]
            self._gauge.remove(*kind)


def add_census(manager: Manager, client: Client) -> Census:
    """Count the Nodes of the cluster that a client talks to."""
    census = Census(manager.metrics)
    manager.informer(client, NODE).add_handler(census.note)
    return census
