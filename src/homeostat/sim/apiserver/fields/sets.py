"""A set of fields of an object: a trie, since the fields of one object share nearly all of their paths.

A field in the set says nothing about the fields below it, nor they about it: `spec` may be a member while `spec.x` is
not. Sets are values: operations make new ones and share what did not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.paths import Element, Path


class FieldSet(Struct, frozen=True, dict=True):
    """`members` are the fields at this level that are in the set, `below` are the sets of fields below fields."""

    members: frozenset[Element] = frozenset()
    below: dict[Element, FieldSet] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Iterable[Path]) -> FieldSet:
        """The set of some paths; the empty path is the whole object, which nobody owns."""
        made = Draft()
        for path in fields:
            if path:
                made.at(*path[:-1]).members.add(path[-1])
        return made.set()

    @classmethod
    def named(cls, *dotted: str) -> FieldSet:
        """The set of fields given as `metadata.name`."""
        return cls.of(tuple(paths.of_field(name) for name in each.split(".")) for each in dotted)

    def __bool__(self) -> bool:
        return bool(self.members) or any(self.below.values())

    def __iter__(self) -> Iterator[Path]:
        """All paths: those of a level before those below it, in the order of elements."""
        for element in sorted(self.members, key=paths.order):
            yield (element,)
        for element in sorted(self.below, key=paths.order):
            for path in self.below[element]:
                yield (element, *path)

    def __contains__(self, path: Path) -> bool:
        if not path:
            return False
        return path[-1] in self.at(*path[:-1]).members

    def __or__(self, other: FieldSet) -> FieldSet:
        below = dict(self.below)
        for element, theirs in other.below.items():
            below[element] = below[element] | theirs if element in below else theirs
        return FieldSet(self.members | other.members, below)

    def __and__(self, other: FieldSet) -> FieldSet:
        both = (
            (element, ours & other.below[element]) for element, ours in self.below.items() if element in other.below
        )
        return FieldSet(self.members & other.members, _kept(both))

    def __sub__(self, other: FieldSet) -> FieldSet:
        """The paths that are not in the other set; what is below a path of the other stays."""
        left = {
            element: self.below[element] - theirs for element, theirs in other.below.items() if element in self.below
        }
        return self._with(self.members - other.members, left)

    def without(self, other: FieldSet) -> FieldSet:
        """The paths that are neither in the other set nor below one that is."""
        left = {
            element: self.below[element].without(theirs)
            for element, theirs in other.below.items()
            if element in self.below
        }
        return self._with(
            self.members - other.members, left | dict.fromkeys(other.members & self.below.keys(), NOTHING)
        )

    def at(self, *path: Element) -> FieldSet:
        """The paths below a field, without its own path."""
        here = self
        for element in path:
            here = here.below.get(element, NOTHING)
        return here

    def leaves(self) -> FieldSet:
        """The paths that have none below them."""
        below = _kept((element, each.leaves()) for element, each in self.below.items())
        return FieldSet(frozenset(self.members - self.below.keys()), below)

    @cached_property
    def written(self) -> dict[str, Any]:
        """The set as `fieldsV1`, in the order that a kube-apiserver writes it; never to be changed."""
        made: dict[str, Any] = {}
        for element in sorted(self.members | self.below.keys(), key=paths.order):
            inner = self.below[element].written if element in self.below else {}
            made[element] = {".": {}, **inner} if inner and element in self.members else inner
        return made

    def _with(self, members: frozenset[Element], below: dict[Element, FieldSet]) -> FieldSet:
        """A smaller set, with other members and other sets below some fields; this one itself if it is no smaller."""
        if len(members) == len(self.members) and all(self.below[element] is each for element, each in below.items()):
            return self
        return FieldSet(members, _kept((self.below | below).items()))

    @classmethod
    def read(cls, raw: Any) -> FieldSet:
        """The set that a `fieldsV1` holds. Raises Unreadable."""
        return _read(raw)[0]


NOTHING = FieldSet()


class Draft(Struct, eq=False):
    """A set that is being made, level by level."""

    members: set[Element] = field(default_factory=set)
    below: dict[Element, Draft] = field(default_factory=dict)

    def at(self, *path: Element) -> Draft:
        """What is being made below a field."""
        here = self
        for element in path:
            found = here.below.get(element)
            if found is None:
                found = here.below[element] = Draft()
            here = found
        return here

    def set(self) -> FieldSet:
        """The set, as far as it has come."""
        below = {element: each.set() for element, each in self.below.items()}
        return FieldSet(frozenset(self.members), _kept(below.items()))


def _kept(pairs: Iterable[tuple[Element, FieldSet]]) -> dict[Element, FieldSet]:
    return {element: each for element, each in pairs if each}


def _read(raw: Any) -> tuple[FieldSet, bool]:
    """A set, and whether the field that it is below is itself a member: it says so by a dot, or by having no other."""
    if not isinstance(raw, dict):
        raise paths.Unreadable(f"expected an object of fields, got {raw!r}")
    members: set[Element] = set()
    below: dict[Element, FieldSet] = {}
    for text, inner in raw.items():
        element = None if text == "." else paths.read(text)
        if element is None:
            continue
        under, is_member = _read(inner)
        if is_member:
            members.add(element)
        if under:
            below[element] = below.get(element, NOTHING) | under
    made = FieldSet(frozenset(members), below)
    return made, "." in raw or not made
