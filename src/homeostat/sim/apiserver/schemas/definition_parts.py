"""The parts of a version of a CRD beside its schema: subresources, printer columns and selectable fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas import causes, field_paths
from homeostat.sim.apiserver.schemas.causes import at_index, child
from homeostat.sim.apiserver.schemas.schema import read

Object = Mapping[str, Any]
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
SELECTABLE_MOST = 8


def subresource_causes(subresources: Object, path: str) -> Iterator[Cause]:
    """Faults of the paths of the scale subresource."""
    scale = subresources.get("scale")
    if scale is None:
        return
    for word, start in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        text, place = scale.get(word, ""), child(path, f"scale.{word}")
        if not text:
            yield causes.required(place)
        elif not text.startswith("."):
            yield causes.invalid(place, text, "must be a simple json path starting with .")
        elif not text.startswith(start + "."):
            yield causes.invalid(place, text, f"should be a json path under {start}")
    selector, place = scale.get("labelSelectorPath", ""), child(path, "scale.labelSelectorPath")
    if selector and not selector.startswith("."):
        yield causes.invalid(place, selector, "must be a simple json path starting with .")
    elif selector and not selector.startswith((".spec.", ".status.")):
        yield causes.invalid(place, selector, "should be a json path under either .spec or .status")


def column_causes(version: Object, path: str) -> Iterator[Cause]:
    """Faults of printer columns."""
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        place = at_index(path, index)
        if not column.get("name"):
            yield causes.required(child(place, "name"))
        said = f"must be one of {','.join(COLUMN_TYPES)}"
        if not column.get("type"):
            yield causes.required(child(place, "type"), said)
        elif column["type"] not in COLUMN_TYPES:
            yield causes.invalid(child(place, "type"), column["type"], said)
        if column.get("format") and column["format"] not in COLUMN_FORMATS:
            said = f"must be one of {','.join(COLUMN_FORMATS)}"
            yield causes.invalid(child(place, "format"), column["format"], said)
        text = column.get("jsonPath", "")
        if not text:
            yield causes.required(child(place, "JSONPath"))
        elif not text.startswith("."):
            yield causes.invalid(child(place, "JSONPath"), text, "must be a simple json path starting with .")


def selectable_causes(version: Object, path: str) -> Iterator[Cause]:
    """Faults of the fields that a selector may name."""
    schema = read((version.get("schema") or {}).get("openAPIV3Schema") or {})
    known: set[str] = set()
    for index, each in enumerate(version.get("selectableFields") or ()):
        text, place = each.get("jsonPath", ""), child(at_index(path, index), "jsonPath")
        if not text:
            yield causes.required(place)
            continue
        try:
            field, found = field_paths.normalized(text, schema, keys=False)
        except field_paths.BadFieldPath as error:
            yield causes.invalid(place, text, f"is an invalid path: {error}")
            continue
        if field.partition(".")[0] == "metadata":
            yield causes.invalid(place, text, "must not point to fields in metadata")
        if found.type not in ("string", "boolean", "integer"):
            said = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings with formats "
            )
            yield causes.invalid(place, text, f"{said}are allowed.")
        if field in known:
            yield causes.duplicate(place, text)
        known.add(field)
    if len(known) > SELECTABLE_MOST:
        yield causes.too_many(path, len(known), SELECTABLE_MOST)
