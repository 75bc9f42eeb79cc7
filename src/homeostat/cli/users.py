"""Which Clusters use which package version, as a column that kubectl cannot have: it takes a look at other objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import CLUSTER, CLUSTER_PACKAGE_VERSION
from homeostat.api.kind import Resource
from homeostat.cli.session import Session
from homeostat.cli.table import ColumnDefinition, Row, Table
from homeostat.kube.errors import Forbidden
from homeostat.operators.cluster.admission import by_package

_NAMED = 3
_COLUMN = ColumnDefinition("Used By")
_UNKNOWN = "<may not list clusters>"


async def with_users(session: Session, resource: Resource, tables: Sequence[Table]) -> Sequence[Table]:
    """The tables with a column more, if they are of package versions."""
    if resource != CLUSTER_PACKAGE_VERSION.resource:
        return tables
    try:
        clusters = (await session.client.list(CLUSTER)).items
    except Forbidden:
        return [_with(table, None) for table in tables]
    users: dict[str, list[str]] = defaultdict(list)
    for cluster in clusters:
        for package in by_package(cluster):
            users[package].append(cluster.metadata.key)
    return [_with(table, users) for table in tables]


def _with(table: Table, users: dict[str, list[str]] | None) -> Table:
    rows = tuple(_row(row, users) for row in table.rows or ())
    return replace(table, column_definitions=(*table.column_definitions, _COLUMN), rows=rows)


def _row(row: Row, users: dict[str, list[str]] | None) -> Row:
    told = _UNKNOWN if users is None else shown(users.get(row.object.metadata.name, ()))
    return replace(row, cells=(*row.cells, told))


def shown(keys: Sequence[str]) -> str:
    """Some of the names, and how many more there are."""
    rest = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(sorted(keys)[:_NAMED]) + rest or "<none>"
