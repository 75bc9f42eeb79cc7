"""Whether the defaults of a schema are values that it allows."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes
from homeostat.sim.apiserver.schemas.causes import at_key, child
from homeostat.sim.apiserver.schemas.correlating import ABSENT
from homeostat.sim.apiserver.schemas.pruning import META, prune
from homeostat.sim.apiserver.schemas.rules import Place, broken_rules
from homeostat.sim.apiserver.schemas.schema import Schema
from homeostat.sim.apiserver.schemas.validating import validate


def default_causes(schema: Schema, path: str) -> list[Cause]:
    """What is wrong with defaults anywhere in a structural schema. Those in metadata are for others to judge."""
    return list(_causes(schema, path, is_object=True))


def _causes(schema: Schema, path: str, *, is_object: bool = False) -> Iterator[Cause]:
    if schema.default:
        yield from _default(schema, child(path, "default"))
    if schema.items:
        yield from _causes(schema.items, child(path, "items"))
    for name, part in schema.properties.items():
        if name not in META or not (is_object or schema.embedded):
            yield from _causes(part, at_key(child(path, "properties"), name))


def _default(schema: Schema, path: str) -> Iterator[Cause]:
    default = schema.default[0]
    pruned = copy.deepcopy(default)
    if isinstance(pruned, (dict, list)):
        prune(pruned, schema, root=False)
    if pruned != default:
        yield causes.invalid(path, default, "must not have unknown fields")
    # The schema of a default is its own: the place is told by the field alone.
    found = validate(default, schema, path=path)
    # A default is there before as well as now, or was not there before.
    for before in (default, ABSENT):
        found = found or list(broken_rules(default, schema, Place(path, before)))
    yield from found
