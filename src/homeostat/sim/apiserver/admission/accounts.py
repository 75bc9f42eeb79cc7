"""Whose rights a new Pod has, and how its containers prove it: as the plugin ServiceAccount. Pure but for a name.

A Pod that names no account has that of its namespace. Unless the Pod, or else the account, says otherwise, every
container is given a token, with the certificates of the server and the name of the namespace beside it.
"""

from __future__ import annotations

from homeostat.kit.random import Random
from homeostat.sim.apiserver.types.metadata import generated_name
from homeostat.sim.apiserver.types.type import Value

ACCOUNTS = ("", "serviceaccounts")
_DEFAULT = "default"
_MIRROR = "kubernetes.io/config.mirror"
_VOLUME, _PLACE = "kube-api-access-", "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_S = 3607  # an hour, and by how much it can be told from one that somebody asked for
_SOURCES = (
    {"serviceAccountToken": {"path": "token", "expirationSeconds": _TOKEN_S}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {
        "downwardAPI": {
            "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
        }
    },
)


def wants_account(pod: Value) -> bool:
    """Whether it is one: what a kubelet shows of a Pod of its own has no rights."""
    return _MIRROR not in (pod["metadata"].get("annotations") or {})


def named_account(pod: Value) -> str:
    """The name of the account that it has, now also in itself."""
    spec = pod["spec"]
    spec["serviceAccountName"] = spec["serviceAccount"] = spec.get("serviceAccountName") or _DEFAULT
    return str(spec["serviceAccountName"])


def give_account(pod: Value, account: Value, random: Random) -> None:
    """What comes with the account."""
    spec = pod["spec"]
    if _is_mounted(spec, account):
        _mount(spec, random)
    secrets = account.get("imagePullSecrets") or ()
    if secrets and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [{"name": each["name"]} for each in secrets]


def _is_mounted(spec: Value, account: Value) -> bool:
    said = (part.get("automountServiceAccountToken") for part in (spec, account))
    return bool(next((each for each in said if each is not None), True))


def _mount(spec: Value, random: Random) -> None:
    volumes = spec.get("volumes") or []
    there = next((each["name"] for each in volumes if each["name"].startswith(_VOLUME)), "")
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    without = [each for each in containers if not _has_mount(each)]
    if not without:
        return
    name = there or generated_name(_VOLUME, random)
    for each in without:
        mount = {"name": name, "readOnly": True, "mountPath": _PLACE}
        each["volumeMounts"] = [*(each.get("volumeMounts") or ()), mount]
    if not there:
        projected = {"sources": [*_SOURCES], "defaultMode": 0o644}
        spec["volumes"] = [*volumes, {"name": name, "projected": projected}]


def _has_mount(container: Value) -> bool:
    return any(each.get("mountPath") == _PLACE for each in container.get("volumeMounts") or ())
