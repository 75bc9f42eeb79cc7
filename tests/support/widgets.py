"""A small kind of our own, for tests that do not care which."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.api.meta import ObjectMeta


class WidgetSpec(Struct, frozen=True):
    """What a widget should be."""

    size: int = 0


class Widget(Struct, frozen=True):
    """An object with metadata and little else."""

    metadata: ObjectMeta
    spec: WidgetSpec = WidgetSpec()


RESOURCE = Resource("test.homeostat.dev", "v1", "Widget", "widgets")
WIDGET = Kind(RESOURCE, Widget)
WHOLE_WIDGET = unstructured(RESOURCE)


def widget(name: str = "w", size: int = 1, version: str = "7", namespace: str = "shop") -> dict[str, Any]:
    """A widget as the API server writes it."""
    return {
        "apiVersion": RESOURCE.api_version,
        "kind": RESOURCE.kind,
        "metadata": {"name": name, "namespace": namespace, "resourceVersion": version, "creationTimestamp": None},
        "spec": {"size": size},
    }
