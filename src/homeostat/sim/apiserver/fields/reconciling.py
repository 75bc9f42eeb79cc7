"""Sets of fields that were written when a type merged otherwise: what is one thing now is owned as one thing."""

from __future__ import annotations

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.paths import Element
from homeostat.sim.apiserver.fields.sets import FieldSet
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape


def reconciled(fields: FieldSet, shape: Shape) -> FieldSet:
    """The set as it would have been under the shape of today; this one itself if it would have been the same.

    The other way, from one thing to its parts, nothing is done: the owner of the thing keeps that and owns no part.
    """
    members = fields.members
    below: dict[Element, FieldSet] = {}
    for element, under in fields.below.items():
        inner = _below(element, shape)
        if inner is not None and _is_atomic(inner):
            members |= {element}
        else:
            below[element] = under if inner is None else reconciled(under, inner)
    if len(below) == len(fields.below) and all(below[element] is each for element, each in fields.below.items()):
        return fields
    return FieldSet(members, below)


def _below(element: Element, shape: Shape) -> Shape | None:
    """The shape of a part; None for one that is not in the type any more, or of which the type says nothing."""
    name = paths.name_of(element)
    if shape.form == "untyped":
        return None
    if name is None:
        return (shape.each or UNTYPED) if shape.form == "list" else None
    return shape.fields.get(name) or shape.each


def _is_atomic(shape: Shape) -> bool:
    if shape.form == "list":
        return shape.merge not in ("set", "map")
    return shape.form == "object" and shape.merge == "atomic"
