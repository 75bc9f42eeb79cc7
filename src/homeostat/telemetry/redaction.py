"""Keeps secrets out of logs: by the name of the field, and by the look of the value.

It errs on the side of hiding. It is the last line of defence; code must not log secrets in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

HIDDEN = "[hidden]"
_NAMES = re.compile(
    r"(?i)(token|password|passwd|secret|authorization|credential|cookie|"
    r"private[-_ ]?key|api[-_ ]?key|(key|keyfile)[-_]data)"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_ASSIGNED = re.compile(r"""(?i)("?(?:token|password|passwd|private[-_]?key)"?\s*[:=]\s*)("[^"]*"|[^\s,;}]+)""")
_DEEPEST = 6


def redact_text(text: str) -> str:
    """The text without PEM blocks, bearer tokens, JWTs and `password=...`."""
    if "-----BEGIN" in text:
        text = _PEM.sub(HIDDEN, text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _JWT.sub(HIDDEN, text)
    return _ASSIGNED.sub(rf"\1{HIDDEN}", text)


def redact(value: Any, depth: int = 0) -> Any:
    """A value without its secrets; containers are copied, never changed."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, bool | int | float) or value is None:
        return value
    if depth >= _DEEPEST:
        return redact_text(repr(value))
    if isinstance(value, Mapping):
        return {key: _field(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for item in value]
    return redact_text(str(value) if isinstance(value, BaseException) else repr(value))


def _field(name: str, value: Any, depth: int) -> Any:
    return HIDDEN if value and _NAMES.search(name) else redact(value, depth)


def redact_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ARG001
    """The structlog processor; exc_info is left for the formatter, whose text `redact_rendered` cleans."""
    for key, value in event.items():
        if key != "exc_info":
            event[key] = _field(key, value, 0)
    return event
