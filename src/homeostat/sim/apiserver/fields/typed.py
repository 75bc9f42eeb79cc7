"""Which fields a value has under its shape, and a value with some of its fields taken away.

A value owned as one thing is one field. A granular object is owned by its parts: a named field is a member by what is
below it, and on its own only when it is null or empty; a key of a map, and an item of a list, is a member as well.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.forms import element_of, fields_in, form_of, is_whole, items_in
from homeostat.sim.apiserver.fields.paths import Element
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape


def fields_of(value: Any, shape: Shape) -> FieldSet:
    """All fields of a value; none of one that is owned as one thing. Raises Unnamed for an item that has no key."""
    form = form_of(value, shape)
    if is_whole(form, shape):
        return NOTHING
    return _fields_of_object(fields_in(value), shape) if form == "object" else _fields_of_list(items_in(value), shape)


def with_named(fields: FieldSet, shape: Shape) -> FieldSet:
    """The set, with the named fields above its members, so that an object goes when all that it held goes."""
    members = set(fields.members)
    below = {}
    for element, under in fields.below.items():
        name = paths.name_of(element)
        if name is not None and name in shape.fields:
            members.add(element)
        below[element] = with_named(under, _below(element, shape))
    return FieldSet(frozenset(members), below)


def without(value: Any, shape: Shape, fields: FieldSet) -> Any:
    """The value without some fields. An object or a list that loses all of its parts is null."""
    form = form_of(value, shape)
    if form == "scalar":
        return value
    if is_whole(form, shape):
        return None
    if form == "object":
        named = ((name, paths.of_field(name), part) for name, part in fields_in(value).items())
        kept = {
            name: _part_without(part, shape.at(name), fields.at(element))
            for name, element, part in named
            if element not in fields.members
        }
        return kept or None
    inner = shape.each or UNTYPED
    told = ((element_of(item, shape), item) for item in items_in(value))
    left = [_part_without(item, inner, fields.at(element)) for element, item in told if element not in fields.members]
    return left or None


def _fields_of_object(value: dict[str, Any], shape: Shape) -> FieldSet:
    members: set[Element] = set()
    below: dict[Element, FieldSet] = {}
    for name, part in value.items():
        element, inner = paths.of_field(name), shape.at(name)
        if part is None or part == {} or name not in shape.fields or is_whole(form_of(part, inner), inner):
            members.add(element)
        if part and (under := fields_of(part, inner)):
            below[element] = under
    return FieldSet(frozenset(members), below)


def _fields_of_list(items: list[Any], shape: Shape) -> FieldSet:
    elements = [element_of(item, shape) for item in items]
    counted = Counter(elements)
    alone = (pair for pair in zip(elements, items, strict=True) if counted[pair[0]] == 1)
    under = ((element, fields_of(item, shape.each or UNTYPED)) for element, item in alone)
    return FieldSet(frozenset(elements), {element: each for element, each in under if each})


def _below(element: Element, shape: Shape) -> Shape:
    name = paths.name_of(element)
    if name is not None:
        return shape.at(name)
    return shape.each or UNTYPED


def _part_without(value: Any, shape: Shape, fields: FieldSet) -> Any:
    return without(value, shape, fields) if fields else value
