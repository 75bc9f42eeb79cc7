"""What is to be said of a Node, and which taints follow from what is said. Pure.

A kubelet proves that it lives by its Lease, or by a status that it reports. When it has been silent for longer than the
grace period, nobody knows how its Node is, and the conditions say so. Conditions become taints: those that keep Pods
away at once, those that drive Pods out only when it is the Node's turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from homeostat.api.coordination import Lease
from homeostat.sim.world.controllers.nodes.settings import NodeSettings
from homeostat.sim.world.kinds.nodes import Node, NodeCondition, Taint

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
CORDON = "node.kubernetes.io/unschedulable"
_WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
# What a condition becomes: type and status to the key of a taint.
_TAINTS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
_OURS = (*_TAINTS.values(), CORDON)
_SILENT = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
_NEVER = ("NodeStatusNeverUpdated", "Kubelet never posted node status.")
Key = tuple[str, str]


def silent_at(node: Node, lease: Lease | None, settings: NodeSettings) -> datetime:
    """When nothing heard so far is a sign of life any more."""
    made = node.metadata.creation_timestamp
    heard = [] if made is None else [made + timedelta(seconds=settings.startup_grace_s)]
    ready = node.condition("Ready")
    signs = [
        ready.last_heartbeat_time if ready is not None and ready.status != "Unknown" else None,
        lease.spec.renew_time if lease is not None else None,
    ]
    found = [_later(sign, settings.grace_s) for sign in signs if sign is not None]
    return max(found or heard)


def _later(moment: datetime, seconds: float) -> datetime:
    """Some promise to live until the end of all days."""
    return moment if moment.year >= 9999 else moment + timedelta(seconds=seconds)


class Unknown(Struct, frozen=True):
    """A condition of which nobody knows any more; `at` is where it stands in the list, None when it is not there."""

    type: str
    at: int | None
    reason: str
    message: str

    def patch(self, now: str) -> list[dict[str, Any]]:
        """The operations that say so."""
        if self.at is None:
            said = {
                "type": self.type,
                "status": "Unknown",
                "reason": self.reason,
                "message": self.message,
                "lastHeartbeatTime": None,
                "lastTransitionTime": now,
            }
            return [{"op": "add", "path": "/status/conditions/-", "value": said}]
        place = f"/status/conditions/{self.at}"
        changes = {
            "status": "Unknown",
            "reason": self.reason,
            "message": self.message,
            "lastTransitionTime": now,
        }
        found = [{"op": "test", "path": f"{place}/type", "value": self.type}]
        return found + [{"op": "add", "path": f"{place}/{name}", "value": value} for name, value in changes.items()]


def unknown(node: Node) -> tuple[Unknown, ...]:
    """What is to be said of a silent Node, and is not said yet."""
    places = {each.type: (at, each) for at, each in enumerate(node.status.conditions)}
    found = []
    for type_ in _WATCHED:
        at, condition = places.get(type_, (None, None))
        if condition is None:
            found.append(Unknown(type_, None, *_NEVER))
        elif condition.status != "Unknown":
            found.append(Unknown(type_, at, *_SILENT))
    return tuple(found)


def is_well(node: Node) -> bool:
    """Whether its kubelet says that it is ready."""
    ready = node.condition("Ready")
    return ready is not None and ready.status == "True"


def is_unknown(node: Node) -> bool:
    """Whether nobody knows how it is any more."""
    ready = node.condition("Ready")
    return ready is not None and ready.status == "Unknown"


def wanted_taints(node: Node, *, drives_out: bool) -> tuple[Key, ...]:
    """Key and effect of the taints that a Node's state asks for; those that drive out only when it is its turn."""
    keys = [_TAINTS[each.type, each.status] for each in node.status.conditions if (each.type, each.status) in _TAINTS]
    if node.condition("Ready") is None:
        return _kept(node)  # its kubelet has never spoken: it stays as it was made
    if node.spec.unschedulable:
        keys.append(CORDON)
    found = [(key, "NoSchedule") for key in keys]
    driving = [key for key in keys if key in (NOT_READY, UNREACHABLE)]
    present = {(each.key, each.effect) for each in node.spec.taints}
    is_driven_out = any((key, "NoExecute") in present for key in (NOT_READY, UNREACHABLE))
    # From one state to the other the taint changes at once: the Pods were told to go before.
    if driving and (drives_out or is_driven_out):
        found += [(key, "NoExecute") for key in driving]
    return tuple(found)


def _kept(node: Node) -> tuple[Key, ...]:
    return tuple((each.key, each.effect) for each in node.spec.taints if _is_ours(each))


def waits_to_be_driven_out(node: Node) -> bool:
    """Whether a Node is ill, and its Pods were not told to go yet."""
    ready = node.condition("Ready")
    if ready is None or ready.status == "True":
        return False
    return not any(each.key in (NOT_READY, UNREACHABLE) and each.effect == "NoExecute" for each in node.spec.taints)


def with_taints(taints: Sequence[Taint], wanted: Iterable[Key], now: datetime) -> tuple[Taint, ...]:
    """The list of taints as it is to be; the same one when it is so already."""
    missing = dict.fromkeys(wanted)
    kept = []
    for each in taints:
        key = (each.key, each.effect)
        if _is_ours(each) and key not in missing:
            continue
        missing.pop(key, None)
        kept.append(each)
    added = [Taint(key, effect, time_added=now.replace(microsecond=0)) for key, effect in missing]
    return (*kept, *added)


def _is_ours(taint: Taint) -> bool:
    if taint.effect == "NoExecute":
        return taint.key in (NOT_READY, UNREACHABLE)
    return taint.effect == "NoSchedule" and taint.key in _OURS


def transition(before: NodeCondition | None, after: NodeCondition | None) -> bool:
    """Whether a Node was ready, and is no more."""
    return before is not None and before.status == "True" and (after is None or after.status != "True")
