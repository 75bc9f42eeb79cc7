"""Pods: one each while they live, and what their containers ask for and may take.

Those that are over, or should long be gone, take nothing: but `count/pods` counts whatever is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from homeostat.sim.apiserver.kinds.pods.admission import quality
from homeostat.sim.apiserver.kinds.resources import COMPUTE, HUGE_PAGES, LIMITS, REQUESTS, is_extended, is_native
from homeostat.sim.apiserver.quotas.amounts import ONE, Amount, Amounts
from homeostat.sim.apiserver.quotas.counter import Counter
from homeostat.sim.apiserver.quotas.sizes import of_container, size
from homeostat.sim.apiserver.types.type import Value

PODS = ("", "pods")
OVER = ("Failed", "Succeeded")
_NAMES = frozenset(("pods", *COMPUTE, *(f"{part}{each}" for part in (REQUESTS, LIMITS) for each in COMPUTE)))
# What each container must say for itself where a quota limits it.
_DEMANDED = frozenset(f"{part}{each}" for part in ("", REQUESTS, LIMITS) for each in ("cpu", "memory"))


class PodCounter(Counter):
    """Nothing of what counts can change while a Pod lives, so changes are not weighed."""

    def __init__(self) -> None:
        super().__init__(PODS)

    def tracks(self, name: str) -> bool:
        """Also by what containers ask for, extended resources among it."""
        if name.startswith((HUGE_PAGES, f"{REQUESTS}{HUGE_PAGES}")):
            return True
        return name in _NAMES or (not is_native(name) and name.startswith(REQUESTS)) or super().tracks(name)

    def lack(self, names: Iterable[str], value: Value) -> str:
        """Which containers do not say how much they need of what is limited."""
        spec, demanded = value["spec"], sorted(_DEMANDED.intersection(names))
        if spec.get("resources"):
            return ""
        missing: dict[str, dict[str, None]] = {}
        for each in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            said = _taken(of_container(each, "requests"), of_container(each, "limits"))
            for name in demanded:
                if name not in said:
                    missing.setdefault(name, {})[each["name"]] = None
        if not missing:
            return ""
        told = (f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))
        return f"must specify {'; '.join(told)}"

    def is_within(self, requirement: Value, value: Value) -> bool:
        """By deadlines, by what it asks for, by its class, and by whether it looks at other namespaces."""
        spec, scope = value["spec"], requirement.get("scopeName")
        match scope:
            case "Terminating" | "NotTerminating":
                return bool((spec.get("activeDeadlineSeconds") is not None) == (scope == "Terminating"))
            case "BestEffort" | "NotBestEffort":
                class_ = (value.get("status") or {}).get("qosClass") or quality(spec)
                return bool((class_ == "BestEffort") == (scope == "BestEffort"))
            case "PriorityClass":
                return _is_chosen(requirement, spec.get("priorityClassName") or "")
            case "CrossNamespacePodAffinity":
                return any(each.get("namespaces") or each.get("namespaceSelector") is not None for each in _terms(spec))
        return False

    def used(self, value: Value, now: datetime) -> Amounts:
        """What it takes while it lives."""
        found = super().used(value, now)
        if not lives(value, now):
            return found
        return {**found, "pods": ONE, **_taken(size(value["spec"], "requests"), size(value["spec"], "limits"))}


def lives(value: Value, now: datetime) -> bool:
    """Whether it is neither over, nor to be gone since as long as it had for its end."""
    if (value.get("status") or {}).get("phase") in OVER:
        return False
    ends, grace_s = (value["metadata"].get(name) for name in ("deletionTimestamp", "deletionGracePeriodSeconds"))
    return ends is None or grace_s is None or now <= datetime.fromisoformat(ends) + timedelta(seconds=grace_s)


def _taken(requests: Mapping[str, Amount], limits: Mapping[str, Amount]) -> Amounts:
    """By the names that quotas have for it."""
    found: Amounts = {}
    for name, each in requests.items():
        if name in COMPUTE or name.startswith(HUGE_PAGES):
            found[name] = found[f"{REQUESTS}{name}"] = each
        elif is_extended(name):
            found[f"{REQUESTS}{name}"] = each
    return found | {f"{LIMITS}{name}": each for name, each in limits.items() if name in COMPUTE}


def _is_chosen(requirement: Value, class_: str) -> bool:
    values = requirement.get("values") or ()
    match requirement.get("operator"):
        case "Exists":
            return bool(class_)
        case "DoesNotExist":
            return not class_
        case "In":
            return bool(class_) and class_ in values
        case "NotIn":
            return class_ not in values
    return False


def _terms(spec: Value) -> Iterator[Value]:
    affinity = spec.get("affinity") or {}
    for name in ("podAffinity", "podAntiAffinity"):
        part = affinity.get(name) or {}
        yield from part.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for each in part.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield each.get("podAffinityTerm") or {}
