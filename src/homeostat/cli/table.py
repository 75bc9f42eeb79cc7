"""Tables as the API server renders them, so that columns are those of kubectl."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from homeostat.api.kind import Resource
from homeostat.api.meta import ObjectMeta
from homeostat.cli.ages import age
from homeostat.kube.client import Client

_ACCEPT = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


class ColumnDefinition(Struct, frozen=True):
    """A column; priority above 0 is for -o wide only."""

    name: str
    type: str = "string"
    priority: int = 0


class PartialObject(Struct, frozen=True):
    """The metadata that come with each row."""

    metadata: ObjectMeta


class Row(Struct, frozen=True):
    """One object's cells."""

    cells: tuple[Any, ...]
    object: PartialObject


class ListMeta(Struct, frozen=True, rename={"token": "continue", "resource_version": "resourceVersion"}):
    """Where a list stands in time, and how it goes on."""

    resource_version: str = ""
    token: str = ""


class Table(Struct, frozen=True, rename="camel"):
    """meta.k8s.io/v1 Table."""

    column_definitions: tuple[ColumnDefinition, ...] = ()
    rows: tuple[Row, ...] | None = None
    metadata: ListMeta = ListMeta()


async def fetch(client: Client, resource: Resource, *, namespace: str = "", name: str = "", labels: str = "") -> Table:
    """The table of a collection (all pages), or of one object. Raises NotFound for a name that is not there."""
    query = [("labelSelector", labels)] if labels else []
    if not name:
        query.append(("limit", "500"))
    rows: list[Row] = []
    token = ""
    while True:
        page = [*query, ("continue", token)] if token else query
        path = resource.path(name, namespace)
        body = await client.request("GET", path, query=page, headers=_ACCEPT)
        table = msgspec.json.decode(body, type=Table)
        rows += table.rows or ()
        token = table.metadata.token
        if not token:
            return msgspec.structs.replace(table, rows=tuple(rows))


def shown_columns(table: Table, *, wide: bool) -> list[int]:
    """Which columns to show."""
    return [index for index, column in enumerate(table.column_definitions) if wide or column.priority == 0]


def header(table: Table, *, wide: bool, namespaces: bool) -> list[str]:
    """The titles."""
    titles = [table.column_definitions[index].name.upper() for index in shown_columns(table, wide=wide)]
    return ["NAMESPACE", *titles] if namespaces else titles


def cells(table: Table, row: Row, *, wide: bool, namespaces: bool, now: datetime, prefix: str = "") -> list[str]:
    """The texts of a row; `prefix` goes before the name where several kinds are shown."""
    texts = []
    for index in shown_columns(table, wide=wide):
        column, value = table.column_definitions[index], row.cells[index]
        text = _text(value, column, now)
        texts.append(prefix + text if index == 0 else text)
    return [row.object.metadata.namespace, *texts] if namespaces else texts


def _text(value: Any, column: ColumnDefinition, now: datetime) -> str:
    if value is None:
        return ""
    if column.type == "date":
        # The server renders ages itself for some kinds, and sends a time for others.
        try:
            return age(now - datetime.fromisoformat(str(value)))
        except ValueError:
            return str(value)
    return str(value).lower() if isinstance(value, bool) else str(value).split("\n", maxsplit=1)[0]


def aligned(lines: Iterable[Sequence[str]], widths: list[int] | None = None) -> list[str]:
    """Cells in columns, three blanks apart as kubectl's; `widths`, if given, is kept and grown between calls."""
    lines = list(lines)
    widths = [] if widths is None else widths
    for line in lines:
        widths += [0] * (len(line) - len(widths))
        for index, cell in enumerate(line):
            widths[index] = max(widths[index], len(cell))
    return ["   ".join(cell.ljust(widths[i]) for i, cell in enumerate(line)).rstrip() for line in lines]
