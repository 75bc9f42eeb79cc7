"""Which Pods of a DaemonSet are made and ended now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from homeostat.sim.world.controllers.daemonsets.suiting import HASH, Suits, node_of
from homeostat.sim.world.controllers.workloads.pods import is_available
from homeostat.sim.world.controllers.workloads.shares import scaled
from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.workloads import DaemonSet, DaemonSetStatus

ROLLING = "RollingUpdate"


class Seen(Struct, frozen=True):
    """A DaemonSet, the Nodes and its Pods."""

    owner: DaemonSet
    nodes: Mapping[str, Suits]  # in the order of their names
    pods: Mapping[str, Sequence[Pod]]  # by Node, the oldest first
    digest: str  # of the present template
    now: datetime

    def is_available(self, pod: Pod) -> bool:
        """Whether it has been ready long enough."""
        return is_available(pod, self.owner.spec.min_ready_seconds, self.now)

    def is_new(self, pod: Pod) -> bool:
        """Whether it is of the present template."""
        return pod.metadata.labels.get(HASH) == self.digest


class Plan(Struct, frozen=True):
    """On which Nodes a Pod is made, and which ones go."""

    make: tuple[str, ...] = ()
    end: tuple[Pod, ...] = ()


def by_node(pods: Iterable[Pod]) -> dict[str, list[Pod]]:
    """Pods by the Node that they were made for, the oldest first."""
    found: dict[str, list[Pod]] = {}
    for pod in sorted(pods, key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name)):
        found.setdefault(node_of(pod), []).append(pod)
    return found


def decide(seen: Seen) -> Plan:
    """First every Node gets what it is to have; where all is so, Pods of older templates make room."""
    kept = _kept(seen)
    if kept.make or kept.end or seen.owner.spec.update_strategy.type != ROLLING:
        return kept
    return _rolled(seen)


def status_of(seen: Seen, collisions: int) -> DaemonSetStatus:
    """What the DaemonSet says. Of several Pods for a Node the oldest counts that stands there."""
    wanted = [name for name, suits in seen.nodes.items() if suits == "yes"]
    there = [seen.pods[name] for name in wanted if seen.pods.get(name)]
    counted = [min(pods, key=lambda pod: not pod.spec.node_name) for pods in there]
    available = sum(map(seen.is_available, counted))
    misplaced = sum(bool(seen.pods.get(name)) for name, suits in seen.nodes.items() if suits != "yes")
    return DaemonSetStatus(
        observed_generation=seen.owner.metadata.generation,
        desired_number_scheduled=len(wanted),
        current_number_scheduled=len(there),
        number_misscheduled=misplaced,
        updated_number_scheduled=sum(map(seen.is_new, counted)),
        number_ready=sum(pod.is_ready for pod in counted),
        number_available=available,
        number_unavailable=len(wanted) - available,
        collision_count=collisions or seen.owner.status.collision_count,
    )


def _kept(seen: Seen) -> Plan:
    make: list[str] = []
    end: list[Pod] = []
    for name, suits in seen.nodes.items():
        pods = seen.pods.get(name, ())
        if not pods:
            make += [name] if suits == "yes" else []
            continue
        if suits == "no":
            end += pods
            continue
        end += [pod for pod in pods if pod.is_over]
        running = [pod for pod in pods if not pod.is_over]
        # The newest of two may be the one that takes the place of the oldest.
        end += running[1:] if not _surge(seen) else running[2:]
    end += [pod for name, pods in seen.pods.items() if name not in seen.nodes for pod in pods if not pod.spec.node_name]
    return Plan(tuple(make), tuple(pod for pod in end if not pod.is_ending))


def _rolled(seen: Seen) -> Plan:
    return _surged(seen) if _surge(seen) else _replaced(seen)


def _replaced(seen: Seen) -> Plan:
    """Old Pods that are not available go at once, others as many as may be missing."""
    missing, useless, candidates = 0, [], []
    for name, suits in seen.nodes.items():
        pods = seen.pods.get(name, ())
        if suits != "yes" or not pods:
            missing += suits == "yes"
            continue
        pod = pods[0]
        if pod.is_ending or (seen.is_new(pod) and not seen.is_available(pod)):
            missing += 1
        elif not seen.is_new(pod) and not seen.is_available(pod):
            missing += 1
            useless.append(pod)
        elif not seen.is_new(pod):
            candidates.append(pod)
    room = max(_most_missing(seen) - missing, 0)
    return Plan(end=(*useless, *candidates[:room]))


def _surged(seen: Seen) -> Plan:
    """New Pods come beside old ones, which go when the new ones are available."""
    room, make, end = _surge(seen), [], []
    for name, suits in seen.nodes.items():
        pods = [pod for pod in seen.pods.get(name, ()) if not pod.is_ending]
        if suits != "yes" or not pods:
            continue
        new, old = [pod for pod in pods if seen.is_new(pod)], [pod for pod in pods if not seen.is_new(pod)]
        if new and old:
            room -= 1
            end += old if any(map(seen.is_available, new)) else []
        elif old:
            make.append(name)
    return Plan(tuple(make[: max(room, 0)]), tuple(end))


def _most_missing(seen: Seen) -> int:
    wanted = sum(suits == "yes" for suits in seen.nodes.values())
    return scaled(seen.owner.spec.update_strategy.rolling_update.max_unavailable, wanted, up=True)


def _surge(seen: Seen) -> int:
    strategy = seen.owner.spec.update_strategy
    if strategy.type != ROLLING:
        return 0
    return scaled(strategy.rolling_update.max_surge, sum(suits == "yes" for suits in seen.nodes.values()), up=True)
