"""What a large tenant holds: Nodes, and Pods like those that the stub of Pods serves, with what a kubelet told of them.

The first of each are made by requests, as users, controllers and kubelets make them, so that objects are what they are
elsewhere: with defaults, managed fields and a status. The others are those once more, under other names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from homeostat.api.kind import Resource, unstructured
from homeostat.kube.client import Client
from homeostat.sim.apiserver.server import ApiServer
from homeostat.sim.apiserver.store.record import record
from homeostat.sim.apiserver.store.store import Collection

Whole = dict[str, Any]
NAMESPACE = unstructured(Resource("", "v1", "Namespace", "namespaces", namespaced=False))
NODE = unstructured(Resource("", "v1", "Node", "nodes", namespaced=False))
POD = unstructured(Resource("", "v1", "Pod", "pods"))
TEAMS = 500
MODELS = 200  # of which all others are made
SINCE = "2026-01-01T00:00:00Z"
_PODS = ("", "pods")
_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
_ANYWHERE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


async def fill(server: ApiServer, client: Client, kubelet: Client, nodes: int, pods: int) -> None:
    """Make so many Nodes and Pods, of which it is told that they run."""
    for team in range(min(TEAMS, pods)):
        await client.create(NAMESPACE, {"metadata": {"name": team_of(team)}})
    for number in range(min(nodes, MODELS)):
        await client.create(NODE, node(number))
    for number in range(min(pods, MODELS)):
        await client.create(POD, pod(number, nodes))
    await tell(kubelet, range(min(pods, MODELS)), SINCE)
    _copy(server, ("", "nodes"), nodes, lambda number: ("", f"node-{number:05}"))
    _copy(server, _PODS, pods, lambda number: (team_of(number), name_of(number)))


def _copy(server: ApiServer, collection: Collection, count: int, place: Callable[[int], tuple[str, str]]) -> None:
    """As many objects as are wanted, made of those that are there."""
    models = list(server.store.shelf(collection).within(""))
    for number in range(len(models), count):
        model = models[number % len(models)]
        namespace, name = place(number)
        value = model.value(b"")
        value["metadata"] |= {"name": name, "uid": f"6f9619ff-8b86-4011-842d-{number:012x}"}
        if namespace:
            value["metadata"]["namespace"] = namespace
        server.store.put(collection, record(value, 0, dict(model.fields)))


async def tell(kubelet: Client, numbers: Iterable[int], since: str) -> None:
    """Tell of some Pods that they run, since when."""
    for number in numbers:
        await kubelet.merge_patch(
            POD, name_of(number), {"status": status(number, since)}, team_of(number), subresource="status"
        )


def change_again(server: ApiServer, count: int) -> int:
    """Let so many Pods be written once more, as they are; how many were."""
    for kept in list(islice(server.store.shelf(_PODS).within(""), count)):
        server.store.put(_PODS, kept)
    return count


def team_of(number: int) -> str:
    """The namespace of a Pod."""
    return f"team-{number % TEAMS:03}"


def name_of(number: int) -> str:
    """The name of a Pod."""
    return f"web-{number // 10:05}-{number:05x}"


def node(number: int) -> Whole:
    """A Node."""
    name = f"node-{number:05}"
    room = {"cpu": "64", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{number % 3}"}
    return {"metadata": {"name": name, "labels": labels}, "status": {"capacity": room, "allocatable": room}}


def pod(number: int, nodes: int) -> Whole:
    """A Pod of a busy cluster: two containers, volumes, variables, tolerations."""
    app, team = f"web-{number // 10:05}", team_of(number)
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": app,
        "uid": f"7f9619ff-8b86-d011-b42d-{number:012x}",
    }
    return {
        "metadata": {
            "name": name_of(number),
            "namespace": team,
            "labels": {"app": app, "team": team, "tier": "frontend", "pod-template-hash": f"{number:010x}"},
            "annotations": {
                "prometheus.io/scrape": "true",
                "deployer.example.com/config-hash": "a1b2c3d4" * 8,
                "deployer.example.com/change": f"change-{number:06}",
            },
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {
            "nodeName": f"node-{number % nodes:05}",
            "serviceAccountName": "web",
            "containers": [_container("web", number), _container("sidecar", number)],
            "tolerations": [{"key": each, "operator": "Exists", "effect": "NoExecute"} for each in _ANYWHERE],
            "volumes": [
                {"name": "config", "configMap": {"name": "web-config"}},
                {"name": "secrets", "secret": {"secretName": "web-secrets"}},
                {"name": "scratch", "emptyDir": {}},
            ],
        },
    }  # fmt: skip


def status(number: int, since: str) -> Whole:
    """What a kubelet tells of a Pod that runs."""
    address = f"10.{128 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    conditions = [{"type": each, "status": "True", "lastTransitionTime": since} for each in _CONDITIONS]
    told = {"ready": True, "started": True, "restartCount": 0, "state": {"running": {"startedAt": since}}}
    images = {
        name: {
            "image": _image(name, number),
            "imageID": f"registry.example.com/shop/{name}@sha256:" + "0123456789abcdef" * 4,
            "containerID": f"containerd://{number:064x}",
        }
        for name in ("web", "sidecar")
    }
    return {
        "phase": "Running",
        "hostIP": f"192.168.{number >> 8 & 255}.{number & 255}",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": since,
        "conditions": conditions,
        "containerStatuses": [{"name": name, **told, **each} for name, each in images.items()],
    }


def _image(name: str, number: int) -> str:
    return f"registry.example.com/shop/{name}:v1.{number % 40}.0"


def _container(name: str, number: int) -> Whole:
    return {
        "name": name,
        "image": _image(name, number),
        "args": ["--listen=:8080", "--config=/etc/web/config.yaml", "--log-format=json"],
        "ports": [{"name": "http" if name == "web" else "side", "containerPort": 8080 if name == "web" else 8081}],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "REGION", "value": "eu-north-1"},
            {"name": "LOG_LEVEL", "value": "info"},
        ],
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/web", "readOnly": True},
            {"name": "secrets", "mountPath": "/etc/secrets", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }
