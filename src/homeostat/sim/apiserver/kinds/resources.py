"""Names of resources, and which of them may stand where: in containers, in limits, in quotas.

As the helpers of `pkg/apis/core/helper`. A name without a prefix is one of Kubernetes' own; one with a prefix that is
not Kubernetes' is extended: whole numbers of something that a Node has.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeostat.sim.apiserver.kinds.names import NEGATIVE
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import invalid
from homeostat.sim.apiserver.schemas.labels import label_name_faults
from homeostat.sim.apiserver.schemas.quantities import amount

HUGE_PAGES, REQUESTS, LIMITS = "hugepages-", "requests.", "limits."
COMPUTE = ("cpu", "memory", "ephemeral-storage")
_COUNTED = (
    *("configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets"),
    *("services", "services.loadbalancers", "services.nodeports"),
)
_OF_QUOTAS = frozenset(
    (*COMPUTE, *(f"{part}{each}" for part in (REQUESTS, LIMITS) for each in COMPUTE), "requests.storage", *_COUNTED)
)
_STANDARD = _OF_QUOTAS | {"storage"}
_NO_STANDARD = "must be a standard resource type or fully qualified"
_NO_QUOTA = "must be a standard resource for quota"
_NO_CONTAINER = "must be a standard resource for containers"
_NOT_EXTENDED = "doesn't follow extended resource name standard"


def is_native(name: str) -> bool:
    """Whether it is Kubernetes' own."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether it is somebody else's, as containers name it."""
    if is_native(name) or name.startswith(REQUESTS):
        return False
    return not label_name_faults(f"{REQUESTS}{name}")


def is_standard_of_quotas(name: str) -> bool:
    """Whether a quota may name it without a prefix."""
    return name in _OF_QUOTAS or name.startswith((HUGE_PAGES, f"{REQUESTS}{HUGE_PAGES}"))


def quota_name_causes(name: str, path: str) -> Iterator[Cause]:
    """Faults of the name of what a quota limits."""
    yield from name_causes(name, path)
    if "/" not in name and not is_standard_of_quotas(name):
        yield invalid(path, name, _NO_QUOTA)


def container_name_causes(name: str, path: str) -> Iterator[Cause]:
    """Faults of the name of what containers ask for."""
    yield from name_causes(name, path)
    if "/" not in name:
        if name not in COMPUTE and not name.startswith(HUGE_PAGES):
            yield invalid(path, name, _NO_CONTAINER)
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, _NOT_EXTENDED)


def name_causes(name: str, path: str) -> Iterator[Cause]:
    """Faults of any such name."""
    yield from (invalid(path, name, fault) for fault in label_name_faults(name))
    if "/" not in name and name not in _STANDARD and not name.startswith((HUGE_PAGES, f"{REQUESTS}{HUGE_PAGES}")):
        yield invalid(path, name, _NO_STANDARD)


def quantity_causes(name: str, given: str, path: str) -> Iterator[Cause]:
    """Faults of how much of it there is."""
    found = amount(given)
    if found is not None and found < 0:
        yield invalid(path, given, NEGATIVE)
    if found is not None and (name in _COUNTED or is_extended(name)) and found % 1:
        yield invalid(path, given, "must be an integer")
