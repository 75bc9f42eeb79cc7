"""Budgets of disruption, and classes of priority."""

from __future__ import annotations

from collections.abc import Iterable

from homeostat.sim.apiserver.kinds.names import selector_causes, share_causes, too_much_causes
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import InOrder, forbidden, invalid, not_supported
from homeostat.sim.apiserver.types.type import Strategy, Value

# What every cluster begins with.
SYSTEM_CLASSES = {
    "system-cluster-critical": (
        2000000000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    "system-node-critical": (
        2000001000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
}
_HIGHEST = 1000000000
_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
_PREEMPTIONS = ("PreemptLowerPriority", "Never")


class BudgetStrategy(Strategy):
    """How many Pods may be missing; a controller writes how many more may go."""

    needs_version = True

    def on_create(self, value: Value) -> None:
        """Nobody has counted yet, so nobody may go."""
        names = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
        value["status"] = dict.fromkeys(names, 0)

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:  # noqa: ARG002
        """Of its spec."""
        spec = value.get("spec", {})
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        policy = spec.get("unhealthyPodEvictionPolicy")
        if least is not None and most is not None:
            shown = InOrder(
                MinAvailable=least,
                Selector=spec.get("selector"),
                MaxUnavailable=most,
                UnhealthyPodEvictionPolicy=policy,
            )
            yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
        for name, share in (("minAvailable", least), ("maxUnavailable", most)):
            if share is not None:
                yield from share_causes(share, f"spec.{name}")
                yield from too_much_causes(share, f"spec.{name}")
        yield from selector_causes(spec.get("selector") or {}, "spec.selector")
        if policy is not None and policy not in _POLICIES:
            yield not_supported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES)


class PriorityClassStrategy(Strategy):
    """A number by a name."""

    def default(self, value: Value) -> None:
        """It preempts."""
        value.setdefault("preemptionPolicy", _PREEMPTIONS[0])

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of a new one; of its number, which stays."""
        name, number = value["metadata"].get("name", ""), value.get("value", 0)
        policy = value.get("preemptionPolicy")
        if name.startswith("system-"):
            known = SYSTEM_CLASSES.get(name)
            text = "priority class names with 'system-' prefix are reserved for system use only. error:"
            if known is None:
                yield forbidden("metadata.name", f"{text} {name} is not a known system priority class")
            elif known[0] != number:
                yield forbidden("metadata.name", f"{text} value of {name} PriorityClass must be {known[0]}")
        elif number > _HIGHEST:
            yield forbidden("value", f"maximum allowed value of a user defined priority is {_HIGHEST}")
        if policy not in _PREEMPTIONS:
            yield not_supported("preemptionPolicy", policy, _PREEMPTIONS)
        if old is not None:
            if number != old.get("value", 0):
                yield forbidden("value", "may not be changed in an update.")
            if policy != old.get("preemptionPolicy"):
                yield invalid("preemptionPolicy", policy, "field is immutable")
