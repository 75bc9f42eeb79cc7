"""How long people wait: `homeostat up` with a warm cache, a Cluster to Ready beside its own Pods applied by hand, and
an upgrade beside the time that its Pods took to start.

By hand means: the very objects that the operator made for a Cluster (Secrets, ConfigMaps, Services, StatefulSet,
Deployments, ...) are exported, the Cluster is deleted, and kubectl applies them in one go. Certificates are already
made in that case and nobody has to decide anything, so it is the floor that the operator is measured against. Both
clocks stop when every workload has all its replicas ready; the operator's also has to say Ready. An upgrade moves one
master after the other, so the sum of what each new Pod took from its making to its readiness is its floor.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.contender import ROOT

NAMESPACE = "default"
CLUSTERS = "clusters.cluster.homeostat.dev"
# Everything namespaced that an operator of masters may make; Pods and EndpointSlices follow from these.
KINDS = (
    "secrets,configmaps,serviceaccounts,services,roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io,"
    "statefulsets.apps,deployments.apps,poddisruptionbudgets.policy,networkpolicies.networking.k8s.io"
)
HOMEOSTAT = str(ROOT / ".venv" / "bin" / "homeostat")
LIMIT_S = 600.0
OLD, NEW = "v1.34.4", "v1.35.4"
TOPOLOGIES = ("single", "ha")

Json = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """The meta cluster, by kubectl."""

    kubectl: str
    kubeconfig: Path

    def run(self, *arguments: str, stdin: str = "") -> str:
        """One kubectl command; its output. Raises CalledProcessError."""
        command = [self.kubectl, f"--kubeconfig={self.kubeconfig}", f"--namespace={NAMESPACE}", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout

    def get(self, *arguments: str) -> Json:
        """Objects as JSON."""
        found: Json = json.loads(self.run("get", *arguments, "-o", "json"))
        return found

    def apply(self, objects: list[Json]) -> None:
        """Apply objects in one go."""
        self.run("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


@contextmanager
def data_centre(name: str) -> Iterator[tuple[Path, float]]:
    """A data centre for the measurement, with the seconds that it took to raise it; removed at the end."""
    began = time.monotonic()
    subprocess.run([HOMEOSTAT, "up", "--name", name], check=True)
    took = time.monotonic() - began
    try:
        state = Path.home() / ".local" / "state" / "homeostat" / name
        yield state / "kubeconfig", took
    finally:
        subprocess.run([HOMEOSTAT, "down", "--name", name], check=True)


def seconds_until(done: Callable[[], bool], began: float) -> float:
    """Seconds since `began` when something is so; asked three times a second, for kubectl costs processor time."""
    while not done():
        if time.monotonic() - began > LIMIT_S:
            raise TimeoutError(f"not so after {LIMIT_S:.0f} s")
        time.sleep(0.3)
    return time.monotonic() - began


def measure(cell: Cell, name: str, topology: str) -> dict[str, float]:
    """One cluster by its operator and its upgrade, then the objects that it began with by hand."""
    began = time.monotonic()
    cell.apply([cluster(name, topology)])
    by_operator = seconds_until(lambda: is_ready(cell.get(CLUSTERS, name)), began)
    objects = made_for(cell, name)
    upgrade = measure_upgrade(cell, name)
    remove_cluster(cell, name, objects)
    began = time.monotonic()
    cell.apply([as_at_first(bare(one)) for one in objects])
    by_hand = seconds_until(lambda: workloads_ready(cell, objects), began)
    remove(cell, objects)
    return {"operator_s": by_operator, "kubectl_s": by_hand, "ratio": by_operator / by_hand, **upgrade}


def measure_upgrade(cell: Cell, name: str) -> dict[str, float]:
    """A cluster moved to the next minor version, and the sum of what its new Pods took to start."""
    before = {one["metadata"]["uid"] for one in masters(cell, name)}
    began = time.monotonic()
    cell.run("patch", CLUSTERS, name, "--type=merge", "--patch", json.dumps({"spec": {"packageVersion": NEW}}))
    took = seconds_until(lambda: is_moved(cell.get(CLUSTERS, name)), began)
    fresh = [one for one in masters(cell, name) if one["metadata"]["uid"] not in before]
    starts = sum(start_s(one) for one in fresh)
    return {"upgrade_s": took, "starts_s": starts, "upgrade_ratio": took / starts}


def masters(cell: Cell, name: str) -> list[Json]:
    """The Pods of a Cluster."""
    found: list[Json] = cell.get("pods", "-l", f"cluster.homeostat.dev/name={name}")["items"]
    return found


def start_s(pod: Json) -> float:
    """Seconds from a Pod's making to its readiness; the API tells whole seconds."""
    (ready,) = [one for one in pod["status"]["conditions"] if one["type"] == "Ready"]
    made = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return (datetime.fromisoformat(ready["lastTransitionTime"]) - made).total_seconds()


