"""What a Kubernetes API serves and which Python type reads it.

`Resource` is the address of a collection; `Kind` joins it to a msgspec type (or to plain dicts), so that
`client.get(PODS, "web-0", namespace="shop")` is typed without a registry or a base class.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Resource(Struct, frozen=True, order=True):
    """A collection that an API server serves, such as apps/v1 deployments."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`group/version`, or the bare version for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`plural.group`, the name kubectl and CRDs use; the bare plural for the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, name: str = "", namespace: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of an object's subresource.

        An empty namespace addresses all namespaces, which is only meaningful for a collection.
        """
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        if subresource:
            parts.append(subresource)
        return "/" + "/".join(parts)


class Kind(Struct, Generic[T], frozen=True):
    """A resource and the type that its objects are decoded into."""

    resource: Resource
    type: type[T]


def unstructured(resource: Resource) -> Kind[dict[str, Any]]:
    """The kind that reads whole objects as plain dicts, for clients that must show or copy every field."""
    return Kind(resource, dict[str, Any])
