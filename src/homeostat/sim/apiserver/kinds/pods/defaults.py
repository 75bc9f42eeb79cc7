"""What is filled in where a Pod, or the template of one, leaves something out.

Follows `SetDefaults_*` of `pkg/apis/core/v1/defaults.go`, for all that homeostat and its tests write. Sources of
volumes that no cluster of ours has (iSCSI, RBD, Azure, ScaleIO) get no defaults here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeostat.sim.apiserver.types.type import Value

_MODE = 0o644  # of files, where nobody says another
_TOKEN_S = 3600
_FILES = ("secret", "configMap", "downwardAPI", "projected")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def default_template(template: Value) -> None:
    """Of a workload."""
    default_spec(template.setdefault("spec", {}))


def default_pod(spec: Value) -> None:
    """Of a Pod itself, which has some more."""
    spec.setdefault("enableServiceLinks", True)
    for container in (*_listed(spec, "initContainers"), *_listed(spec, "containers")):
        resources = container.get("resources") or {}
        for name, limit in (resources.get("limits") or {}).items():
            resources.setdefault("requests", {}).setdefault(name, limit)
    default_spec(spec)


def default_spec(spec: Value) -> None:
    """Of both."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        # The second name is the first one's old one; both are written.
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for volume in _listed(spec, "volumes"):
        _default_volume(volume)
    for part in CONTAINERS:
        for container in _listed(spec, part):
            _default_container(container, on_host=bool(spec.get("hostNetwork")))


def _default_container(container: Value, *, on_host: bool) -> None:
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(str(container.get("image", ""))))
    for port in _listed(container, "ports"):
        port.setdefault("protocol", "TCP")
        if on_host and "containerPort" in port:
            port.setdefault("hostPort", port["containerPort"])
    for variable in _listed(container, "env"):
        default_source(variable.get("valueFrom") or {})
    for name in _PROBES:
        if container.get(name) is not None:
            _default_probe(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        _default_request((hook or {}).get("httpGet"))


def _default_probe(probe: Value) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    _default_request(probe.get("httpGet"))
    if probe.get("grpc") is not None:
        probe["grpc"].setdefault("service", "")


def _default_request(get: Value | None) -> None:
    if get is not None:
        get.setdefault("path", "/")
        get.setdefault("scheme", "HTTP")


def _default_volume(volume: Value) -> None:
    if not volume.keys() - {"name"}:
        volume["emptyDir"] = {}
    for name in _FILES:
        if volume.get(name) is not None:
            volume[name].setdefault("defaultMode", _MODE)
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")
    for item in _listed(volume.get("downwardAPI") or {}, "items"):
        default_source(item)
    for source in _listed(volume.get("projected") or {}, "sources"):
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", _TOKEN_S)
        for item in _listed(source.get("downwardAPI") or {}, "items"):
            default_source(item)
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if template is not None:
        template.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def default_source(source: Value) -> None:
    """Where a value comes from."""
    if source.get("fieldRef") is not None:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if source.get("resourceFieldRef") is not None:
        source["resourceFieldRef"].setdefault("divisor", "0")


def _pull_policy(image: str) -> str:
    _, _, digest = image.partition("@")
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return "IfNotPresent" if digest or (colon and tag != "latest") else "Always"


def _listed(value: Value, name: str) -> Iterable[dict[str, Any]]:
    return value.get(name) or ()
