"""What is there though nobody said it is what the real API server writes of the same object."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.sim.asking import ask, verdict
from tests.support.apiserver import ApiServer

from homeostat.sim.apiserver.schemas import builtin
from homeostat.sim.apiserver.schemas.decoding import decode
from homeostat.sim.apiserver.schemas.zeros import set_zeros

pytestmark = pytest.mark.real

_CONTAINER = {
    "name": "a",
    "image": "b",
    "ports": [{"containerPort": 80}],
    "env": [{"name": "x"}],
    "livenessProbe": {"httpGet": {"port": 80}},
}
_POD: dict[str, Any] = {
    "containers": [_CONTAINER],
    "volumes": [{"name": "v", "configMap": {"name": "c"}}, {"name": "e", "emptyDir": {}}],
    "tolerations": [{"operator": "Exists"}],
}
_CHOSEN = {"matchLabels": {"a": "b"}}
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": _POD}
_JOB = {"template": {"spec": _POD | {"restartPolicy": "Never"}}}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_CLAIMS = [{"metadata": {"name": "d"}, "spec": _CLAIM}]

OBJECTS: dict[str, dict[str, Any]] = {
    "ConfigMap": {},
    "CronJob": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": _JOB}}},
    "DaemonSet": {"spec": {"selector": _CHOSEN, "template": _TEMPLATE}},
    "Deployment": {"spec": {"selector": _CHOSEN, "template": _TEMPLATE}},
    "EndpointSlice": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 80}]},
    "Ingress": {"spec": {"rules": [{"host": "a.b"}]}},
    "Job": {"spec": _JOB},
    "Lease": {},
    "LimitRange": {"spec": {"limits": [{"type": "Pod"}]}},
    "NetworkPolicy": {"spec": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}},
    "PersistentVolumeClaim": {"spec": _CLAIM},
    "Pod": {"spec": _POD},
    "PodDisruptionBudget": {"spec": {"selector": _CHOSEN, "maxUnavailable": 1}},
    "ResourceQuota": {"spec": {"hard": {"pods": 1}}},
    "Role": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "RoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"},
        "subjects": [{"kind": "User", "name": "u"}],
    },
    "Secret": {},
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "ServiceAccount": {},
    "StatefulSet": {
        "spec": {"serviceName": "x", "selector": _CHOSEN, "template": _TEMPLATE, "volumeClaimTemplates": _CLAIMS}
    },
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_what_is_set_is_what_the_api_server_writes(kind: str, api_server: ApiServer) -> None:
    resource = next(one for one in builtin.resources() if one.kind == kind)
    place = f"/apis/{resource.group}" if resource.group else "/api"
    path = f"{place}/{resource.version}/namespaces/default/{resource.plural}?dryRun=All"
    sent = {"apiVersion": resource.api_version, "kind": kind, "metadata": {"name": "a"}, **OBJECTS[kind]}

    answer, _ = ask(api_server, "POST", path, sent)

    assert verdict(answer) is None
    ours, faults = decode(copy.deepcopy(sent), resource.group, resource.version, kind)
    set_zeros(ours, resource.group, resource.version, kind)
    assert not faults
    assert list(_others(ours, answer, kind)) == []


def _others(ours: Any, real: Any, path: str) -> Iterator[str]:
    """What we have and the real API server has not, or otherwise. It has more, which it sets in code."""
    if isinstance(ours, dict) and isinstance(real, dict):
        for name, part in ours.items():
            yield from _others(part, real.get(name, "nothing"), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(real, list) and len(ours) == len(real):
        for index, item in enumerate(ours):
            yield from _others(item, real[index], f"{path}[{index}]")
    elif ours != real:
        yield f"{path}: {ours!r} is {real!r}"
