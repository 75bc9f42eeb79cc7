"""CustomResourceDefinitions, as far as somebody waits for them to be served."""

from __future__ import annotations

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta


class CustomResourceDefinitionCondition(Struct, frozen=True, gc=False):
    """Established, NamesAccepted and others."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class CustomResourceDefinitionStatus(Struct, frozen=True, gc=False):
    """What the API server says about a definition; Go writes an empty list as null."""

    conditions: tuple[CustomResourceDefinitionCondition, ...] | None = None


class CustomResourceDefinition(Struct, frozen=True, gc=False):
    """A CustomResourceDefinition."""

    metadata: ObjectMeta
    status: CustomResourceDefinitionStatus = CustomResourceDefinitionStatus()

    @property
    def is_established(self) -> bool:
        """Whether the API server serves the kind."""
        return any(c.type == "Established" and c.status == "True" for c in self.status.conditions or ())


CUSTOM_RESOURCE_DEFINITION = Kind(
    Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False),
    CustomResourceDefinition,
)
