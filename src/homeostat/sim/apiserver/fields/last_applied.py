"""What `kubectl apply` left behind when it merged by itself: an annotation with what it applied the last time.

An apply by the manager `kubectl` goes on from there: it is no conflict to change what the annotation says and nobody
changed since, and the annotation is kept up to date for a kubectl that merges by itself again.
"""

from __future__ import annotations

import json
from typing import Any

from homeostat.sim.apiserver.fields.checking import Untypable, check
from homeostat.sim.apiserver.fields.comparing import compare
from homeostat.sim.apiserver.fields.entries import Object
from homeostat.sim.apiserver.fields.ownership import Conflicts, Convert, Writer
from homeostat.sim.apiserver.fields.sets import NOTHING, FieldSet
from homeostat.sim.apiserver.fields.typed import fields_of

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"


def conflicts_left(conflicts: Conflicts, live: Object, writer: Writer, convert: Convert) -> Conflicts | None:
    """The conflicts that the annotation does not excuse; None if it excuses all."""
    excused = _unchanged_since(live, writer, convert) if writer.manager == KUBECTL else NOTHING
    left = {manager: fields - excused for manager, fields in conflicts.fields.items()}
    left = {manager: fields for manager, fields in left.items() if fields}
    return Conflicts(left) if left else None


def synchronized(new: Object, config: Object, writer: Writer) -> Object:
    """The object after an apply, with the annotation, if it has one, saying what was applied."""
    if writer.manager != KUBECTL or not _annotation(new):
        return new
    annotations = {**new["metadata"]["annotations"], ANNOTATION: _encoded(config)}
    return new | {"metadata": new["metadata"] | {"annotations": annotations}}


def _unchanged_since(live: Object, writer: Writer, convert: Convert) -> FieldSet:
    """The fields of the annotation that the live object still has as it says."""
    try:
        told = json.loads(_annotation(live))
    except ValueError:
        return NOTHING
    if not isinstance(told, dict) or told.get("apiVersion") != writer.api_version:
        return NOTHING
    was, now = convert(told, writer.api_version), convert(live, writer.api_version)
    if was is None or now is None:
        return NOTHING
    try:
        check(was.value, was.shape, doubles=False)
    except Untypable:
        return NOTHING
    change = compare(was.value, now.value, now.shape)
    return fields_of(was.value, was.shape) - change.set - change.removed


def _annotation(value: Object) -> str:
    annotations: Any = (value.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(ANNOTATION) or "")


def _encoded(config: Object) -> str:
    """The configuration as Go's encoder writes it, with a line feed at its end, without the annotation itself."""
    metadata = dict(config.get("metadata") or {})
    if "annotations" in metadata:
        rest = {name: each for name, each in metadata["annotations"].items() if name != ANNOTATION}
        metadata["annotations"] = rest
    plain = config | {"metadata": metadata}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") + "\n"
