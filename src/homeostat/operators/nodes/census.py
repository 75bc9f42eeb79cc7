"""Counts the Nodes of a business cluster as they change, so that no scrape walks all of them.

Labels are words of a few kinds: a cluster of ten thousand Nodes has as many series as one of ten.
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


class Census:
    """How many Nodes there are of each kind."""

    def __init__(self, metrics: Metrics) -> None:
        self._gauge = metrics.gauge(NODES)
        self._count = Counter[Kind]()

    def note(self, old: Node | None, new: Node | None, priority: Priority = Priority.CHANGE) -> None:  # noqa: ARG002
        """A Node came, changed or went. A kind of which none is left is told no more."""
        before, after = (kind_of(node) if node is not None else None for node in (old, new))
        if before == after:
            return
        for kind, change in ((before, -1), (after, 1)):
            if kind is not None:
                self._count[kind] += change
                self._tell(kind)

    def _tell(self, kind: Kind) -> None:
        if self._count[kind] > 0:
            self._gauge.labels(*kind).set(self._count[kind])
        else:
            del self._count[kind]
            self._gauge.remove(*kind)


def kind_of(node: Node) -> Kind:
    """What a Node counts as."""
    said = next((each.status for each in node.status.conditions if each.type == "Ready"), "Unknown")
    return said, "false" if node.spec.unschedulable else "true", node.status.node_info.kubelet_version


def add_census(manager: Manager, client: Client) -> Census:
    """Count the Nodes of the cluster that a client talks to."""
    census = Census(manager.metrics)
    manager.informer(client, NODE).add_handler(census.note)
    return census
