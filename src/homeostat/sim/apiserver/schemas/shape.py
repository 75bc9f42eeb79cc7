"""How values of a type merge: what server-side apply and strategic merge patch need to know, and no more.

A shape is read from an OpenAPI schema (of a built-in type, or of a CRD) and says of each value whether it is one thing
or made of parts, and by what the parts are told apart. Schemas refer to themselves (JSONSchemaProps does), so shapes do
as well: they are made once per type, shared, and compared by identity.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

Form = Literal["scalar", "object", "list", "untyped"]
"""`untyped` is a value of which the schema says nothing: its parts are those of the value itself, lists are atomic."""
Merge = Literal["granular", "atomic", "set", "map"]
"""An object is granular or atomic; a list is atomic, a set (scalars, each its own key) or a map (objects with keys)."""


class Shape(Struct, eq=False):
    """How values of one type merge.

    `fields` are the named fields of an object, `each` is what other fields of an object (additionalProperties) or items
    of a list are. `keys` tell the items of a list of merge `map` apart; `key_defaults` are what they are where an item
    leaves them out. `patch_key` and `patch_strategy` are those of strategic merge patch (x-kubernetes-patch-merge-key,
    x-kubernetes-patch-strategy: "merge", "replace", "retainKeys" or joined by a comma); CRDs have none.
    """

    form: Form
    merge: Merge = "granular"
    fields: dict[str, Shape] = field(default_factory=dict)
    each: Shape | None = None
    keys: tuple[str, ...] = ()
    key_defaults: dict[str, Any] = field(default_factory=dict)
    patch_key: str = ""
    patch_strategy: str = ""

    def at(self, name: str) -> Shape:
        """The shape of a field of an object, or of what an object has under a key."""
        return self.fields.get(name) or self.each or UNTYPED


UNTYPED = Shape("untyped")
SCALAR = Shape("scalar")
