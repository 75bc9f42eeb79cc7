"""What is wrong with a value that is to be merged, in the words in which a kube-apiserver refuses to apply it.

Only what keeps a value from being merged is looked at: things of another form than the shape's, fields that the type
does not have, items of lists that cannot be told apart. Whether a value is valid is not asked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from homeostat.sim.apiserver.fields import paths
from homeostat.sim.apiserver.fields.forms import Unnamed, element_of, form_of, is_whole
from homeostat.sim.apiserver.fields.paths import Element
from homeostat.sim.apiserver.schemas.shape import UNTYPED, Shape

Fault = tuple[str, str]
"""Where, as a path in words, and what."""


class Untypable(ValueError):
    """A value that is not what its shape says."""


def check(value: Any, shape: Shape, *, doubles: bool) -> None:
    """Raises Untypable, with all faults, for a value that cannot be merged. `doubles`: a key may stand twice."""
    faults = [f"{place}: {what}" if place else what for place, what in _faults(value, shape, doubles=doubles)]
    if faults:
        raise Untypable(faults[0] if len(faults) == 1 else "\n  ".join(["errors:", *faults]))


def go_text(value: Any) -> str:
    """A value of JSON as Go's `%v` prints it, which messages of the API server contain."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if value is None:
        return "<nil>"
    return value if isinstance(value, str) else json.dumps(value)


def _faults(value: Any, shape: Shape, *, doubles: bool) -> Iterator[Fault]:
    form = form_of(value, shape)
    if value is None:
        return
    if form == "scalar":
        if isinstance(value, dict | list):
            yield "", f"expected any scalar, got &{{{go_text(value)}}}"
    elif form == "object":
        if isinstance(value, dict):
            yield from _faults_of_fields(value, shape, doubles=doubles)
        else:
            yield "", f"expected map, got &{{{go_text(value)}}}"
    elif isinstance(value, list):
        yield from _faults_of_items(value, shape, doubles=doubles)
    else:
        yield "", f"expected list, got &{{{go_text(value)}}}"


def _faults_of_fields(value: dict[str, Any], shape: Shape, *, doubles: bool) -> Iterator[Fault]:
    for name, part in value.items():
        if shape.fields and name not in shape.fields and shape.each is None:
            yield f".{name}", "field not declared in schema"
            return
        inner = shape.at(name)
        if inner.form != "scalar" or isinstance(part, dict | list):
            for place, what in _faults(part, inner, doubles=doubles):
                yield f".{name}{place}", what


def _faults_of_items(items: list[Any], shape: Shape, *, doubles: bool) -> Iterator[Fault]:
    seen: set[Element] = set()
    for index, item in enumerate(items):
        element = paths.of_index(index)
        if not is_whole("list", shape):
            try:
                element = element_of(item, shape)
            except Unnamed as error:
                yield "", f"element {index}: {error}"
                return
            if element in seen and not doubles:
                yield "", f"duplicate entries for key {paths.shown((element,))}"
            seen.add(element)
        for place, what in _faults(item, shape.each or UNTYPED, doubles=doubles):
            yield paths.shown((element,)) + place, what
