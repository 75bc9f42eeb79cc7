"""ResourceQuotas, and of other objects what tells that a quota has room again."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta
from homeostat.api.sharing import share
from homeostat.sim.world.kinds.pods import OVER


class QuotaSpec(Struct, frozen=True, gc=False, rename="camel"):
    """What may be used, by whom."""

    hard: dict[str, str] = {}
    scopes: tuple[str, ...] = ()
    scope_selector: dict[str, Any] | None = None


class QuotaStatus(Struct, frozen=True, gc=False):
    """What was limited and used when it was counted last."""

    hard: dict[str, str] = {}
    used: dict[str, str] = {}


class Quota(Struct, frozen=True, gc=False):
    """A ResourceQuota."""

    metadata: ObjectMeta
    spec: QuotaSpec = QuotaSpec()
    status: QuotaStatus = QuotaStatus()


class CountedMeta(Struct, frozen=True, gc=False, rename="camel"):
    """Which object it is."""

    name: str
    uid: str = ""
    namespace: str = ""
    resource_version: str = ""

    def __post_init__(self) -> None:
        share(self, "namespace")


class Counted(Struct, frozen=True, gc=False):
    """Any object that counts until it goes."""

    metadata: CountedMeta

    def makes_room(self, new: Counted | None) -> bool:
        """Whether less counts now that this has become that."""
        return new is None or new.metadata.uid != self.metadata.uid


class Phase(Struct, frozen=True, gc=False):
    """How a Pod is."""

    phase: str = ""


class CountedPod(Counted, frozen=True, gc=False):
    """A Pod counts less when it is over."""

    status: Phase = Phase()

    def makes_room(self, new: Counted | None) -> bool:
        """By its phase, too."""
        if super().makes_room(new) or not isinstance(new, CountedPod):
            return True
        return new.status.phase in OVER and self.status.phase not in OVER


class ServiceType(Struct, frozen=True, gc=False):
    """What a Service is."""

    type: str = ""


class CountedService(Counted, frozen=True, gc=False):
    """A Service may count less when it becomes one of another type."""

    spec: ServiceType = ServiceType()

    def makes_room(self, new: Counted | None) -> bool:
        """By its type, too."""
        return super().makes_room(new) or not isinstance(new, CountedService) or new.spec != self.spec


QUOTA = Kind(Resource("", "v1", "ResourceQuota", "resourcequotas"), Quota)
_TYPES: dict[str, type[Counted]] = {"pods": CountedPod, "services": CountedService}


def counted(resource: Resource) -> Kind[Counted]:
    """How objects of a type are watched."""
    return Kind(resource, Counted if resource.group else _TYPES.get(resource.plural, Counted))
