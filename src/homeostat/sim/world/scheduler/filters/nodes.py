"""What a Node itself is and has: whether it takes Pods, its taints and labels, ports, and room."""

from __future__ import annotations

from collections.abc import Iterator

from homeostat.sim.world.kinds.nodes import Taint
from homeostat.sim.world.scheduler.amounts import PODS
from homeostat.sim.world.scheduler.asking import Ask
from homeostat.sim.world.scheduler.estate import Room, takes
from homeostat.sim.world.scheduler.filters.filter import Filter, Refusal
from homeostat.sim.world.scheduler.terms import tolerates

_CORDON = Taint("node.kubernetes.io/unschedulable", "NoSchedule")
UNSCHEDULABLE = Refusal("NodeUnschedulable", ("node(s) were unschedulable",), is_final=True)
TAINTED = Refusal("TaintToleration", ("node(s) had untolerated taint(s)",), is_final=True)
ELSEWHERE = Refusal("NodeAffinity", ("node(s) didn't match Pod's node affinity/selector",), is_final=True)
PORTS_TAKEN = Refusal("NodePorts", ("node(s) didn't have free ports for the requested pod ports",))
RESOURCES = "NodeResourcesFit"


def of_nodes(ask: Ask) -> Iterator[Filter]:
    """The filters that look at a Node alone, in the order of kube-scheduler."""
    tolerations, place = ask.tolerations, ask.place

    def unschedulable(room: Room) -> Refusal | None:
        node = room.node
        if node is None or (node.spec.unschedulable and not tolerates(tolerations, _CORDON)):
            return UNSCHEDULABLE
        return None

    def tainted(room: Room) -> Refusal | None:
        node = room.node
        return TAINTED if node is not None and node.spec.taints and not takes(node, tolerations) else None

    def elsewhere(room: Room) -> Refusal | None:
        return None if place.has(room.name, room.labels) else ELSEWHERE

    def ports(room: Room) -> Refusal | None:
        return PORTS_TAKEN if any(room.has_port(each) for each in ask.ports) else None

    yield unschedulable
    yield tainted
    if not place.is_anywhere:
        yield elsewhere
    if ask.ports:
        yield ports
    yield lambda room: full(room, ask)


def full(room: Room, ask: Ask) -> Refusal | None:
    """What a Node has too little of; what it would not even have if it were empty is final."""
    lacking = room.lacks(ask)
    if not lacking:
        return None
    texts = tuple("Too many pods" if each == PODS else f"Insufficient {each}" for each in lacking)
    too_big = any(ask.amounts.get(each, 0) > room.allocatable.get(each, 0) for each in lacking if each != PODS)
    return Refusal(RESOURCES, texts, is_final=too_big)
