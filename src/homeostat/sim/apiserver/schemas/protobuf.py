"""Objects of built-in types as Go's clients send them by choice: in protobuf. They are read, and never written.

An envelope names the type; what is in it is read by the captured messages, into what the same object would be as JSON.
Go writes the fields of structs that are no pointers even when nothing was said of them: empty texts are left out here,
as JSON would leave them out, and so are flags of definitions. Other flags and numbers are left to the type's schema.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from homeostat.sim.apiserver.refusing import bad_request
from homeostat.sim.apiserver.schemas import builtin, captured

MEDIA = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
_PROPS = "JSONSchemaProps"
_RENAMED = {"schema": "$schema", "ref": "$ref"}
# Fields that JSON writes otherwise than their messages.
_SPELT = {"aPIGroup": "apiGroup"}
_DEFINITIONS = ".apiextensions."
# Flags of definitions that JSON always has.
_ALWAYS = frozenset({"served", "storage"})
# Parts of structs that are written in protobuf as messages of their own, and in JSON as fields of what holds them.
_INLINE = frozenset(
    {
        "ephemeralContainerCommon",
        "handler",
        "ingressRuleValue",
        "localObjectReference",
        "persistentVolumeSource",
        "volumeSource",
    }
)
_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


def as_json(body: bytes) -> bytes:
    """The JSON of an object in its envelope. Raises Refused."""
    try:
        envelope = dict(_parts(body[len(MAGIC) :]))
        type_ = dict(_parts(envelope.get(1, b"")))
        version, kind = type_.get(1, b"").decode(), type_.get(2, b"").decode()
        message = _message(version, kind)
        value = _object(envelope.get(2, b""), message)
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise bad_request(f"unable to decode a protobuf object: {error}") from error
    return msgspec.json.encode({"kind": kind, "apiVersion": version, **value})


def _message(version: str, kind: str) -> str:
    group, _, bare = version.rpartition("/")
    name = _OPTIONS if kind == "DeleteOptions" else builtin.schema_name(group, bare, kind)
    return f"k8s.io.{name.removeprefix('io.k8s.')}".replace("-", "_")


def _object(content: bytes, message: str) -> Any:
    found: dict[str, Any] = {}
    fields = captured.messages()[message]
    of_schema = message.endswith(f".{_PROPS}")
    for number, raw in _parts(content):
        if str(number) not in fields:
            continue
        name, form, type_ = fields[str(number)]
        key = _renamed(name) if of_schema else _SPELT.get(name, name)
        if form == "map":
            entry = dict(_parts(raw))
            found.setdefault(key, {})[entry.get(1, b"").decode()] = _read(entry.get(2, b""), type_)
        elif form == "many":
            found.setdefault(key, []).append(_read(raw, type_))
        else:
            value = _read(raw, type_)
            if name in _INLINE and isinstance(value, dict):
                found |= value
            elif not _says_nothing(value, name, message):
                found[key] = value
    return found


def _says_nothing(value: Any, name: str, message: str) -> bool:
    if value is False:
        return _DEFINITIONS in message and name not in _ALWAYS
    return value in ("", None) or (value == 0 and name == "generation")


def _read(raw: Any, type_: str) -> Any:
    match type_:
        case "string":
            return raw.decode()
        case "bytes":
            return msgspec.to_builtins(raw)
        case "bool":
            return bool(raw)
        case "int32" | "int64":
            return raw - (1 << 64) if raw >> 63 else raw
        case "double":
            return struct.unpack("<d", raw)[0]
    special = _SPECIAL.get(type_.rpartition(".")[2])
    return special(raw, type_) if special is not None else _object(raw, type_)


def _parts(content: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message: a number, and an integer or bytes."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        match tag & 7:
            case 0:
                value, at = _varint(content, at)
                yield tag >> 3, value
                continue
            case 1:
                size = 8
            case 5:
                size = 4
            case 2:
                size, at = _varint(content, at)
            case other:
                raise ValueError(f"wire type {other}")
        if at + size > len(content):
            raise ValueError("unexpected end")
        yield tag >> 3, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _renamed(name: str) -> str:
    if name in _RENAMED:
        return _RENAMED[name]
    is_extension = name.startswith("xKubernetes")
    return re.sub("([A-Z])", lambda found: f"-{found[1].lower()}", name) if is_extension else name


def _raw(raw: bytes, type_: str) -> Any:  # noqa: ARG001
    found = dict(_parts(raw)).get(1, b"")
    return msgspec.json.decode(found) if found else None


def _text(raw: bytes, type_: str) -> str:  # noqa: ARG001
    return str(dict(_parts(raw)).get(1, b"").decode())


def _moment(raw: bytes, type_: str) -> str | None:
    found = dict(_parts(raw))
    if not found:
        return None
    at = datetime.fromtimestamp(found.get(1, 0), UTC)
    fraction = f".{found.get(2, 0) // 1000:06d}" if type_.endswith("MicroTime") else ""
    # The first year has four digits, too, which strftime does not promise.
    return f"{at.isoformat(timespec='seconds')[:19]}{fraction}Z"


def _number_or_text(raw: bytes, type_: str) -> int | str:  # noqa: ARG001
    found = dict(_parts(raw))
    return str(found.get(3, b"").decode()) if found.get(1) else int(_read(found.get(2, 0), "int32"))


def _items(raw: bytes, type_: str) -> list[str]:  # noqa: ARG001
    return [each.decode() for _, each in _parts(raw)]


def _one_of(raw: bytes, type_: str) -> Any:
    """A schema or something else: the fields of it come first that are filled."""
    found = _object(raw, type_)
    if "schema" in found:
        return found["schema"]
    return found.get("jSONSchemas") or found.get("property") or found.get("allows", False)


_SPECIAL: Mapping[str, Callable[[bytes, str], Any]] = {
    "Quantity": _text,
    "IntOrString": _number_or_text,
    "Time": _moment,
    "MicroTime": _moment,
    "RawExtension": _raw,
    "FieldsV1": _raw,
    "JSON": _raw,
    "ExtraValue": _items,
    "JSONSchemaPropsOrArray": _one_of,
    "JSONSchemaPropsOrBool": _one_of,
    "JSONSchemaPropsOrStringArray": _one_of,
}
