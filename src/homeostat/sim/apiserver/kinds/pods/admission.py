"""What admission gives a new Pod: a priority, tolerations for a while, and a class by what it asks for.

As the plugins Priority, DefaultTolerationSeconds and, in `pkg/apis/core/helper/qos`, the Pod's own strategy. What it
has from its namespace is given to it by `sim.apiserver.admission`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from homeostat.sim.apiserver.kinds.pods.refusing import forbidden
from homeostat.sim.apiserver.schemas.quantities import amount
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.type import Value

_TOLERATED_S = 300
_UNREACHABLE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_CLASSES = ("scheduling.k8s.io", "priorityclasses")
_COUNTED = ("cpu", "memory")
_PREEMPTS = "PreemptLowerPriority"


def give_priority(value: Value, store: Store) -> None:
    """The number behind a class, or that of the class for all others. Raises Refused."""
    spec = value["spec"]
    name, number, preempts = spec.get("priorityClassName", ""), 0, _PREEMPTS
    if name:
        found = store.shelf(_CLASSES).get(f"/{name}")
        if found is None:
            raise forbidden(value, f"no PriorityClass with name {name} was found")
        of_class = found.value(b"")
        number, preempts = of_class["value"], of_class.get("preemptionPolicy", _PREEMPTS)
    else:
        chosen = _global(store)
        if chosen is not None:
            number, preempts = chosen["value"], chosen.get("preemptionPolicy", _PREEMPTS)
            spec["priorityClassName"] = chosen["metadata"]["name"]
    if spec.get("priority") not in (None, number):
        text = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission"
        )
        raise forbidden(value, f"{text} controller computed {number} from the given PriorityClass name")
    if spec.get("preemptionPolicy") not in (None, preempts):
        text = f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec;"
        raise forbidden(
            value, f"{text} priority admission controller computed {preempts} from the given PriorityClass name"
        )
    spec["priority"], spec["preemptionPolicy"] = number, preempts


def give_tolerations(value: Value) -> None:
    """A Pod stays on a host that does not answer for five minutes, unless it says otherwise itself."""
    tolerations = list(value["spec"].get("tolerations") or ())
    for key in _UNREACHABLE:
        if not any(_tolerates(each, key) for each in tolerations):
            added = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATED_S}
            tolerations.append(added)
    value["spec"]["tolerations"] = tolerations


def quality(spec: Value) -> str:
    """Guaranteed, Burstable or BestEffort: who has to go first when a host runs short."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    asked = [_sizes(each, "requests") for each in containers]
    limited = [_sizes(each, "limits") for each in containers]
    if not any(asked) and not any(limited):
        return "BestEffort"
    is_whole = all(set(each) == set(_COUNTED) for each in limited)
    return "Guaranteed" if is_whole and _sum(asked) == _sum(limited) else "Burstable"


def _tolerates(toleration: Value, key: str) -> bool:
    return toleration.get("key", "") in (key, "") and toleration.get("effect", "") in ("NoExecute", "")


def _global(store: Store) -> Value | None:
    found = (each.value(b"") for each in store.shelf(_CLASSES).within(""))
    chosen = [each for each in found if each.get("globalDefault")]
    return min(chosen, key=lambda each: int(each["value"]), default=None)


def _sizes(container: Value, what: str) -> Mapping[str, Decimal]:
    given = (container.get("resources") or {}).get(what) or {}
    sizes = {name: amount(given[name]) for name in _COUNTED if name in given}
    return {name: size for name, size in sizes.items() if size}


def _sum(sizes: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    total = dict.fromkeys(_COUNTED, Decimal(0))
    for each in sizes:
        for name, size in each.items():
            total[name] += size
    return total
