"""The owners of replicas, as the scale subresource shows them, and back.

A Scale has one field that an object has as well. Its managedFields are those of the object as far as they hold that
field, in the version of scales; after a write to the Scale they are put back into those of the object.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.sim.apiserver.fields.entries import Entries, Entry, Object, read, written
from homeostat.sim.apiserver.fields.paths import Path
from homeostat.sim.apiserver.fields.sets import FieldSet

SCALE = "autoscaling/v1"
REPLICAS: Path = ("f:spec", "f:replicas")

Places = Mapping[str, Path]
"""Where replicas are in each version of the object."""


def of_scale(parent: list[Object], places: Places) -> list[Object]:
    """The managedFields of a Scale, from those of its object. Raises Unreadable."""
    found: Entries = {}
    for manager, entry in read(parent).items():
        place = places.get(entry.api_version)
        if place is not None and place in entry.fields:
            found[manager] = Entry(FieldSet.of([REPLICAS]), SCALE, entry.time)
    return written(found)


def of_parent(parent: list[Object], scale: list[Object], api_version: str, places: Places) -> list[Object]:
    """The managedFields of an object of this version, after a write to its Scale. Raises Unreadable."""
    before, scaled = read(parent), read(scale)
    found: Entries = {}
    for manager, entry in before.items():
        place = places.get(entry.api_version)
        if place is None:
            continue
        if place not in entry.fields or manager in scaled:
            found[manager] = entry
            scaled.pop(manager, None)
            continue
        left = entry.fields - FieldSet.of([place])
        if left:
            found[manager] = entry.with_fields(left)
    for manager, entry in scaled.items():
        if REPLICAS in entry.fields:
            known = before.get(manager)
            found[manager] = Entry(FieldSet.of([places[api_version]]), api_version, known.time if known else "")
    return written(found)
