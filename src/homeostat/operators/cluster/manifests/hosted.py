"""Hosted operators: Deployments of any image, which finds the business cluster by `KUBECONFIG`.

They have nothing of the cell's: no token for its API, no volume but their Secret and an empty `/tmp`.
"""

from __future__ import annotations

from typing import Any

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.hosted import HostedHealth
from homeostat.api.core import DEPLOYMENT
from homeostat.operators.cluster.manifests.causes import cause
from homeostat.operators.cluster.manifests.shape import (
    SECRETS,
    Desired,
    Inputs,
    arguments,
    derived,
    http_probe,
    pod_template,
    stateless,
    variables,
)
from homeostat.operators.cluster.names import KUBECONFIG_KEY


def deployment(inputs: Inputs, component: PackageComponent) -> Desired:
    """An operator beside the masters. One that elects no leader ends its old Pod before the new one starts."""
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
        content["spec"]["strategy"] = {"type": "Recreate"}
    return derived(DEPLOYMENT, inputs, name, component.name, content, cause(inputs, component, name))


def _health(health: HostedHealth) -> dict[str, Any]:
    port, scheme = health.port, health.scheme
    return {
        "ports": [{"name": scheme.lower(), "containerPort": port, "protocol": "TCP"}],
        "startupProbe": http_probe(health.live_path, port, period_s=1, failures=120, scheme=scheme),
        "readinessProbe": http_probe(health.ready_path, port, period_s=5, failures=3, scheme=scheme),
        "livenessProbe": http_probe(health.live_path, port, period_s=10, failures=8, scheme=scheme),
    }