def cluster(name: str, topology: str) -> Json:
    """The Cluster that is measured."""
    network = {"podCIDR": "10.210.0.0/16", "serviceCIDR": "10.211.0.0/20"}
    return {
        "apiVersion": "cluster.homeostat.dev/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"packageVersion": OLD, "topology": topology, "network": network},
    }


def is_ready(one: Json) -> bool:
    """Whether a Cluster says Ready."""
    conditions = one.get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def is_moved(one: Json) -> bool:
    """Whether a Cluster runs on the newer version and says Ready."""
    return is_ready(one) and one["status"].get("packageVersion") == NEW


def made_for(cell: Cell, name: str) -> list[Json]:
    """The objects that the operator made for a Cluster, by their owner references."""
    uid = cell.get(CLUSTERS, name)["metadata"]["uid"]
    everything: list[Json] = cell.get(KINDS)["items"]
    return [one for one in everything if any(o["uid"] == uid for o in one["metadata"].get("ownerReferences", []))]


def bare(one: Json) -> Json:
    """An object as somebody would write it: without what API servers and operators add."""
    metadata = {key: one["metadata"][key] for key in ("name", "namespace", "labels") if key in one["metadata"]}
    content = {key: value for key, value in one.items() if key not in ("status", "metadata")}
    if one["kind"] == "Service":
        dropped = ("clusterIP", "clusterIPs", "healthCheckNodePort")
        headless = one["spec"].get("clusterIP") == "None"
        content["spec"] = {key: value for key, value in one["spec"].items() if headless or key not in dropped}
    return {**content, "metadata": metadata}


def as_at_first(one: Json) -> Json:
    """The membership of etcd as it was for members that began empty: later it keeps everybody out who does."""
    data = one.get("data", {})
    if one["kind"] != "ConfigMap" or "initial-cluster" not in data:
        return one
    members = [each for each in data["initial-cluster"].split(",") if not each.startswith("nobody=")]
    return {**one, "data": {**data, "initial-cluster": ",".join(members), "initial-cluster-state": "new"}}


def workloads_ready(cell: Cell, objects: list[Json]) -> bool:
    """Whether every StatefulSet and Deployment among these has all replicas ready, as of its newest spec."""
    names = [f"{one['kind'].lower()}/{one['metadata']['name']}" for one in workloads(objects)]
    found = cell.get(*names)
    return all(all_replicas(one) for one in found.get("items", [found]))


def workloads(objects: list[Json]) -> list[Json]:
    """Those that run Pods."""
    return [one for one in objects if one["kind"] in ("StatefulSet", "Deployment")]


def all_replicas(one: Json) -> bool:
    """Whether a workload has what it wants."""
    status = one.get("status", {})
    fresh = status.get("observedGeneration") == one["metadata"]["generation"]
    return bool(fresh and status.get("readyReplicas", 0) == one["spec"].get("replicas", 1))


def remove_cluster(cell: Cell, name: str, objects: list[Json]) -> None:
    """Delete a Cluster and wait until all that was made for it is gone."""
    cell.run("delete", CLUSTERS, name, "--wait", f"--timeout={LIMIT_S:.0f}s")
    remove(cell, objects)


def remove(cell: Cell, objects: list[Json]) -> None:
    """Delete objects, the volumes of their StatefulSets, and wait until they and their Pods are gone."""
    names = [f"{one['kind'].lower()}/{one['metadata']['name']}" for one in objects]
    cell.run("delete", "--ignore-not-found", "--wait", *names)
    for one in workloads(objects):
        labels = one["spec"]["selector"]["matchLabels"]
        chosen = ",".join(f"{key}={value}" for key, value in labels.items())
        cell.run("wait", "pods", "--for=delete", "-l", chosen, f"--timeout={LIMIT_S:.0f}s")
        cell.run("delete", "persistentvolumeclaims", "--ignore-not-found", "--wait", "-l", chosen)
