"""Nodes: hosts that a kubelet speaks for. A new one takes no Pods until somebody has seen that it is ready.

Not judged: addresses, images, and the numbers of what a host has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, at_index, duplicate, forbidden, invalid, not_supported
from homeostat.sim.apiserver.schemas.labels import label_name_faults
from homeostat.sim.apiserver.types.type import Strategy, Value

_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class NodeStrategy(Strategy):
    """Made with its status by the kubelet, or without one by people."""

    keeps_first_status = True

    def default(self, value: Value) -> None:
        """What it can give is what it has, unless it says otherwise; its range is one of a list."""
        spec, status = value.setdefault("spec", {}), value.setdefault("status", {})
        if status.get("capacity"):
            status.setdefault("allocatable", {})
            for name, amount in status["capacity"].items():
                status["allocatable"].setdefault(name, amount)
        if spec.get("podCIDR") and not spec.get("podCIDRs"):
            spec["podCIDRs"] = [spec["podCIDR"]]

    def on_create(self, value: Value) -> None:
        """Keep Pods away."""
        spec = value["spec"]
        taints = list(spec.get("taints") or ())
        if not any((each.get("key"), each.get("effect")) == tuple(_NOT_READY.values()) for each in taints):
            taints.append(dict(_NOT_READY))
        spec["taints"] = taints

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its taints, and of what of it may not change."""
        spec = value.get("spec", {})
        yield from _of_taints(spec.get("taints") or ())
        before = (old or {}).get("spec", {})
        if before.get("podCIDRs") and spec.get("podCIDRs") != before["podCIDRs"]:
            yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
        if before.get("providerID") and spec.get("providerID") != before["providerID"]:
            yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
        if old is not None and spec.get("externalID") != before.get("externalID"):
            yield forbidden("spec.externalID", "may not be updated")

    def fields(self, value: Value) -> Mapping[str, str]:
        """Whether it takes Pods."""
        return {"spec.unschedulable": "true" if value.get("spec", {}).get("unschedulable") else "false"}

    @property
    def selectable(self) -> tuple[str, ...]:
        """Whether it takes Pods."""
        return ("spec.unschedulable",)


def _of_taints(taints: Iterable[Value]) -> Iterator[Cause]:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        place, key, effect = at_index("metadata.taints", index), taint.get("key", ""), taint.get("effect", "")
        yield from (invalid(f"{place}.key", key, fault) for fault in label_name_faults(key))
        if effect not in _EFFECTS:
            yield not_supported(f"{place}.effect", effect, _EFFECTS)
        if (key, effect) in seen:
            shown = InOrder(Key=key, Value=taint.get("value", ""), Effect=effect, TimeAdded=taint.get("timeAdded"))
            found = duplicate(place, shown)
            yield Cause(found.type, f"{found.message}: taints must be unique by key and effect pair", found.field)
        seen.add((key, effect))
