"""What a value is under its shape: one thing, an object or a list; and what sets one item of a list apart.

A shape may leave open what its values are (`untyped`): then the value itself says so, each time anew.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal

import msgspec

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.paths import Element
from homeostat.sim.apiserver.schemas.shape import Shape

Form = Literal["scalar", "object", "list"]


_encoder = msgspec.json.Encoder()


class Nothing(Enum):
    """The type of ABSENT."""

    ABSENT = "absent"


ABSENT: Final = Nothing.ABSENT
"""A field that is not there, which is not the same as one that is null."""


class Unnamed(ValueError):
    """An item of a list by keys, or of a set, that cannot be told from the others."""


def form_of(value: Any, shape: Shape) -> Form:
    """What a value is. Null is what the shape says, and an object where it says nothing."""
    if shape.form != "untyped":
        return shape.form
    if value is None or isinstance(value, dict):
        return "object"
    return "list" if isinstance(value, list) else "scalar"


def forms_of(old: Any, new: Any, shape: Shape) -> tuple[Form, ...]:
    """What two values are, of which one may be absent: two forms where they are different things, the new one last."""
    if new is ABSENT:
        return (form_of(old, shape),)
    if old is ABSENT:
        return (form_of(new, shape),)
    forms = form_of(old, shape), form_of(new, shape)
    return forms[:1] if forms[0] == forms[1] else forms


def is_whole(form: Form, shape: Shape) -> bool:
    """Whether values of this form are owned as one thing, whatever they are made of."""
    if form == "list":
        return shape.form == "untyped" or shape.merge not in ("set", "map")
    return form == "scalar" or shape.merge == "atomic"


def fields_in(value: Any) -> dict[str, Any]:
    """The fields of an object; none for null and for what is no object."""
    return value if isinstance(value, dict) else {}


def items_in(value: Any) -> list[Any]:
    """The items of a list; none for null and for what is no list."""
    return value if isinstance(value, list) else []


def element_of(item: Any, shape: Shape) -> Element:
    """The path element of an item of a list of this shape, which is a set or a map. Raises Unnamed."""
    return _keyed(item, shape) if shape.merge == "map" else _valued(item)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON, where true is not 1 and 1.0 is 1."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def alike(one: Any, other: Any) -> bool:
    """Whether two values are surely the same: quicker than `same`, and wrong only in that it may say no."""
    return bool(one == other) and _encoder.encode(one) == _encoder.encode(other)


def _keyed(item: Any, shape: Shape) -> Element:
    if item is None:
        raise Unnamed("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise Unnamed("associative list with keys may not have non-map elements")
    given = {key: item.get(key, shape.key_defaults.get(key, ABSENT)) for key in shape.keys}
    keys = {key: value for key, value in given.items() if value is not ABSENT}
    if not keys:
        names = " ".join(f'"{key}"' for key in shape.keys)
        raise Unnamed(
            f"associative list with keys has an element that omits all key fields [{names}]"
            " (and doesn't have default values for any key fields)"
        )
    return paths.of_keys(keys)


def _valued(item: Any) -> Element:
    if isinstance(item, dict):
        raise Unnamed("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise Unnamed("not supported: associative list with lists as elements")
    if item is None:
        raise Unnamed("associative list without keys has an element that's an explicit null")
    return paths.of_value(item)
