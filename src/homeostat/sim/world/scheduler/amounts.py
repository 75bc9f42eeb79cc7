"""What Pods ask for and Nodes have, as whole numbers: thousandths of CPUs, bytes, pieces.

A Pod needs what its containers need together, or what one of its init containers needs with those that stay beside it,
whichever is more; and its overhead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING
from functools import lru_cache

from homeostat.kit.quantity import parse_quantity
from homeostat.sim.world.kinds.pods import Container, PodSpec

Amounts = dict[str, int]
CPU, MEMORY, PODS = "cpu", "memory", "pods"
# What a container that says nothing is taken for when Nodes are compared, so that such Pods spread, too.
_UNSAID = {CPU: 100, MEMORY: 200 * 1024**2}


@lru_cache(4096)
def whole(name: str, text: str) -> int:
    """A quantity of a resource, rounded up."""
    value = parse_quantity(text) * (1000 if name == CPU else 1)
    return int(value.to_integral_value(ROUND_CEILING))


def amounts(quantities: Mapping[str, str]) -> Amounts:
    """All quantities of a list."""
    return {name: whole(name, text) for name, text in quantities.items()}


def requested(spec: PodSpec) -> Amounts:
    """What a Pod needs of everything; what is zero is left out."""
    return {name: amount for name, amount in _needed(spec, {}).items() if amount}


def weighed(spec: PodSpec) -> tuple[int, int]:
    """CPU and memory of a Pod as they count when Nodes are compared."""
    needed = _needed(spec, _UNSAID)
    return needed.get(CPU, 0), needed.get(MEMORY, 0)


def _needed(spec: PodSpec, unsaid: Mapping[str, int]) -> Amounts:
    lasting, most = dict[str, int](), dict[str, int]()
    for container in spec.init_containers:
        needs = _of(container, unsaid)
        if container.restart_policy == "Always":
            _add(lasting, needs)
            needs = lasting
        else:
            needs = _sum((lasting, needs))
        for name, amount in needs.items():
            most[name] = max(most.get(name, 0), amount)
    total = _sum((lasting, *(_of(each, unsaid) for each in spec.containers)))
    for name, amount in most.items():
        total[name] = max(total.get(name, 0), amount)
    _add(total, amounts(spec.overhead))
    return total


def _of(container: Container, unsaid: Mapping[str, int]) -> Amounts:
    return {**unsaid, **amounts(container.resources.requests)}


def _sum(several: Iterable[Mapping[str, int]]) -> Amounts:
    total: Amounts = {}
    for each in several:
        _add(total, each)
    return total


def _add(total: Amounts, more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount
