"""Controller manager and scheduler: Deployments that elect a leader, made once the API answers.

Both end when the API does not answer at their start, and then wait longer each time; made a moment later, they start
once.
"""

from __future__ import annotations

from homeostat.api.cluster.masters import CONTROLLER_MANAGER, SCHEDULER
from homeostat.api.core import DEPLOYMENT
from homeostat.operators.cluster.manifests.causes import cause
from homeostat.operators.cluster.manifests.shape import (
    SECRETS,
    Desired,
    Inputs,
    arguments,
    derived,
    emulation,
    http_probe,
    pod_template,
    stateless,
)
from homeostat.operators.cluster.names import KUBECONFIG_KEY

_PORTS = {CONTROLLER_MANAGER: 10257, SCHEDULER: 10259}
_KUBECONFIG = f"{SECRETS}/{KUBECONFIG_KEY}"


def controller_manager(inputs: Inputs) -> Desired:
    """All controllers of Kubernetes; signs certificates of kubelets, so it holds the cluster's authority."""
    network = inputs.cluster.spec.network
    flags = {
        "cluster-name": inputs.cluster.metadata.name,
        "allocate-node-cidrs": "true",
        "cluster-cidr": network.pod_cidr,
        "service-cluster-ip-range": network.service_cidr,
        "client-ca-file": f"{SECRETS}/ca.crt",
        "root-ca-file": f"{SECRETS}/ca.crt",
        "cluster-signing-cert-file": f"{SECRETS}/ca-signer.crt",
        "cluster-signing-key-file": f"{SECRETS}/ca.key",
        "requestheader-client-ca-file": f"{SECRETS}/front-proxy-ca.crt",
        "service-account-private-key-file": f"{SECRETS}/sa.key",
        "use-service-account-credentials": "true",
        "controllers": "*,bootstrapsigner,tokencleaner",
    }
    return _deployment(inputs, CONTROLLER_MANAGER, inputs.names.controllers, flags)


def scheduler(inputs: Inputs) -> Desired:
    """The default scheduler."""
    return _deployment(inputs, SCHEDULER, inputs.names.scheduler, {})


def _deployment(inputs: Inputs, component_name: str, name: str, flags: dict[str, str]) -> Desired:
    component = inputs.component(component_name)
    port = _PORTS[component_name]
    # Writes what must be written into memory: the root file system is read-only.
    common = {
        "kubeconfig": _KUBECONFIG,
        "authentication-kubeconfig": _KUBECONFIG,
        "authorization-kubeconfig": _KUBECONFIG,
        "bind-address": "0.0.0.0",  # noqa: S104  (kubelets probe it from outside the Pod)
        "leader-elect": "true",
    }
    container = {
        "command": [component_name, *arguments(component, {**common, **flags, **emulation(inputs, component)})],
        "ports": [{"name": "https", "containerPort": port, "protocol": "TCP"}],
        "startupProbe": http_probe("/healthz", port, period_s=1, failures=120),
        "readinessProbe": http_probe("/healthz", port, period_s=5, failures=3),
        "livenessProbe": http_probe("/healthz", port, period_s=10, failures=8),
    }
    template = pod_template(inputs, component, name, container, {"terminationGracePeriodSeconds": 15})
    content = stateless(inputs, component, template)
    return derived(DEPLOYMENT, inputs, name, component_name, content, cause(inputs, component, name))
