"""Hosted operators: Deployments of any image, which finds the business cluster by `KUBECONFIG`.

They have nothing of the cell's: no token for its API, no volume but their Secret and an empty `/tmp`.
"""

from __future__ import annotations

from typing import Any

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.hosted import HostedHealth
from homeostat.api.core import DEPLOYMENT
from homeostat.operators.cluster.manifests.shape import (
    SECRETS,
    Desired,
    Inputs,
    arguments,
    derived,
    pod_template,
    stateless,
    variables,
)
from homeostat.operators.cluster.names import KUBECONFIG_KEY
from homeostat.operators.cluster.topology import Topology


def replicas_of(component: PackageComponent, topology: Topology) -> int:
    """How many of a component there are to be."""
    is_single = component.hosted is not None and component.hosted.single
    return 1 if is_single else topology.replicas(component.name)


def deployment(inputs: Inputs, component: PackageComponent) -> Desired:
    """An operator beside the masters; one that elects no leader is never there twice."""
    hosted, name = component.hosted, inputs.names.hosted(component.name)
    assert hosted is not None  # noqa: S101  (the caller looked)
    container: dict[str, Any] = {
        "args": arguments(component, {}),
        "env": [*variables(component), {"name": "KUBECONFIG", "value": f"{SECRETS}/{KUBECONFIG_KEY}"}],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  (of the container)
    }
    if hosted.command:
        container["command"] = list(hosted.command)
    if hosted.health is not None:
        container |= _health(hosted.health)
    template = pod_template(inputs, component, name, container, {"terminationGracePeriodSeconds": 30})
    template["spec"]["volumes"].append({"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}})
    content = stateless(inputs, component, template)
    if hosted.single:
        content["spec"] |= {"replicas": 1, "strategy": {"type": "Recreate"}}
    return derived(DEPLOYMENT, inputs, name, component.name, content)


def _health(health: HostedHealth) -> dict[str, Any]:
    port = "http" if health.scheme == "HTTP" else "https"

    def probe(path: str, period_s: int, failures: int) -> dict[str, Any]:
        get = {"path": path, "port": health.port, "scheme": health.scheme}
        return {"httpGet": get, "periodSeconds": period_s, "timeoutSeconds": 5, "failureThreshold": failures}

    return {
        "ports": [{"name": port, "containerPort": health.port, "protocol": "TCP"}],
        "startupProbe": probe(health.live_path, 1, 120),
        "readinessProbe": probe(health.ready_path, 5, 3),
        "livenessProbe": probe(health.live_path, 10, 8),
    }
