"""All types that one server serves: the built-in ones, and those that come and go with their definitions."""

from __future__ import annotations

from collections.abc import Iterator

from homeostat.sim.apiserver.types.type import Type

Address = tuple[str, str, str]
"""Group, version and plural, as in the path of a request."""


class Types:
    """Types by their addresses."""

    def __init__(self) -> None:
        self._types: dict[Address, Type] = {}

    def __iter__(self) -> Iterator[Type]:
        return iter(self._types.values())

    def get(self, group: str, version: str, plural: str) -> Type | None:
        """The type that is served there."""
        return self._types.get((group, version, plural))

    def add(self, type_: Type) -> None:
        """Serve a type, in place of the one at its address."""
        self._types[_address(type_)] = type_

    def remove(self, type_: Type) -> None:
        """Serve a type no longer."""
        self._types.pop(_address(type_), None)

    def groups(self) -> dict[str, dict[str, list[Type]]]:
        """Types by group and version, in the order in which they came."""
        found: dict[str, dict[str, list[Type]]] = {}
        for each in self:
            resource = each.resource
            found.setdefault(resource.group, {}).setdefault(resource.version, []).append(each)
        return found


def _address(type_: Type) -> Address:
    return (type_.resource.group, type_.resource.version, type_.resource.plural)
