"""JSON patch (RFC 6902), with what the API server's library makes of it beyond the standard.

So an index may be negative and count from the end, a replaced field of an object need not be there, and a test for null
passes where nothing is. Decision 0028 says why this is written here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from homeostat.sim.apiserver.fields.forms import ABSENT
from homeostat.sim.apiserver.patches.merge import json_kind
from homeostat.sim.apiserver.refusing import Refused, bad_request

MOST_OPERATIONS = 10000
_INDEX = re.compile(r"[+-]?[0-9]+")
Object = dict[str, Any]
Container = Object | list[Any]


class _Failed(Exception):
    """An operation that does not apply. Clients never see why: the API server answers all of them alike."""


def json_patched(live: Object, patch: Any) -> Any:
    """The object after all operations, or a list if the patch replaces it by one. Raises Refused."""
    operations = _operations(patch)
    if len(operations) > MOST_OPERATIONS:
        told = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        raise Refused(413, "RequestEntityTooLarge", f"Request entity too large: {told}")
    document: Container = copy.deepcopy(live)
    try:
        for operation in operations:
            document = _applied(document, operation)
    except _Failed as failed:
        raise Refused(422, "Invalid", "the server rejected our request due to an error in our request") from failed
    return document


def _operations(patch: Any) -> list[Object]:
    """The operations of a patch, which are objects whose own words are texts. Raises Refused."""
    if not isinstance(patch, list | None):
        raise _undecodable(patch, "value of type []handlers.jsonPatchOp")
    for operation in patch or ():
        if not isinstance(operation, dict | None):
            raise _undecodable(operation, "value of type handlers.jsonPatchOp")
        for name in ("op", "path", "from"):
            text = (operation or {}).get(name)
            if not isinstance(text, str | None):
                raise _undecodable(text, f"struct field jsonPatchOp.{name} of type string")
    return [operation or {} for operation in patch or ()]


def _undecodable(value: Any, wanted: str) -> Refused:
    return bad_request(f"error decoding patch: json: cannot unmarshal {json_kind(value)} into Go {wanted}")


def _applied(document: Container, operation: Object) -> Container:
    kind = operation.get("op")
    if kind not in _OPERATIONS:
        raise _Failed(f"Unexpected kind: {kind}")
    return _OPERATIONS[kind](document, operation)


def _add(document: Container, operation: Object) -> Container:
    holder, key = _found(document, _text(operation, "path"))
    _put_in(holder, key, copy.deepcopy(operation.get("value")))
    return document


def _remove(document: Container, operation: Object) -> Container:
    holder, key = _found(document, _text(operation, "path"))
    _take_out(holder, key)
    return document


def _replace(document: Container, operation: Object) -> Container:
    path, value = _text(operation, "path"), copy.deepcopy(operation.get("value"))
    if path == "":
        if not isinstance(value, dict | list):
            raise _Failed("replace operation value must be object or array")
        return value
    holder, key = _found(document, path)
    if isinstance(holder, dict):
        holder[key] = value
    else:
        holder[_index(key, len(holder))] = value
    return document


def _move(document: Container, operation: Object) -> Container:
    holder, key = _found(document, _text(operation, "from"))
    value = _value_at(holder, key)
    _take_out(holder, key)
    holder, key = _found(document, _text(operation, "path"))
    _put_in(holder, key, value)
    return document


def _copy(document: Container, operation: Object) -> Container:
    holder, key = _found(document, _text(operation, "from"))
    value = copy.deepcopy(_value_at(holder, key))
    holder, key = _found(document, _text(operation, "path"))
    _put_in(holder, key, value)
    return document


def _test(document: Container, operation: Object) -> Container:
    path, wanted = _text(operation, "path"), operation.get("value")
    value: Any = document if path == "" else _value_at(*_found(document, path))
    if not _identical(value, wanted):
        raise _Failed(f"testing value {path} failed")
    return document


_OPERATIONS: dict[Any, Callable[[Container, Object], Container]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _text(operation: Object, name: str) -> str:
    text = operation.get(name)
    if not isinstance(text, str):
        raise _Failed(f"operation missing {name} field")
    return text


def _found(document: Container, path: str) -> tuple[Container, str]:
    """What holds the value that a path points to, and under which key."""
    first, *parts = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/"))
    if not parts:
        raise _Failed(f'doc is missing path: "{first}"')
    holder: Container = document
    for part in parts[:-1]:
        value = _value_at(holder, part)
        if not isinstance(value, dict | list):
            raise _Failed(f'doc is missing path: "{path}"')
        holder = value
    return holder, parts[-1]


def _value_at(holder: Container, key: str) -> Any:
    """A value; None for a field that is not there. Raises _Failed for an index out of range."""
    return holder.get(key) if isinstance(holder, dict) else holder[_index(key, len(holder))]


def _put_in(holder: Container, key: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[key] = value
    elif key == "-":
        holder.append(value)
    else:
        holder.insert(_index(key, len(holder) + 1), value)


def _take_out(holder: Container, key: str) -> None:
    if isinstance(holder, list):
        del holder[_index(key, len(holder))]
    elif holder.pop(key, ABSENT) is ABSENT:
        raise _Failed(f"unable to remove nonexistent key: {key}")


def _index(key: str, length: int) -> int:
    if not _INDEX.fullmatch(key) or not -length <= int(key) < length:
        raise _Failed(f"unable to access invalid index: {key}")
    return int(key) % length


def _identical(one: Any, other: Any) -> bool:
    """Whether two values are written the same, but for the order of fields: 1 is not 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_identical(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_identical, one, other))
    return type(one) is type(other) and bool(one == other)
