"""Types that a definition (CRD) makes: one for each version that it serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from homeostat.api.kind import Resource
from homeostat.sim.apiserver.printing import columns
from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.custom import CustomType
from homeostat.sim.apiserver.schemas.shape import Shape
from homeostat.sim.apiserver.types.type import Names, Strategy, Type, Value


class CustomSchema:
    """What the schema in a definition says of its objects."""

    def __init__(self, type_: CustomType) -> None:
        self._type = type_

    @property
    def shape(self) -> Shape:
        """How objects merge."""
        return self._type.shape

    @property
    def empty(self) -> Value:
        """Nothing: objects of custom types have what was said of them."""
        return {}

    def decode(self, value: Value, before: Value | None = None) -> tuple[Value, list[str]]:  # noqa: ARG002
        """The known fields, and those that the schema keeps: of all of it, for a definition may have changed since."""
        return self._type.decode(value)

    def default(self, value: Value) -> None:
        """Fill in what has a default."""
        self._type.set_defaults(value)

    def causes(self, value: Value, old: Value | None, *, is_status: bool) -> Iterable[Cause]:
        """Why an object is not allowed."""
        if old is None:
            return self._type.creation_causes(value)
        return self._type.status_causes(value, old) if is_status else self._type.update_causes(value, old)


def custom_types(definition: Value) -> Iterator[Type]:
    """The types of all versions that a definition serves."""
    spec = definition["spec"]
    names, is_namespaced = spec["names"], spec["scope"] == "Namespaced"
    for version in spec["versions"]:
        if version.get("served"):
            yield Type(
                resource=Resource(
                    spec["group"], version["name"], names["kind"], names["plural"], namespaced=is_namespaced
                ),
                schema=CustomSchema(CustomType(definition, version["name"])),
                strategy=Strategy(),
                names=_names(names),
                list_kind=names["listKind"],
                is_custom=True,
                raw=version,
                columns=columns.custom(version),
                subresources=tuple(version.get("subresources") or ()),
                counts_generations=True,
            )


def _names(names: dict[str, Any]) -> Names:
    return Names(names["singular"], tuple(names.get("shortNames") or ()), tuple(names.get("categories") or ()))
