"""Manifests to objects of the cell: server-side apply in the order in which they need each other.

The cell is told what should be there; what a newer version no longer names is left alone, because nothing here knows
whether a person has taken it over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from homeostat.api.core import CUSTOM_RESOURCE_DEFINITION
from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.kube.client import Client
from homeostat.kube.discovery import Discovery
from homeostat.kube.errors import NotFound

FIELD_MANAGER = "homeostat-local"
# What others stand on goes first; kinds that are not named come last, in the order of the files.
_ORDER = (
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
)


def read(directory: Path) -> list[dict[str, Any]]:
    """All objects of the YAML files of a directory, in the order of their names."""
    objects: list[dict[str, Any]] = []
    for file in sorted(directory.glob("*.yaml")):
        objects += [document for document in yaml.safe_load_all(file.read_text()) if document]
    return objects


def in_order(objects: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The same objects, those that others stand on first."""
    rank = {kind: number for number, kind in enumerate(_ORDER)}
    return sorted(objects, key=lambda one: rank.get(str(one["kind"]), len(_ORDER)))


async def apply(client: Client, objects: Iterable[Mapping[str, Any]]) -> None:
    """Make the cell hold these objects with these fields."""
    discovery = Discovery(client)
    for one in in_order(objects):
        await client.apply(await _kind_of(discovery, one), one, force=True, field_manager=FIELD_MANAGER)


async def wait_until_served(client: Client, names: Iterable[str], timeout_s: float = 60.0) -> None:
    """Wait until the API server serves these CRDs. Raises TimeoutError."""
    wanted = set(names)
    async with client.clock.timeout(timeout_s):
        while wanted:
            for name in sorted(wanted):
                if await _is_served(client, name):
                    wanted.discard(name)
            if wanted:
                await client.clock.sleep(0.2)


async def _is_served(client: Client, name: str) -> bool:
    try:
        found = await client.get(CUSTOM_RESOURCE_DEFINITION, name)
    except NotFound:
        return False
    return found.is_established


async def _kind_of(discovery: Discovery, one: Mapping[str, Any]) -> Kind[dict[str, Any]]:
    group, _, version = str(one["apiVersion"]).rpartition("/")
    for fresh in (False, True):
        for served in await discovery.resources(fresh=fresh):
            resource: Resource = served.resource
            if (resource.group, resource.version, resource.kind) == (group, version, one["kind"]):
                return unstructured(resource)
    raise LookupError(f"{one['kind']} {one['apiVersion']}: the cell's API does not serve this kind")
