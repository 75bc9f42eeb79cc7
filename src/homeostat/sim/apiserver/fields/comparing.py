"""Which fields one value has and another has not, and which of those that both have are not the same.

A list by keys or a set is compared item by item, whatever the order. A key that stands twice in a list makes one thing
of all items that have it: they are compared together.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from msgspec import Struct

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.forms import (
    ABSENT,
    Form,
    alike,
    element_of,
    fields_in,
    form_of,
    forms_of,
    is_whole,
    items_in,
    same,
)
from homeostat.sim.apiserver.fields.paths import Element
from homeostat.sim.apiserver.fields.sets import NOTHING, Draft, FieldSet
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape


class Comparison(Struct, frozen=True, dict=True):
    """The fields in which a new value differs from an old one; no field is in two of the sets."""

    removed: FieldSet = NOTHING
    modified: FieldSet = NOTHING
    added: FieldSet = NOTHING

    @cached_property
    def set(self) -> FieldSet:
        """The fields that the new value says something new about; every manager is asked whether they are his."""
        return self.modified | self.added

    def without(self, fields: FieldSet) -> Comparison:
        """The comparison, blind for some fields and all below them."""
        return Comparison(self.removed.without(fields), self.modified.without(fields), self.added.without(fields))


def compare(old: Any, new: Any, shape: Shape) -> Comparison:
    """What a new value changes. Raises Unnamed for an item of a list that has no key."""
    found = _Found(Draft(), Draft(), Draft())
    _compare_at(_WHOLE, old, new, shape, found)
    return found.at(_WHOLE).comparison()


_WHOLE = ""  # in place of an element: of the whole, which is no field


class _Found(Struct, eq=False):
    """The changes at one level and below it, while they are looked for."""

    removed: Draft
    modified: Draft
    added: Draft

    def at(self, element: Element) -> _Found:
        return _Found(self.removed.at(element), self.modified.at(element), self.added.at(element))

    def comparison(self) -> Comparison:
        return Comparison(self.removed.set(), self.modified.set(), self.added.set())


def _compare_at(element: Element, old: Any, new: Any, shape: Shape, found: _Found) -> None:
    """Compare what is under an element of a level. One of both may be absent."""
    if old is ABSENT:
        _add_all(element, new, shape, found.added)
    elif new is ABSENT:
        _add_all(element, old, shape, found.removed)
    elif not alike(old, new):
        for form in forms_of(old, new, shape):
            _compare_as(form, element, (old, new), shape, found)


def _add_all(element: Element, value: Any, shape: Shape, made: Draft) -> None:
    """Add an element and all fields below it, which came or went with it."""
    made.members.add(element)
    form = form_of(value, shape)
    if is_whole(form, shape):
        return
    if form == "object":
        for name, part in fields_in(value).items():
            _add_all(paths.of_field(name), part, shape.at(name), made.at(element))
        return
    for inner, items in _grouped(items_in(value), shape).items():
        if len(items) == 1:
            _add_all(inner, items[0], shape.each or UNTYPED, made.at(element))
        else:
            made.at(element).members.add(inner)


def _compare_as(form: Form, element: Element, values: tuple[Any, Any], shape: Shape, found: _Found) -> None:
    """Compare two values that are not alike, both taken as one form."""
    old, new = values
    parts = items_in if form == "list" else fields_in
    if is_whole(form, shape) or not (parts(old) or parts(new)):
        if not same(old, new):
            found.modified.members.add(element)
    elif form == "list":
        _compare_items(items_in(old), items_in(new), shape, found.at(element))
    else:
        before, after, below = fields_in(old), fields_in(new), found.at(element)
        for name in before | after:
            one, other = before.get(name, ABSENT), after.get(name, ABSENT)
            _compare_at(paths.of_field(name), one, other, shape.at(name), below)


def _compare_items(old: list[Any], new: list[Any], shape: Shape, found: _Found) -> None:
    before, after = _grouped(old, shape), _grouped(new, shape)
    inner = shape.each or UNTYPED
    for element in before | after:
        olds, news = before.get(element, []), after.get(element, [])
        if len(olds) > 1 and len(news) > 1:
            if not same(olds, news):
                found.modified.members.add(element)
            continue
        # What stands once is compared with what stands once; a key that is doubled, or no longer is, is a field itself.
        if len(olds) <= 1 or len(news) == 1:
            one = olds[0] if len(olds) == 1 else ABSENT
            other = news[0] if len(news) == 1 else ABSENT
            if not (one is ABSENT and other is ABSENT):
                _compare_at(element, one, other, inner, found)
        if len(olds) > 1 or len(news) > 1:
            (found.removed if len(olds) > 1 else found.added).members.add(element)


def _grouped(items: list[Any], shape: Shape) -> dict[Element, list[Any]]:
    groups: dict[Element, list[Any]] = {}
    for item in items:
        groups.setdefault(element_of(item, shape), []).append(item)
    return groups
