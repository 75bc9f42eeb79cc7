"""A double that plays a cell's controllers, kubelets and load balancer against a bare API server.

It does what those do, as far as an operator can see it: Pods of StatefulSets and Deployments with their revisions and
readiness, `observedGeneration` and the counts of replicas, volumes that are bound and protected while used, addresses
of Services of type LoadBalancer. Tests tell it what goes wrong: `behaviour` by component, and the switches below. It
collects garbage only when asked to, and then only Pods: what an operator must remove itself stays for all to see. The
Pods of an API server that was tried are always collected: their Deployment goes alone.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Literal, TypeVar

import msgspec
from tests.support.podlife import pod_of, status_of

from homeostat.api.apps import DEPLOYMENT, STATEFUL_SET
from homeostat.api.cluster.masters import API_SERVER, CONTROLLERS
from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.core import (
    CONFIG_MAP,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    SECRET,
    SERVICE,
)
from homeostat.api.events import EVENT
from homeostat.api.kind import Kind, unstructured
from homeostat.kit.clock import Clock
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.errors import AlreadyExists, Conflict, Invalid, NotFound
from homeostat.operators.cluster.names import TRIAL
from homeostat.runtime.informer import Informer

Whole = dict[str, Any]
Behaviour = Literal["run", "hold", "start", "image", "crash", "unschedulable", "end", "fail"]
T = TypeVar("T")

KINDS: dict[str, Kind[Whole]] = {
    kind.resource.kind: unstructured(kind.resource)
    for kind in (
        *(CLUSTER, SECRET, SERVICE, CONFIG_MAP, POD_DISRUPTION_BUDGET),
        *(STATEFUL_SET, DEPLOYMENT, POD, PERSISTENT_VOLUME_CLAIM, EVENT),
    )
}
COMPONENT = "app.kubernetes.io/component"
PLACE = "namespace"
REVISION = "deployment.kubernetes.io/revision"
_LOOK_S = 0.5  # a metric moves after the last change that tells of it


class Kubelet:
    """Plays in one namespace, or in all of them; also shows what is there, and when a claim about it comes true."""

    def __init__(self, client: Client, *, clock: Clock, random: Random, namespace: str = "", prefix: str = "") -> None:
        """In all namespaces, a prefix says which of them are meant: others belong to other tests."""
        self.network = "10"  # the first number of all addresses of Pods and Services
        self._prefix = prefix
        self._templates: dict[tuple[str, str], Whole] = {}  # of StatefulSets, by uid and revision
        self._given: dict[str, str] = {}  # addresses by the uid of their Service: a cache may lag behind our writes
        self.behaviour: dict[str, Behaviour] = {}  # by Pod, image, flag or component; the rest runs
        self.gives_addresses = True
        self.collects_pods = False
        self.needs_servers = False  # whether controllers become ready only beside an API server that is
        self.kills_pods = True  # ends Pods that are being deleted
        self.started: list[tuple[str, str]] = []  # namespace and name of every Pod that was ever made
        self._client = client
        self.clock, self.random = clock, random
        self._informers = {
            name: Informer(client, kind, clock=clock, random=random, namespace=namespace, indexes={PLACE: _places})
            for name, kind in KINDS.items()
        }
        self._addresses = count(10)
        self._dirty: set[str] = set()
        self._work = asyncio.Event()
        self._changes: set[asyncio.Event] = set()
        self._tasks: list[asyncio.Future[None]] = []
        for informer in self._informers.values():
            informer.add_handler(self._changed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Kubelet]:
        """Play until the block ends."""
        runs: list[Coroutine[Any, Any, None]] = [informer.run() for informer in self._informers.values()]
        tasks = self._tasks = [asyncio.ensure_future(run) for run in (*runs, self._play())]
        for task in tasks:
            task.add_done_callback(lambda _: self._wake())
        try:
            async with self.clock.timeout(30):
                for informer in self._informers.values():
                    await informer.synced.wait()
            yield self
            self._check()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def all(self, kind: str, namespace: str = "") -> list[Whole]:
        """All objects of a kind, by name."""
        store = self._informers[kind].store
        found = store.by_index(PLACE, namespace) if namespace else store.values()
        return sorted(found, key=lambda obj: (_namespace(obj), _name(obj)))

    def find(self, kind: str, name: str, namespace: str) -> Whole | None:
        """One object, if it is there."""
        return self._informers[kind].store.get(name, namespace)

    def behave(self, behaviour: Behaviour, *whose: str) -> None:
        """From now on; Pods that are there change too."""
        for each in whose:
            self.behaviour[each] = behaviour
        self.look_again()

    def look_again(self) -> None:
        """Play everywhere, after a switch was changed."""
        self._dirty |= {_namespace(obj) for kind in KINDS for obj in self.all(kind)}
        self._work.set()

    async def until(self, claim: Callable[[], T | None], why: str, *, within_s: float = 90.0) -> T:
        """What the claim yields once that is truthy; looked at after every change, and between as well.

        Fails saying what there is.
        """
        changed = asyncio.Event()
        self._changes.add(changed)
        try:
            async with self.clock.timeout(within_s):
                while not (found := claim()):
                    self._check()
                    with suppress(TimeoutError):
                        async with self.clock.timeout(_LOOK_S):
                            await changed.wait()
                    changed.clear()
                return found
        except TimeoutError:
            raise AssertionError(f"not within {within_s:g} s: {why}\n{self._told()}") from None
        finally:
            self._changes.discard(changed)

    def _changed(self, old: Whole | None, new: Whole | None, _priority: object) -> None:
        obj = new or old
        if obj is not None:
            self._dirty.add(_namespace(obj))
        self._work.set()
        self._wake()

    def _wake(self) -> None:
        for change in self._changes:
            change.set()

    def _check(self) -> None:
        """Raise what ended the double."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def _told(self) -> str:
        statuses = [(_name(obj), obj.get("status", {})) for obj in self.all("Cluster")]
        names = [f"{kind} {_name(obj)}" for kind in KINDS if kind != "Event" for obj in self.all(kind)]
        return f"clusters: {statuses}\nobjects: {', '.join(names)}"

    async def _play(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            dirty, self._dirty = self._dirty, set()
            ours = [namespace for namespace in sorted(dirty) if namespace.startswith(self._prefix)]
            await asyncio.gather(*(self._namespace(namespace) for namespace in ours))

    async def _namespace(self, namespace: str) -> None:
        """One look at everything in a namespace; what has changed meanwhile is looked at again."""
        pods = self.all("Pod", namespace)
        by_owner: dict[str, list[Whole]] = defaultdict(list)
        for pod in pods:
            by_owner[_owner(pod)].append(pod)
        # What is gone, or changed under our hands, brings an event of its own.
        for service in self.all("Service", namespace):
            await self._gently(self._service(service))
        for workload in (*self.all("StatefulSet", namespace), *self.all("Deployment", namespace)):
            await self._gently(self._workload(workload, by_owner.pop(_uid(workload), [])))
        for cluster in self.all("Cluster", namespace):
            by_owner.pop(_uid(cluster), None)  # its own Pods stay with it
        for pod in pods:
            is_tried = pod["metadata"]["labels"].get(COMPONENT) == TRIAL
            is_garbage = _owner(pod) in by_owner and (self.collects_pods or is_tried)
            await self._gently(self._pod(pod, collected=is_garbage))
        for claim in self.all("PersistentVolumeClaim", namespace):
            await self._gently(self._claim(claim, pods))

    async def _gently(self, act: Coroutine[Any, Any, None]) -> None:
        with suppress(NotFound, Conflict, AlreadyExists, Invalid):  # Invalid: another object has the name now
            await act

    async def _service(self, service: Whole) -> None:
        given = service.get("status", {}).get("loadBalancer", {}).get("ingress")
        if service["spec"].get("type") != "LoadBalancer" or given or not self.gives_addresses:
            return
        wanted = service["spec"].get("loadBalancerIP")
        address = wanted or self._given.get(_uid(service)) or self._free_address()
        self._given[_uid(service)] = address
        await self._status("Service", service, {"loadBalancer": {"ingress": [{"ip": address}]}})

    def _free_address(self) -> str:
        number = next(self._addresses)
        return f"{self.network}.250.{number // 256}.{number % 256}"

    async def _workload(self, workload: Whole, pods: list[Whole]) -> None:
        if "deletionTimestamp" in workload["metadata"]:
            return
        kind = "StatefulSet" if "serviceName" in workload["spec"] else "Deployment"
        template = workload["spec"]["template"]
        revision = hashlib.sha256(msgspec.json.encode(template, order="deterministic")).hexdigest()[:8]
        stem = _name(workload) if kind == "StatefulSet" else f"{_name(workload)}-{revision}"
        wanted = [f"{stem}-{number}" for number in range(workload["spec"].get("replicas", 1))]
        there = {_name(pod) for pod in pods}
        partition = _partition(workload)
        self._templates[_uid(workload), revision] = template
        for number, name in enumerate(wanted):
            # Also for Pods that are there: the controller makes what went while it made a Pod, or that waits for ever.
            await self._volumes(workload, name)
            if name not in there:
                kept = workload.get("status", {}).get("currentRevision", revision) if number < partition else revision
                made_of = {**workload["spec"], "template": self._templates[_uid(workload), kept]}
                await self._client.create(KINDS["Pod"], pod_of({**workload, "spec": made_of}, kind, name, kept))
                self.started.append((_namespace(workload), name))
        current = [pod for pod in pods if _name(pod) in wanted and _revision(pod) == revision and not _deleting(pod)]
        for pod in _outdated(pods, wanted, current, None if kind == "Deployment" else partition, _may_all_go(workload)):
            if not _deleting(pod):
                await self._client.delete(POD, _name(pod), _namespace(pod), uid=_uid(pod))
        if kind == "Deployment" and (workload["metadata"].get("annotations") or {}).get(REVISION) != revision:
            note = {"metadata": {"uid": _uid(workload), "annotations": {REVISION: revision}}}
            await self._client.merge_patch(KINDS[kind], _name(workload), note, _namespace(workload))
        status = {
            "observedGeneration": workload["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": sum(_ready(pod) for pod in pods),
            "updatedReplicas": len(current),
            "availableReplicas": sum(_ready(pod) for pod in pods),
        }
        if kind == "StatefulSet":
            is_there = len(wanted) == len(pods) == sum(_ready(pod) for pod in current)
            before = workload.get("status", {}).get("currentRevision", revision)
            status |= {"updateRevision": revision, "currentRevision": revision if is_there else before}
        await self._status(kind, workload, status)

    async def _volumes(self, workload: Whole, pod: str) -> None:
        for template in workload["spec"].get("volumeClaimTemplates", ()):
            name = f"{template['metadata']['name']}-{pod}"
            if self.find("PersistentVolumeClaim", name, _namespace(workload)) is None:
                marks = template["metadata"].get("labels", {}) | workload["spec"]["selector"]["matchLabels"]
                metadata = {"name": name, "namespace": _namespace(workload), "labels": marks}
                body = {"metadata": metadata, "spec": template["spec"]}
                with suppress(AlreadyExists):
                    await self._client.create(KINDS["PersistentVolumeClaim"], body)

    async def _pod(self, pod: Whole, *, collected: bool) -> None:
        if collected and not _deleting(pod):
            await self._client.delete(POD, _name(pod), _namespace(pod), uid=_uid(pod))
        elif _deleting(pod):
            if self.kills_pods:
                await self._client.delete(POD, _name(pod), _namespace(pod), uid=_uid(pod), grace_s=0)
        else:
            component, one = pod["metadata"]["labels"].get(COMPONENT, ""), pod["spec"]["containers"][0]
            marks = (_name(pod), *one.get("command", ()), one["image"], component)
            named = (self.behaviour[each] for each in marks if each in self.behaviour)
            behaviour = next(named, "end" if pod["spec"].get("restartPolicy") == "Never" else "run")
            if behaviour == "run" and self.needs_servers and component in CONTROLLERS and not self._is_served(pod):
                behaviour = "start"
            status = status_of(pod, behaviour, self.clock)
            if "podIP" in status:
                status["podIP"] = ".".join((self.network, *status["podIP"].split(".")[1:]))
            await self._status("Pod", pod, status)

    def _is_served(self, pod: Whole) -> bool:
        """Whether an API server beside a controller is ready."""
        beside = self.all("Pod", _namespace(pod))
        return any(_ready(each) for each in beside if each["metadata"]["labels"].get(COMPONENT) == API_SERVER)

    async def _claim(self, claim: Whole, pods: list[Whole]) -> None:
        volumes = [volume for pod in pods for volume in pod["spec"].get("volumes", ())]
        used = {volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes}
        if not _deleting(claim):
            await self._status("PersistentVolumeClaim", claim, {"phase": "Bound"})
        elif _name(claim) not in used and claim["metadata"].get("finalizers"):
            free = {"metadata": {"finalizers": None}}
            await self._client.merge_patch(PERSISTENT_VOLUME_CLAIM, _name(claim), free, _namespace(claim))

    async def _status(self, kind: str, obj: Whole, wanted: Whole) -> None:
        """Write a status, unless it is so already."""
        if _says(obj.get("status", {}), wanted):
            return
        patch = {"metadata": {"uid": _uid(obj)}, "status": wanted}
        await self._client.merge_patch(KINDS[kind], _name(obj), patch, _namespace(obj), subresource="status")


def _partition(workload: Whole) -> int:
    """From which number on a StatefulSet's Pods are of the newest revision."""
    return int(workload["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0))


def _may_all_go(workload: Whole) -> bool:
    """Whether a Deployment keeps none of its old Pods until the new ones are ready."""
    strategy: Whole = workload["spec"].get("strategy", {})
    return bool(strategy.get("rollingUpdate", {}).get("maxUnavailable") == "100%")


def _outdated(
    pods: list[Whole], wanted: list[str], current: list[Whole], partition: int | None, may_all_go: bool
) -> list[Whole]:
    """A Deployment's old Pods go when the new ones are ready, or at once.

    A StatefulSet's make room, the last first, one by one.
    """
    old = [pod for pod in pods if pod not in current]
    if partition is None:
        return old if may_all_go or sum(_ready(pod) for pod in current) == len(wanted) else []
    by_name = {_name(pod): pod for pod in pods}
    going = [pod for pod in old if _name(pod) not in wanted]
    for name in reversed(wanted[partition:]):
        pod = by_name.get(name)
        if pod in old:
            return [*going, pod]
        if pod is None or not _ready(pod):
            break
    return going


def _says(now: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; the API fills in more, and leaves zeros out."""
    if isinstance(wanted, dict):
        return all(_says((now or {}).get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(now or ()) == len(wanted) and all(map(_says, now or (), wanted))
    return bool(now == wanted) or (now is None and not wanted)


def _name(obj: Whole) -> str:
    return str(obj["metadata"]["name"])


def _namespace(obj: Whole) -> str:
    return str(obj["metadata"]["namespace"])


def _places(obj: Whole) -> tuple[str]:
    return (_namespace(obj),)


def _uid(obj: Whole) -> str:
    return str(obj["metadata"]["uid"])


def _owner(obj: Whole) -> str:
    return next((str(owner["uid"]) for owner in obj["metadata"].get("ownerReferences", ())), "")


def _revision(pod: Whole) -> str:
    return str(pod["metadata"].get("labels", {}).get("controller-revision-hash", ""))


def _deleting(obj: Whole) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _ready(pod: Whole) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions) and not _deleting(pod)
