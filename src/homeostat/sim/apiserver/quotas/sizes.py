"""What a Pod asks for, and what it may take at most: the sum of its containers, or more while it begins.

As `PodRequests` and `PodLimits` of `component-helpers/resource`: init containers run one after the other, beside those
of them that stay.
"""

from __future__ import annotations

from typing import Literal

from homeostat.sim.apiserver.quotas.amounts import Amounts, most, only, plus, read
from homeostat.sim.apiserver.types.type import Value

Part = Literal["requests", "limits"]
_OF_PODS = ("cpu", "memory")


def size(spec: Value, part: Part, *, with_overhead: bool = True) -> Amounts:
    """Of a whole Pod."""
    running: Amounts = {}
    for each in spec.get("containers") or ():
        running = plus(running, of_container(each, part))
    staying: Amounts = {}
    beginning: Amounts = {}
    for each in spec.get("initContainers") or ():
        own = of_container(each, part)
        if each.get("restartPolicy") == "Always":
            running, staying = plus(running, own), plus(staying, own)
            own = staying
        else:
            own = plus(own, staying)
        beginning = most(beginning, own)
    found = most(running, beginning)
    of_pod = read((spec.get("resources") or {}).get(part))
    found |= {name: each for name, each in of_pod.items() if name in _OF_PODS or name.startswith("hugepages-")}
    overhead = read(spec.get("overhead")) if with_overhead else {}
    if part == "limits":
        overhead = only(overhead, [name for name, each in found.items() if each.value])
    return plus(found, overhead)


def of_container(container: Value, part: Part) -> Amounts:
    """Of one container."""
    return read((container.get("resources") or {}).get(part))
