"""A world for contracts of controllers: real ones or simulated ones, and the same Nodes and kubelets under both.

Kubelets are a double that acts through the API alone: a Pod that has a Node runs and is ready, unless the test says
otherwise; one that shall end, ends. Claims of volumes get volumes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Literal, TypeVar

from tests.support.controllers import (
    BUDGETS,
    CLAIMS,
    DEPLOYMENTS,
    ENDPOINTS,
    NODES,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    SERVICES,
    SLICES,
    VOLUMES,
    kind,
)

from homeostat.api.core import NAMESPACE
from homeostat.api.kind import Kind
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, Conflict, NotFound
from homeostat.runtime.informer import Informer
from homeostat.sim.apiserver.server import ApiServer

T = TypeVar("T")
Object = dict[str, Any]
Behaviour = Literal["ready", "running", "pending", "succeeded", "failed"]

REPLICATION_CONTROLLERS = kind("", "ReplicationController", "replicationcontrollers")
STATEFUL_SETS = kind("apps", "StatefulSet", "statefulsets")
DAEMON_SETS = kind("apps", "DaemonSet", "daemonsets")
REVISIONS = kind("apps", "ControllerRevision", "controllerrevisions")
CRON_JOBS = kind("batch", "CronJob", "cronjobs", version="v1")
JOBS = kind("batch", "Job", "jobs", version="v1")
SHOWN = (
    PODS,
    DEPLOYMENTS,
    REPLICATION_CONTROLLERS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    REVISIONS,
    JOBS,
    CRON_JOBS,
    CLAIMS,
    SERVICES,
    SLICES,
    ENDPOINTS,
    BUDGETS,
    QUOTAS,
)
WITHIN_S = 30.0
TEST = "homeostat.dev/test"
_numbers = count()


class World:
    """A namespace with controllers over it, and Nodes of its own."""

    def __init__(self, engine: str, client: Client, namespace: str, *, clock: Clock, random: Random) -> None:
        self.engine = engine
        self.client = client
        self.namespace = namespace
        self.clock = clock
        self.behaviour: dict[str, Behaviour] = {}  # by the name of a Pod, or the image of its first container
        self.codes: dict[str, int] = {}  # with which containers end that fail, by image; 1 where nothing is said
        self.usual: Behaviour = "ready"
        self.ends_pods = True
        self.nodes: list[str] = []
        self.simulated: ApiServer | None = None  # the server behind it, where there is one in this process
        self._informers = {
            each.resource.kind: Informer(client, each, clock=clock, random=random, namespace=namespace)
            for each in SHOWN
        }
        self._changed = asyncio.Event()
        self._dirty: dict[str, None] = {}
        self._claims: dict[str, None] = {}
        self._play_again = asyncio.Event()
        for informer in self._informers.values():
            informer.add_handler(lambda *_: self._changed.set())
        self._informers["Pod"].add_handler(self._pod_changed)
        self._informers["PersistentVolumeClaim"].add_handler(self._claim_changed)

    @asynccontextmanager
    async def turning(self) -> AsyncIterator[World]:
        """Caches and kubelets at work; in the end the namespace and the Nodes go."""
        runs = (*(each.run() for each in self._informers.values()), self._play())
        tasks = [asyncio.ensure_future(each) for each in runs]
        try:
            async with self.clock.timeout(WITHIN_S):
                for informer in self._informers.values():
                    await informer.synced.wait()
            yield self
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.client.delete(NAMESPACE, self.namespace)
            for name in self.nodes:
                with suppress(NotFound):
                    await self.client.delete(NODES, name)

    async def add_node(self, name: str = "", labels: dict[str, str] | None = None, **spec: Any) -> str:
        """A Node that is ready, and that only this test has; its name."""
        name = name or f"{self.namespace}-{len(self.nodes)}"
        self.nodes.append(name)
        marks = {"kubernetes.io/hostname": name, TEST: self.namespace, **(labels or {})}
        made = await self.client.create(NODES, {"metadata": {"name": name, "labels": marks}, "spec": spec})
        now = made["metadata"]["creationTimestamp"]
        has = {"cpu": "8", "memory": "16Gi", "pods": "110"}
        times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "", **times}
        status = {"capacity": has, "allocatable": has, "conditions": [ready]}
        await self.client.merge_patch(NODES, name, {"status": status}, subresource="status")
        # Admission gives every new Node the taint of one that is not ready.
        await self.client.merge_patch(NODES, name, {"spec": {"taints": spec.get("taints")}})
        return name

    async def create(self, of: Kind[Object], body: Object) -> Object:
        """Make an object in the namespace."""
        return await self.client.create(of, body, self.namespace)

    async def patch(self, of: Kind[Object], name: str, body: Object) -> Object:
        """Change an object by a merge patch."""
        return await self.client.merge_patch(of, name, body, self.namespace)

    async def delete(self, of: Kind[Object], name: str) -> None:
        """Ask for the end of an object."""
        await self.client.delete(of, name, self.namespace)

    def all(self, of: Kind[Object]) -> list[Object]:
        """All objects of a kind, by name."""
        store = self._informers[of.resource.kind].store
        return sorted(store.values(), key=lambda each: str(each["metadata"]["name"]))

    def names(self, of: Kind[Object]) -> list[str]:
        """Their names."""
        return [each["metadata"]["name"] for each in self.all(of)]

    def find(self, of: Kind[Object], name: str) -> Object:
        """One object; an empty one if there is none."""
        return self._informers[of.resource.kind].store.get(name, self.namespace) or {}

    def status(self, of: Kind[Object], name: str) -> Object:
        """What it says of itself, once that is about what is declared now."""
        found = self.find(of, name)
        status: Object = found.get("status", {})
        is_old = status.get("observedGeneration", 0) < found.get("metadata", {}).get("generation", 1)
        return {} if is_old else status

    async def until(self, claim: Callable[[], T], within_s: float = WITHIN_S) -> T:
        """What the claim yields once that is truthy; looked at after every change."""
        try:
            async with self.clock.timeout(within_s):
                while not (found := claim()):
                    self._changed.clear()
                    await self._changed.wait()
                return found
        except TimeoutError:
            told = [
                (key, each["metadata"]["name"], each.get("status"))
                for key in self._informers
                for each in self._informers[key].store.values()
            ]
            raise AssertionError(f"it did not come about in {within_s:g} s; there is:\n{told}") from None

    def behave(self, behaviour: Behaviour, *whose: str) -> None:
        """From now on, for Pods of these names or images, or for all; those that are there change too."""
        for each in whose:
            self.behaviour[each] = behaviour
        if not whose:
            self.usual = behaviour
        self.play_all()

    def play_all(self) -> None:
        """Look at all Pods again, after a switch was changed."""
        self._dirty |= dict.fromkeys(self.names(PODS))
        self._play_again.set()

    def _pod_changed(self, old: Object | None, new: Object | None, _: object) -> None:
        if new is not None:
            self._dirty[new["metadata"]["name"]] = None
            self._play_again.set()

    def _claim_changed(self, old: Object | None, new: Object | None, _: object) -> None:
        if new is not None and not new["spec"].get("volumeName"):
            self._claims[new["metadata"]["name"]] = None
            self._play_again.set()

    async def _play(self) -> None:
        while True:
            await self._play_again.wait()
            self._play_again.clear()
            dirty, self._dirty = self._dirty, {}
            claims, self._claims = self._claims, {}
            for name in dirty:
                with suppress(NotFound, Conflict):
                    await self._play_pod(self.find(PODS, name))
            for name in claims:
                with suppress(NotFound, Conflict):
                    await self._provide(self.find(CLAIMS, name))

    async def _play_pod(self, pod: Object) -> None:
        if not pod or not pod["spec"].get("nodeName"):
            return
        meta = pod["metadata"]
        if "deletionTimestamp" in meta:
            if self.ends_pods:
                await self.client.delete(PODS, meta["name"], self.namespace, uid=meta["uid"], grace_s=0)
            return
        image = pod["spec"]["containers"][0]["image"]
        behaviour = self.behaviour.get(meta["name"], self.behaviour.get(image, self.usual))
        wanted, now = _phase(behaviour), pod.get("status", {})
        if (now.get("phase"), _is_ready(pod)) == (wanted, behaviour == "ready"):
            return
        at = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        others = [each for each in now.get("conditions", ()) if each["type"] != "Ready"]
        ready = {"type": "Ready", "status": "True" if behaviour == "ready" else "False", "lastTransitionTime": at}
        status = {"phase": wanted, "conditions": [*others, ready], "startTime": now.get("startTime", at)}
        if wanted in ("Succeeded", "Failed"):
            ended = {"exitCode": 0 if wanted == "Succeeded" else self.codes.get(image, 1), "reason": "Over"}
            told = {"ready": False, "restartCount": 0, "imageID": "", "state": {"terminated": ended}}
            containers = [(each["name"], each["image"]) for each in pod["spec"]["containers"]]
            status["containerStatuses"] = [{"name": name, "image": of, **told} for name, of in containers]
        body = {"metadata": {"uid": meta["uid"]}, "status": status}
        await self.client.merge_patch(PODS, meta["name"], body, self.namespace, subresource="status")

    async def _provide(self, claim: Object) -> None:
        """A volume for a claim, promised to it; the controllers bind the two."""
        if not claim or claim["spec"].get("volumeName"):
            return
        meta, spec = claim["metadata"], claim["spec"]
        about = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "name": meta["name"]}
        body = {
            "metadata": {"name": f"pv-{meta['uid']}"},
            "spec": {
                "capacity": spec["resources"]["requests"],
                "accessModes": spec["accessModes"],
                "storageClassName": spec.get("storageClassName", ""),
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": f"/nowhere/{meta['uid']}"},
                "claimRef": {**about, "namespace": self.namespace, "uid": meta["uid"]},
            },
        }
        with suppress(Conflict, AlreadyExists):
            await self.client.create(VOLUMES, body)


def new_namespace() -> str:
    """A name that no other test has."""
    return f"world-{next(_numbers)}"


def _phase(behaviour: Behaviour) -> str:
    return {"pending": "Pending", "succeeded": "Succeeded", "failed": "Failed"}.get(behaviour, "Running")


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
