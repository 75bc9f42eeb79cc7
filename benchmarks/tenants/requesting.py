"""What single requests cost, through the whole client and the server together, in one process.

The objects are small ones, ConfigMaps with two labels, and large ones, Pods as a busy cluster has them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.tenants.filling import NAMESPACE, POD, SINCE, Whole, name_of, pod, status, team_of
from benchmarks.tenants.metering import Rows, cpu_s
from homeostat.api.kind import Resource, unstructured
from homeostat.kube.client import Client

CONFIG_MAP = unstructured(Resource("", "v1", "ConfigMap", "configmaps"))
_WHERE = "default"
Ask = Callable[[int], Awaitable[Any]]


async def costs_of_requests(client: Client, count: int) -> Rows:
    """Each request, so many times on other objects, in the order in which they need each other."""
    for team in sorted({team_of(number) for number in range(count)}):
        await client.create(NAMESPACE, {"metadata": {"name": team}})
    rows: Rows = {}
    for what, ask in {**_of_small_ones(client), **_of_large_ones(client)}.items():
        begun = cpu_s()
        for number in range(count):
            await ask(number)
        spent = cpu_s() - begun
        rows[what] = {"us": spent * 1e6 / count, "a_second": count / spent}
    return rows


def _of_small_ones(client: Client) -> dict[str, Ask]:
    def named(number: int) -> str:
        return f"map-{number:06}"

    def whole(number: int, text: str) -> Whole:
        labels = {"app": f"app-{number % 50}", "tier": "backend"}
        return {"metadata": {"name": named(number), "namespace": _WHERE, "labels": labels}, "data": {"text": text}}

    return {
        "create a ConfigMap": lambda number: client.create(CONFIG_MAP, whole(number, "first")),
        "get it": lambda number: client.get(CONFIG_MAP, named(number), _WHERE),
        "find it by its name in a list": lambda number: client.list(
            CONFIG_MAP, _WHERE, fields=f"metadata.name={named(number)}"
        ),
        "merge a patch into it": lambda number: client.merge_patch(
            CONFIG_MAP, named(number), {"data": {"text": "second"}}, _WHERE
        ),
        "apply it": lambda number: client.apply(
            CONFIG_MAP, whole(number, "third"), force=True, field_manager="applier"
        ),
        "apply it again, unchanged": lambda number: client.apply(
            CONFIG_MAP, whole(number, "third"), force=True, field_manager="applier"
        ),
        "delete it": lambda number: client.delete(CONFIG_MAP, named(number), _WHERE),
    }


def _of_large_ones(client: Client) -> dict[str, Ask]:
    return {
        "create a Pod": lambda number: client.create(POD, pod(number, 1_000)),
        "tell its status": lambda number: client.merge_patch(
            POD, name_of(number), {"status": status(number, SINCE)}, team_of(number), subresource="status"
        ),
        "get the Pod": lambda number: client.get(POD, name_of(number), team_of(number)),
    }
