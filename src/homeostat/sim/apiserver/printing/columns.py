"""The columns of tables: those of built-in types as a real API server heads them, and those that definitions name."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.schemas import captured
from homeostat.sim.apiserver.store.store import Collection

_SCALE = "io.k8s.api.autoscaling.v1"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


class Column(Struct, frozen=True):
    """One column, as a Table names it. `path` is where a custom object has the value."""

    name: str
    type: str
    format: str = ""
    description: str = ""
    priority: int = 0
    path: str = ""

    def shown(self) -> dict[str, Any]:
        """In the words of a Table."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


@functools.cache
def built_in(collection: Collection) -> tuple[Column, ...]:
    """The columns of a built-in type; a name and a date where a real server has no better ones."""
    group, plural = collection
    found = captured.columns().get(f"{plural}.{group}" if group else plural)
    if found is None:
        return (_name(), Column("Created At", "date", description=_described("creationTimestamp")))
    return tuple(Column(**each) for each in found)


@functools.cache
def of_scales() -> tuple[Column, ...]:
    """Of a scale, which no list shows."""
    wanted, there = (
        captured.types().schemas[f"{_SCALE}.Scale{part}"]["properties"]["replicas"]["description"]
        for part in ("Spec", "Status")
    )
    counts = (Column("Desired", "integer", description=wanted), Column("Available", "integer", description=there))
    name = Column("Name", "string", description=_described("name"))
    return (name, *counts, Column("Age", "string", description=_described("creationTimestamp")))


def custom(version: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns that a version of a definition names, or its age."""
    found = version.get("additionalPrinterColumns") or ()
    if not found:
        aged = Column("Age", "date", description=_described("creationTimestamp"), path=".metadata.creationTimestamp")
        return (_name(), aged)
    return (_name(), *(_custom(each) for each in found))


def _custom(each: Mapping[str, Any]) -> Column:
    path = each["jsonPath"]
    said = each.get("description") or f"Custom resource definition column (in JSONPath format): {path}"
    return Column(each["name"], each["type"], each.get("format", ""), said, each.get("priority", 0), path)


def _name() -> Column:
    return Column("Name", "string", "name", _described("name"))


@functools.cache
def _described(field: str) -> str:
    return str(captured.types().schemas[_META]["properties"][field]["description"])
