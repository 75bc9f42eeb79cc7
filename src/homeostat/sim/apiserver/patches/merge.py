"""JSON merge patch (RFC 7386): objects are merged, null removes, everything else replaces.

Nulls in what is new are left out, also in objects that stand in lists, as the library of the API server does.
"""

from __future__ import annotations

from typing import Any

from homeostat.sim.apiserver.refusing import bad_request

Object = dict[str, Any]


def merged(live: Object, patch: Any) -> Object:
    """The object after the patch. Raises Refused."""
    if patch is None:
        raise bad_request("Invalid JSON Patch")
    return _merged(live, as_object(patch, "error decoding patch: "))


def as_object(patch: Any, prefix: str = "") -> Object:
    """The patch, if it is an object. Raises Refused."""
    if isinstance(patch, dict):
        return patch
    raise bad_request(
        f"{prefix}json: cannot unmarshal {json_kind(patch)} into Go value of type map[string]interface {{}}"
    )


def json_kind(value: Any) -> str:
    """What a value is called where it could not be read into something else."""
    kinds = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    return kinds.get(type(value), "null")


def without_nulls(value: Any) -> Any:
    """The value without fields that are null; nulls in lists stay."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def _merged(live: Object, patch: Object) -> Object:
    made = dict(live)
    for name, value in patch.items():
        before = made.get(name)
        if value is None:
            made.pop(name, None)
        elif not isinstance(before, dict):
            made[name] = without_nulls(value)
        else:
            made[name] = _merged(before, value) if isinstance(value, dict) else value
    return made
