"""The API server: a Deployment, and the Service of type LoadBalancer that is the cluster's endpoint.

Before the Deployment moves, one API server of its next template is tried in a Deployment of its own (rollout/trial.py).
"""

from __future__ import annotations

from typing import Any

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.core import DEPLOYMENT, SERVICE
from homeostat.operators.cluster.manifests import audit
from homeostat.operators.cluster.manifests.causes import cause
from homeostat.operators.cluster.manifests.shape import (
    SECRETS,
    Desired,
    Inputs,
    arguments,
    away_from,
    derived,
    disruption_budget,
    emulation,
    http_probe,
    moving,
    pod_template,
    selector,
    stateless,
)
from homeostat.operators.cluster.names import (
    API_PORT,
    ENDPOINT_LABEL,
    ETCD_CLIENT_PORT,
    IN_ENDPOINT,
    TRIAL,
    is_address,
    labels,
)

HEALTH_ANNOTATION = "balancer.homeostat.dev/health-path"
_TRIAL_GRACE_S = 5  # it serves nobody


def service(inputs: Inputs) -> Desired:
    """The endpoint; whoever balances it may ask `/readyz` over TLS whom to send clients to."""
    spec: dict[str, Any] = {
        "type": "LoadBalancer",
        "selector": {**selector(inputs, API_SERVER), ENDPOINT_LABEL: IN_ENDPOINT},
        "ports": [{"name": "https", "port": API_PORT, "targetPort": API_PORT, "protocol": "TCP"}],
    }
    if not inputs.node_ports:
        spec["allocateLoadBalancerNodePorts"] = False
    wanted = inputs.cluster.spec.endpoint.address or _given(inputs)
    if wanted:
        spec["loadBalancerIP"] = wanted
    content = {"annotations": {HEALTH_ANNOTATION: "/readyz"}, "spec": spec}
    return derived(SERVICE, inputs, inputs.names.apiserver, API_SERVER, content)


def _given(inputs: Inputs) -> str:
    """The address that was given once: a Service that is made again must have it again, for clients know it."""
    host = inputs.endpoint.host if inputs.endpoint else ""
    return host if is_address(host) else ""


def deployment(inputs: Inputs) -> Desired:
    """A new replica is ready before an old one goes."""
    component, name = inputs.component(API_SERVER), inputs.names.apiserver
    template = _template(inputs, component, _flags(inputs))
    # Healing changes this label on a Pod. The Deployment's selector does not ask for it, so the Pod stays its own.
    template["metadata"]["labels"][ENDPOINT_LABEL] = IN_ENDPOINT
    content = stateless(inputs, component, template)
    return derived(DEPLOYMENT, inputs, name, API_SERVER, content, cause(inputs, component, name))


def trial(inputs: Inputs) -> Desired:
    """One that no client finds: not behind the endpoint, and not in the business cluster's own Service of API servers.

    Its labels are not those of an API server, so no Service, budget or spread of theirs counts it.
    """
    component = inputs.component(API_SERVER)
    template = _template(inputs, component, {**_flags(inputs), "endpoint-reconciler-type": "none"})
    marks = labels(inputs.cluster, TRIAL)
    template["metadata"]["labels"] = marks
    template["spec"] |= {
        "terminationGracePeriodSeconds": _TRIAL_GRACE_S,
        "tolerations": moving(),
        **away_from(inputs, API_SERVER),
    }
    spec = {
        "replicas": 1,
        "revisionHistoryLimit": 0,
        "selector": {"matchLabels": selector(inputs, TRIAL)},
        "strategy": {"type": "Recreate"},
        "template": template,
    }
    return derived(DEPLOYMENT, inputs, inputs.names.trial, TRIAL, {"spec": spec})


def _template(inputs: Inputs, component: PackageComponent, flags: dict[str, str]) -> dict[str, Any]:
    container = {
        "command": [API_SERVER, *arguments(component, {**flags, **emulation(inputs, component)})],
        "ports": [{"name": "https", "containerPort": API_PORT, "protocol": "TCP"}],
        "startupProbe": http_probe("/livez", API_PORT, period_s=1, failures=180),
        "readinessProbe": http_probe("/readyz", API_PORT, period_s=1, failures=3),
        "livenessProbe": http_probe("/livez", API_PORT, period_s=10, failures=8),
        "volumeMounts": audit.mounts(inputs),
    }
    template = pod_template(inputs, component, inputs.names.apiserver, container, {"terminationGracePeriodSeconds": 45})
    template["spec"]["volumes"] += audit.volumes(inputs)
    return template


def budget(inputs: Inputs) -> Desired:
    """One replica may be away at a time."""
    return disruption_budget(inputs, inputs.names.apiserver, API_SERVER)


def _flags(inputs: Inputs) -> dict[str, str]:
    if inputs.endpoint is None:
        raise LookupError("the API server needs the endpoint's address")
    network, names = inputs.cluster.spec.network, inputs.names
    host = inputs.endpoint.host
    # A balancer may give a name; the API server takes no names, and advertises its Pod instead.
    advertised = {"advertise-address": host} if is_address(host) else {}
    return {
        **advertised,
        **audit.flags(inputs.cluster),
        "secure-port": str(API_PORT),
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "enable-bootstrap-token-auth": "true",
        "service-cluster-ip-range": network.service_cidr,
        "etcd-servers": f"https://{names.etcd_service}:{ETCD_CLIENT_PORT}",
        "etcd-cafile": f"{SECRETS}/etcd-ca.crt",
        "etcd-certfile": f"{SECRETS}/etcd-client.crt",
        "etcd-keyfile": f"{SECRETS}/etcd-client.key",
        "client-ca-file": f"{SECRETS}/ca.crt",
        "tls-cert-file": f"{SECRETS}/serving.crt",
        "tls-private-key-file": f"{SECRETS}/serving.key",
        "kubelet-client-certificate": f"{SECRETS}/kubelet-client.crt",
        "kubelet-client-key": f"{SECRETS}/kubelet-client.key",
        "kubelet-preferred-address-types": "InternalIP,Hostname",
        "requestheader-client-ca-file": f"{SECRETS}/front-proxy-ca.crt",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": f"{SECRETS}/front-proxy-client.crt",
        "proxy-client-key-file": f"{SECRETS}/front-proxy-client.key",
        "encryption-provider-config": f"{SECRETS}/encryption.yaml",
        "service-account-issuer": f"https://kubernetes.default.svc.{network.dns_domain}",
        "service-account-key-file": f"{SECRETS}/sa.pub",
        "service-account-signing-key-file": f"{SECRETS}/sa.key",
    }
