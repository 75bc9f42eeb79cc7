"""Objects of the cases, put where they belong on both servers, and taken away again."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote

from tests.contract.sim.both import Both

from homeostat.sim.apiserver.types.type import Type

MERGE = "application/merge-patch+json"


def end(both: Both, path: str) -> None:
    """Let an object go, whoever holds it."""
    both.ask("DELETE", path, query="gracePeriodSeconds=0&propagationPolicy=Background")
    both.ask("PATCH", path, {"metadata": {"finalizers": None}}, media=MERGE)
    if "/namespaces/" in path and path.count("/") == 4:
        body = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": path.rpartition("/")[2]}}
        both.ask("PUT", f"{path}/finalize", body)


def placed(both: Both, body: dict[str, Any], namespace: str) -> tuple[dict[str, Any], str, str]:
    """An object in a namespace, with the paths of its collection and of itself."""
    moved = named(body)
    type_ = type_of(both, moved)
    group = "/api/v1" if "/" not in moved["apiVersion"] else f"/apis/{moved['apiVersion']}"
    if type_.resource.namespaced:
        moved["metadata"]["namespace"] = namespace
        group += f"/namespaces/{namespace}"
    collection = f"{group}/{type_.resource.plural}"
    return moved, collection, f"{collection}/{quote(moved['metadata']['name'])}"


def named(body: dict[str, Any]) -> dict[str, Any]:
    """A copy of it, in no namespace yet."""
    made = copy.deepcopy(body)
    made["metadata"].pop("namespace", None)
    return made


def type_of(both: Both, body: dict[str, Any]) -> Type:
    """The type of an object."""
    group, _, version = body["apiVersion"].rpartition("/")
    found = (each for each in both.simulated.types if each.resource.kind == body["kind"])
    return next(each for each in found if (each.resource.group, each.resource.version) == (group, version))
