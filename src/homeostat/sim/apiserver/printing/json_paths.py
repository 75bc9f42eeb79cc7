"""Where a printer column finds its value: the JSONPath of kubectl, as far as definitions may use it.

A path is fields (`.spec.size`, `['a.b']`, `.a\\.b`), places of lists (`[0]`, `[-1]`, `[*]`), and filters
(`[?(@.type=="Ready")]`). Anything else has no values.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

Step = Callable[[Any], Iterator[Any]]
_STEP = re.compile(
    r"""\.?\[\s*(?:'(?P<quoted>(?:\\.|[^'])*)'|"(?P<double>(?:\\.|[^"])*)"|(?P<index>-?\d+)|(?P<all>\*)"""
    r"""|\?\(\s*@(?P<left>[^=!<>]*?)\s*(?:(?P<operator>==|!=)\s*(?P<right>.+?))?\s*\))\s*\]"""
    r"""|\.(?P<name>(?:\\.|[^.\[\\])+)"""
)
_LITERALS = {"true": True, "false": False}


def found(path: str, value: Any) -> list[Any]:
    """All values at a path, in order."""
    values = [value]
    for step in _steps(path.strip()):
        values = [part for each in values for part in step(each)]
    return values


@functools.lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[Step, ...]:
    path = path.removeprefix("$")
    if path and path[0] not in ".[":
        path = f".{path}"
    steps, at = [], 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return (_nothing,)
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    parts = match.groupdict()
    if parts["index"] is not None:
        return functools.partial(_at, int(parts["index"]))
    if parts["all"] is not None:
        return _all
    if parts["left"] is not None:
        return functools.partial(_chosen, parts["left"].strip(), parts["operator"], parts["right"])
    name = next(each for each in (parts["quoted"], parts["double"], parts["name"]) if each is not None)
    return functools.partial(_field, re.sub(r"\\(.)", r"\1", name)) if name != "*" else _all


def _field(name: str, value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and name in value:
        yield value[name]


def _at(index: int, value: Any) -> Iterator[Any]:
    if isinstance(value, list) and -len(value) <= index < len(value):
        yield value[index]


def _all(value: Any) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _chosen(left: str, operator: str | None, right: str | None, value: Any) -> Iterator[Any]:
    for each in value if isinstance(value, list) else ():
        is_there = found(left, each)
        if operator is None or right is None:
            if is_there:
                yield each
        elif is_there and (is_there[0] == _literal(right)) == (operator == "=="):
            yield each


def _literal(text: str) -> Any:
    if text[:1] in "'\"":
        return text[1:-1]
    if text in _LITERALS:
        return _LITERALS[text]
    try:
        return float(text)
    except ValueError:
        return text


def _nothing(value: Any) -> Iterator[Any]:  # noqa: ARG001
    return iter(())
