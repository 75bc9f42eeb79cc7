"""Nodes and Pods for tests of the scheduler: builders that show only what matters."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from homeostat.sim.world.kinds.nodes import Node
from homeostat.sim.world.kinds.pods import Pod
from homeostat.sim.world.kinds.volumes import Claim, PersistentVolume, StorageClass
from homeostat.sim.world.scheduler.asking import HOST, ZONE, asked
from homeostat.sim.world.scheduler.choosing import Chosen, Unfit, choose
from homeostat.sim.world.scheduler.estate import Estate
from homeostat.sim.world.scheduler.preempting import Budget, Futile, Preemption, preempt

Object = dict[str, Any]


def node(name: str, *, cpu: str = "4", memory: str = "8Gi", pods: int = 110, zone: str = "a", **more: Any) -> Object:
    """A Node that takes Pods."""
    labels = {HOST: name, **({ZONE: zone} if zone else {}), **more.pop("labels", {})}
    allocatable = {"cpu": cpu, "memory": memory, "pods": str(pods), **more.pop("has", {})}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": more,
        "status": {"allocatable": allocatable, "capacity": allocatable, "conditions": [ready]},
    }


def pod(name: str, *, cpu: str = "", memory: str = "", labels: Mapping[str, str] | None = None, **spec: Any) -> Object:
    """A Pod of one container that asks for this."""
    asks = {key: text for key, text in (("cpu", cpu), ("memory", memory)) if text} | spec.pop("asks", {})
    metadata: Object = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": dict(labels or {})}
    if "owner" in spec:
        owner = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": spec.pop("owner"),
            "uid": "o",
            "controller": True,
        }
        metadata["ownerReferences"] = [owner]
    container = {"name": "main", "image": "app", "resources": {"requests": asks} if asks else {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{**container, "ports": spec.pop("ports", [])}], **spec},
    }


def away_from(labels: Mapping[str, str], key: str = HOST, kind: str = "podAntiAffinity") -> Object:
    """Affinity that must hold."""
    term = {"labelSelector": {"matchLabels": dict(labels)}, "topologyKey": key}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def spread(labels: Mapping[str, str], key: str = ZONE, **more: Any) -> Object:
    """A constraint of evenness that must hold."""
    rule = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule"}
    return {**rule, "labelSelector": {"matchLabels": dict(labels)}, **more}


class Shelf:
    """Volumes, claims and classes of a test."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self.volumes: dict[str, PersistentVolume] = {}
        self.classes: dict[str, StorageClass] = {}

    def claim(self, key: str) -> Claim | None:
        return self.claims.get(key)

    def volume(self, name: str) -> PersistentVolume | None:
        return self.volumes.get(name)

    def storage_class(self, name: str) -> StorageClass | None:
        return self.classes.get(name)

    def free(self, class_name: str) -> Iterable[PersistentVolume]:
        found = self.volumes.values()
        return [each for each in found if each.spec.claim_ref is None and each.spec.storage_class_name == class_name]


class Cluster:
    """An estate that Pods are placed on."""

    def __init__(self, *nodes: Object) -> None:
        self.estate = Estate()
        self.shelf = Shelf()
        self.random = random.Random(0)
        self.start = 0
        self.estate.put_namespace("default", {"kubernetes.io/metadata.name": "default"})
        for each in nodes:
            self.put(each)

    def put(self, body: Object) -> None:
        """A Node comes, or changes."""
        self.estate.put_node(msgspec.convert(body, Node))

    def choose(self, body: Object) -> Chosen | Unfit:
        """Where a Pod would be put."""
        ask = asked(msgspec.convert(body, Pod))
        found, self.start = choose(ask, self.estate, self.shelf, self.random, self.start)
        return found

    def place(self, body: Object, on: str = "") -> str:
        """Put a Pod where it belongs, or on a Node; empty when it fits nowhere."""
        found: Chosen | Unfit | None = None if on else self.choose(body)
        where = on or (found.node if isinstance(found, Chosen) else "")
        if where:
            self.estate.take_in(asked(msgspec.convert(body, Pod)), where)
        return where

    def reasons(self, body: Object) -> dict[str, int]:
        """Why a Pod fits nowhere; empty when it does."""
        found = self.choose(body)
        return dict(found.counts()) if isinstance(found, Unfit) else {}

    def preempt(self, body: Object, *budgets: Budget) -> Preemption | Futile:
        """Whom a Pod that fits nowhere would send away."""
        ask = asked(msgspec.convert(body, Pod))
        found, _ = choose(ask, self.estate, self.shelf, self.random)
        assert isinstance(found, Unfit)
        return preempt(ask, found, self.estate, self.shelf, budgets)

    def nominate(self, body: Object, on: str) -> None:
        """A Node is being cleared for a Pod."""
        self.estate.nominate(asked(msgspec.convert(body, Pod)), on)
