"""A kind on a test's API server that nothing but a webhook cares for."""

from __future__ import annotations

import json
from typing import Any

from tests.support.apiserver import ApiServer
from tests.support.reviews import THERMOSTAT, Thermostat

from homeostat.api.kind import Resource, unstructured

__all__ = ["DEFINITION", "DEFINITIONS", "THERMOSTAT", "Thermostat", "body", "install"]

DEFINITIONS = unstructured(
    Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
)
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": THERMOSTAT.resource.qualified},
    "spec": {
        "group": THERMOSTAT.resource.group,
        "scope": "Namespaced",
        "names": {"kind": "Thermostat", "plural": "thermostats", "singular": "thermostat"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def install(server: ApiServer) -> None:
    """Define the kind and wait until it is served."""
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(DEFINITION))
    server.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{THERMOSTAT.resource.qualified}")


def body(name: str, namespace: str, target: int = 20, **metadata: Any) -> dict[str, Any]:
    """A thermostat to create."""
    return {"metadata": {"name": name, "namespace": namespace, **metadata}, "spec": {"target": target}}
