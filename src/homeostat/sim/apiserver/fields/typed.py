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
from homeostat.sim.apiserver.fields.sets import Draft, FieldSet
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape


def fields_of(value: Any, shape: Shape) -> FieldSet:
    """All fields of a value. Raises Unnamed for an item of a list that has no key."""
    made = Draft()
    _add_fields(value, shape, made)
    return made.set()


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


def _add_fields(value: Any, shape: Shape, made: Draft) -> None:
    """Add what is below a value, unless that is owned as one thing."""
    form = form_of(value, shape)
    if is_whole(form, shape):
        return
    if form == "object":
        for name, part in fields_in(value).items():
            element, inner = paths.of_field(name), shape.at(name)
            if part is None or part == {} or name not in shape.fields or is_whole(form_of(part, inner), inner):
                made.members.add(element)
            if part:
                _add_fields(part, inner, made.at(element))
        return
    elements = [element_of(item, shape) for item in items_in(value)]
    made.members.update(elements)
    counted = Counter(elements)
    for element, item in zip(elements, items_in(value), strict=True):
        if counted[element] == 1:
            _add_fields(item, shape.each or UNTYPED, made.at(element))


def _below(element: Element, shape: Shape) -> Shape:
    name = paths.name_of(element)
    if name is not None:
        return shape.at(name)
    return shape.each or UNTYPED


def _part_without(value: Any, shape: Shape, fields: FieldSet) -> Any:
    return without(value, shape, fields) if fields else value
