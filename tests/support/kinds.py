"""homeostat's kinds on a test's API server, and valid objects to bend."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

import yaml
from tests.support.apiserver import ApiServer
from tests.support.tree import ROOT

from homeostat.api.kind import Resource, unstructured
from homeostat.kube.client import Client

CRDS = ("clusters.cluster.homeostat.dev", "clusterpackageversions.cluster.homeostat.dev")

DEFINITIONS = unstructured(
    Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
)


def install(server: ApiServer) -> None:
    """Apply deploy/crds and the priority of masters, and wait until the kinds are served."""
    for each in ("deploy/crds", "deploy/operator/priority.yaml"):
        server.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / each))
    names = [f"crd/{name}" for name in CRDS]
    server.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)


async def define(client: Client) -> None:
    """Apply deploy/crds, where kubectl does not reach."""
    for path in sorted((ROOT / "deploy/crds").glob("cluster.*.yaml")):
        for content in contents(path):
            await client.apply(DEFINITIONS, content)


@functools.cache
def contents(path: Path) -> tuple[dict[str, Any], ...]:
    """The objects of a file of manifests, read once; nobody changes them."""
    return tuple(yaml.safe_load_all(path.read_text()))


def clear(server: ApiServer) -> None:
    """Let no Cluster be left that an operator of a later test would care for, or that a later list would show."""
    free = '{"metadata": {"finalizers": null}, "spec": {"deletionProtection": false}}'
    for each in json.loads(server.kubectl("get", "clusters", "--all-namespaces", "-o", "json"))["items"]:
        name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
        server.kubectl("patch", "cluster", name, "-n", namespace, "--type=merge", "-p", free)
        server.kubectl("delete", "cluster", name, "-n", namespace, "--ignore-not-found")


def example(path: str) -> dict[str, Any]:
    """An object of the examples."""
    return copy.deepcopy(contents(ROOT / "examples" / path)[0])


def cluster(name: str = "demo", namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """A valid Cluster, with other values for fields given as `network__podCIDR=...`."""
    content = example("cluster.yaml")
    content["metadata"] = {"name": name, "namespace": namespace}
    return bent(content, {f"spec.{path.replace('__', '.')}": value for path, value in spec.items()})


def bent(content: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with values put at paths such as `spec.components.0.name`; None removes."""
    result = copy.deepcopy(content)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place: Any = result
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
        key = int(last) if isinstance(place, list) else last
        if value is None:
            del place[key]
        else:
            place[key] = value
    return result
