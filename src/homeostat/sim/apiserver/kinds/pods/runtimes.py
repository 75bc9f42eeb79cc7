"""What a new Pod has from the class of its runtime: room for the runtime itself, and which hosts have it.

As the plugin RuntimeClass. What the Pod says itself must fit what the class says.
"""

from __future__ import annotations

from collections.abc import Sequence

from homeostat.sim.apiserver.kinds.pods.refusing import forbidden
from homeostat.sim.apiserver.schemas.quantities import amount
from homeostat.sim.apiserver.store.store import Store
from homeostat.sim.apiserver.types.type import Value

_CLASSES = ("node.k8s.io", "runtimeclasses")
_DIFFERS = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
_NOWHERE = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


def give_runtime(value: Value, store: Store) -> None:
    """Its overhead and its place. Raises Refused."""
    spec = value["spec"]
    name, given = spec.get("runtimeClassName"), spec.get("overhead")
    class_: Value = {}
    if name is not None:
        found = store.shelf(_CLASSES).get(f"/{name}")
        if found is None:
            raise forbidden(value, f'pod rejected: RuntimeClass "{name}" not found')
        class_ = found.value(b"")
    overhead = class_.get("overhead")
    if overhead is None and given is not None:
        raise forbidden(value, _NOWHERE)
    if overhead is not None:
        fixed = overhead.get("podFixed") or {}
        if given and _amounts(given) != _amounts(fixed):
            raise forbidden(value, _DIFFERS)
        spec.pop("overhead", None)
        if fixed:
            spec["overhead"] = dict(fixed)
    if class_.get("scheduling") is not None:
        _place(value, class_["scheduling"])


def _place(value: Value, scheduling: Value) -> None:
    spec = value["spec"]
    selector = dict(spec.get("nodeSelector") or {})
    for key, wanted in (scheduling.get("nodeSelector") or {}).items():
        said = selector.setdefault(key, wanted)
        if said != wanted:
            why = f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted}"
            raise forbidden(value, f"{why}; pod.spec.nodeSelector[{key}] = {said}")
    if selector:
        spec["nodeSelector"] = selector
    spec["tolerations"] = _merged([*(spec.get("tolerations") or ()), *(scheduling.get("tolerations") or ())])


def _merged(tolerations: Sequence[Value]) -> list[Value]:
    """Without those that another one covers; of two that say the same the first stays."""
    kept = list[Value]()
    for index, each in enumerate(tolerations):
        is_covered = any(_covers(other, each) for other in kept)
        if not is_covered and not any(other != each and _covers(other, each) for other in tolerations[index + 1 :]):
            kept.append(each)
    return kept


def _covers(wide: Value, narrow: Value) -> bool:
    """Whether one bears all that the other bears."""
    if wide == narrow:
        return True
    operator, key = wide.get("operator") or "Equal", wide.get("key", "")
    if narrow.get("key", "") != key and (key or operator != "Exists"):
        return False
    if wide.get("effect") and narrow.get("effect") != wide["effect"]:
        return False
    limit_s, seconds = wide.get("tolerationSeconds"), narrow.get("tolerationSeconds")
    if wide.get("effect") == "NoExecute" and limit_s is not None and (seconds is None or seconds > limit_s):
        return False
    if operator == "Exists":
        return True
    return narrow.get("operator") == "Equal" and narrow.get("value", "") == wide.get("value", "")


def _amounts(quantities: Value) -> Value:
    return {name: amount(each) for name, each in quantities.items()}
