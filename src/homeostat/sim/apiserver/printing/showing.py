"""What was answered, in the form that a client wants: whole, as a Table with a row for each object, or its metadata."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from homeostat.kit.clock import Clock
from homeostat.sim.apiserver.answer import Answer, told
from homeostat.sim.apiserver.printing import columns as heads
from homeostat.sim.apiserver.printing import custom
from homeostat.sim.apiserver.printing.cells import pods, workloads
from homeostat.sim.apiserver.printing.cells.kinds import CELLS, dated
from homeostat.sim.apiserver.printing.cells.parts import Cells
from homeostat.sim.apiserver.refusing import bad_request
from homeostat.sim.apiserver.types.forms import Form, not_acceptable
from homeostat.sim.apiserver.types.routing import Asked
from homeostat.sim.apiserver.types.type import Value

_INCLUDED = ("", "Metadata", "None", "Object")
_LIST_WORDS = ("resourceVersion", "continue", "remainingItemCount")
Shown = Callable[[Value], Value]


def shown(answer: Answer, asked: Asked, form: Form, clock: Clock) -> Answer:
    """An answer about objects, in a form. Raises Refused."""
    if not form.kind:
        return answer
    if form.kind == "Table" and asked.query.get("includeObject", "") not in _INCLUDED:
        raise bad_request(f'unrecognized includeObject value: "{asked.query["includeObject"]}"')
    if answer.stream is not None:
        return replace(answer, stream=_events(answer.stream, asked, form, clock))
    value = msgspec.json.decode(answer.body)
    if value.get("kind") == "Status":
        return answer
    return told(_in_form(value, asked, form, clock.now(), has_heads=True), answer.code)


async def _events(stream: AsyncIterator[bytes], asked: Asked, form: Form, clock: Clock) -> AsyncGenerator[bytes]:
    has_heads = True
    async with aclosing(cast("AsyncGenerator[bytes]", stream)) as pieces:
        async for piece in pieces:
            lines = []
            for line in piece.splitlines():
                event = msgspec.json.decode(line)
                if event["type"] != "ERROR":
                    event["object"] = _in_form(event["object"], asked, form, clock.now(), has_heads=has_heads)
                    has_heads = False
                lines.append(msgspec.json.encode(event) + b"\n")
            yield b"".join(lines)


def _in_form(value: Value, asked: Asked, form: Form, now: datetime, *, has_heads: bool) -> Value:
    if form.kind == "Table":
        return _table(value, asked, form, now, has_heads=has_heads)
    is_list = "items" in value and "metadata" in value and value["kind"].endswith("List")
    if is_list != (form.kind == "PartialObjectMetadataList"):
        is_not = "" if is_list else "not "
        raise not_acceptable(f"you requested {form.kind}, but the requested object is {is_not}a list")
    if not is_list:
        return _partial(value, form)
    head = {"kind": form.kind, "apiVersion": form.api_version, "metadata": value["metadata"]}
    return {**head, "items": [_partial(each, form) for each in value["items"]]}


def _partial(value: Value, form: Form) -> Value:
    return {"kind": "PartialObjectMetadata", "apiVersion": form.api_version, "metadata": value["metadata"]}


def _table(value: Value, asked: Asked, form: Form, now: datetime, *, has_heads: bool) -> Value:
    heading, cells = _columns(asked)
    is_list = isinstance(value.get("items"), list) and asked.verb in ("list", "deletecollection")
    metadata = value["metadata"]
    return {
        "kind": "Table",
        "apiVersion": form.api_version,
        "metadata": {name: metadata[name] for name in _LIST_WORDS if name in metadata},
        "columnDefinitions": [each.shown() for each in heading] if has_heads else None,
        "rows": [_row(each, asked, form, now, cells) for each in (value["items"] if is_list else [value])],
    }


def _columns(asked: Asked) -> tuple[tuple[heads.Column, ...], Callable[[Value, datetime], Cells]]:
    if asked.subresource == "scale":
        return heads.of_scales(), workloads.scale
    if not asked.type.is_custom:
        return heads.built_in(asked.type.collection), CELLS.get(asked.type.collection, dated)
    heading = asked.type.columns
    return heading, lambda value, now: custom.cells(value, heading, now)


def _row(value: Value, asked: Asked, form: Form, now: datetime, cells: Callable[[Value, datetime], Cells]) -> Value:
    resource = asked.type.resource
    whole: dict[str, Any] = {"kind": resource.kind, "apiVersion": resource.api_version, **value}
    row: Value = {"cells": cells(value if asked.type.is_custom else {"spec": {}, **value}, now)}
    if asked.type.collection == ("", "pods") and (conditions := pods.conditions(value)):
        row["conditions"] = conditions
    match asked.query.get("includeObject", ""):
        case "None":
            row["object"] = None
        case "Object":
            row["object"] = whole
        case _:
            row["object"] = _partial(value, form)
    return row
