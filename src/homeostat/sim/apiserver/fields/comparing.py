"""Which fields one value has and another has not, and which of those that both have are not the same.

A list by keys or a set is compared item by item, whatever the order. A key that stands twice in a list makes one thing
of all items that have it: they are compared together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Literal

from msgspec import Struct

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.forms import (
    ABSENT,
    Form,
    alike,
    element_of,
    fields_in,
    forms_of,
    is_whole,
    items_in,
    same,
)
from homeostat.sim.apiserver.fields.paths import Element, Path
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape

How = Literal["removed", "modified", "added"]
Change = tuple[How, Path]


class Comparison(Struct, frozen=True):
    """The fields in which a new value differs from an old one; no field is in two of the sets."""

    removed: FieldSet = NOTHING
    modified: FieldSet = NOTHING
    added: FieldSet = NOTHING

    @property
    def set(self) -> FieldSet:
        """The fields that the new value says something new about."""
        return self.modified | self.added

    def without(self, fields: FieldSet) -> Comparison:
        """The comparison, blind for some fields and all below them."""
        return Comparison(self.removed.without(fields), self.modified.without(fields), self.added.without(fields))


def compare(old: Any, new: Any, shape: Shape) -> Comparison:
    """What a new value changes. Raises Unnamed for an item of a list that has no key."""
    found: dict[How, list[Path]] = {"removed": [], "modified": [], "added": []}
    for how, path in _changes(old, new, shape, ()):
        found[how].append(path)
    return Comparison(**{how: FieldSet.of(each) for how, each in found.items()})


def _changes(old: Any, new: Any, shape: Shape, path: Path) -> Iterator[Change]:
    if old is not ABSENT and new is not ABSENT and alike(old, new):
        return
    whole = False
    for form in forms_of(old, new, shape):
        whole = yield from _as_form(form, (old, new), shape, path)
    if not whole and ABSENT in (old, new):
        yield ("added" if old is ABSENT else "removed", path)


def _as_form(form: Form, values: tuple[Any, Any], shape: Shape, path: Path) -> Generator[Change, None, bool]:
    """The changes between two values, both taken as one form; returns whether they were compared as a whole."""
    old, new = values
    parts = items_in if form == "list" else fields_in
    if is_whole(form, shape) or not (parts(old) or parts(new)):
        yield from _as_whole(old, new, path)
        return True
    if form == "list":
        yield from _as_items(items_in(old), items_in(new), shape, path)
    else:
        before, after = fields_in(old), fields_in(new)
        for name in before | after:
            here = (*path, paths.of_field(name))
            yield from _changes(before.get(name, ABSENT), after.get(name, ABSENT), shape.at(name), here)
    return False


def _as_whole(old: Any, new: Any, path: Path) -> Iterator[Change]:
    if old is ABSENT:
        yield ("added", path)
    elif new is ABSENT:
        yield ("removed", path)
    elif not same(old, new):
        yield ("modified", path)


def _as_items(old: list[Any], new: list[Any], shape: Shape, path: Path) -> Iterator[Change]:
    before, after = _grouped(old, shape), _grouped(new, shape)
    inner = shape.each or UNTYPED
    for element in before | after:
        olds, news = before.get(element, []), after.get(element, [])
        here = (*path, element)
        if len(olds) > 1 and len(news) > 1:
            if not same(olds, news):
                yield ("modified", here)
            continue
        # What stands once is compared with what stands once; a key that is doubled, or no longer is, is a field itself.
        if len(olds) <= 1 or len(news) == 1:
            one = olds[0] if len(olds) == 1 else ABSENT
            other = news[0] if len(news) == 1 else ABSENT
            if not (one is ABSENT and other is ABSENT):
                yield from _changes(one, other, inner, here)
        if len(olds) > 1 or len(news) > 1:
            yield ("removed" if len(olds) > 1 else "added", here)


def _grouped(items: list[Any], shape: Shape) -> dict[Element, list[Any]]:
    groups: dict[Element, list[Any]] = {}
    for item in items:
        groups.setdefault(element_of(item, shape), []).append(item)
    return groups
