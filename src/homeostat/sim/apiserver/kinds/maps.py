"""Config maps and secrets: names and sizes of what they hold, and that nobody changes those that are immutable."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping

from homeostat.sim.apiserver.refusing import Cause
from homeostat.sim.apiserver.schemas.causes import at_key, forbidden, invalid
from homeostat.sim.apiserver.types.metadata import IMMUTABLE
from homeostat.sim.apiserver.types.type import Strategy, Value

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_SAYS = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or"
    " 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_MAX_BYTES = 1 << 20
_OPAQUE = "Opaque"
_LIMIT = f"Too long: may not be more than {_MAX_BYTES} bytes"


class ConfigMapStrategy(Strategy):
    """Text in `data`, anything in `binaryData`."""

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its keys, its size, and its changes."""
        held = {name: value.get(name) or {} for name in ("data", "binaryData")}
        for name, entries in held.items():
            yield from _of_keys(entries, name)
        for key in sorted(held["data"].keys() & held["binaryData"].keys()):
            yield invalid(at_key("data", key), key, "duplicate of key present in binaryData")
        size = sum(len(each.encode()) for each in held["data"].values())
        size += sum(_decoded_size(each) for each in held["binaryData"].values())
        if size > _MAX_BYTES:
            yield Cause("FieldValueTooLong", _LIMIT, "[]")  # as Go prints a path of one empty step
        yield from _of_immutable(value, old, ("data", "binaryData"))


class SecretStrategy(Strategy):
    """Anything in `data`; what is written as text in `stringData` is kept there."""

    def default(self, value: Value) -> None:
        """What came as text is data for all that read it, and who says nothing of its kind says that it is of none."""
        _encode_text(value)
        value["type"] = value.get("type") or _OPAQUE

    def causes(self, value: Value, old: Value | None) -> Iterable[Cause]:
        """Of its keys, its size, and its changes."""
        entries = value.get("data") or {}
        yield from _of_keys(entries, "data")
        if sum(map(_decoded_size, entries.values())) > _MAX_BYTES:
            yield Cause("FieldValueTooLong", _LIMIT, "data")
        if old is not None and value.get("type") != old.get("type"):
            yield invalid("type", value.get("type"), IMMUTABLE)
        yield from _of_immutable(value, old, ("data",))

    def fields(self, value: Value) -> Mapping[str, str]:
        """By its kind."""
        return {"type": value.get("type", _OPAQUE)}

    @property
    def selectable(self) -> tuple[str, ...]:
        """By its kind."""
        return ("type",)


def _encode_text(value: Value) -> None:
    text = value.pop("stringData", None) or {}
    if text:
        value["data"] = {**(value.get("data") or {}), **{key: _encoded(each) for key, each in text.items()}}


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _decoded_size(text: str) -> int:
    try:
        return len(b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return len(text)


def _of_keys(entries: Value, name: str) -> Iterator[Cause]:
    for key in entries:
        if len(key) > 253:
            yield invalid(name, key, "must be no more than 253 bytes")
        elif not _KEY.fullmatch(key):
            yield invalid(at_key(name, key), key, _KEY_SAYS)


def _of_immutable(value: Value, old: Value | None, names: tuple[str, ...]) -> Iterator[Cause]:
    if old is None or not old.get("immutable"):
        return
    text = "field is immutable when `immutable` is set"
    if not value.get("immutable"):
        yield forbidden("immutable", text)
    for name in names:
        if (value.get(name) or {}) != (old.get(name) or {}):
            yield forbidden(name, text)
