"""Nodes, as the scheduler and the controllers of a cluster read them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta


class Taint(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Keeps Pods off a Node, or drives them away."""

    key: str
    effect: str
    value: str = ""
    time_added: datetime | None = None


class NodeSpec(Struct, frozen=True, gc=False, rename="camel"):
    """Whether a Node takes Pods."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeCondition(Struct, frozen=True, gc=False, rename="camel"):
    """One aspect of a Node's state."""

    type: str
    status: str
    reason: str = ""
    last_heartbeat_time: datetime | None = None
    last_transition_time: datetime | None = None


class NodeStatus(Struct, frozen=True, gc=False):
    """What a Node has, and how it is."""

    allocatable: dict[str, str] = {}
    conditions: tuple[NodeCondition, ...] = ()


class Node(Struct, frozen=True, gc=False):
    """A Node."""

    metadata: ObjectMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    def condition(self, type_: str) -> NodeCondition | None:
        """The condition of a type, if its kubelet told of it."""
        return next((condition for condition in self.status.conditions if condition.type == type_), None)


NODE = Kind(Resource("", "v1", "Node", "nodes", namespaced=False), Node)
