"""A fleet in a simulated cell on virtual time, with the cluster operator wired as the application does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import yaml
from tests.support.kinds import cluster, define, example
from tests.support.tree import ROOT

from homeostat.api.cluster.v1alpha1 import CLUSTER, CLUSTER_PACKAGE_VERSION
from homeostat.api.kind import Kind, Resource, unstructured
from homeostat.app.simulated_operator import ports_of
from homeostat.kit.clock import Clock
from homeostat.kit.pki.soundness import decoded
from homeostat.kit.random import Random
from homeostat.kube.client import Client
from homeostat.kube.transport import Transport
from homeostat.operators.cluster.controller import add_cluster_operator, fleet_of
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.pulse import Pulse
from homeostat.operators.cluster.pki.kubeconfig import read_kubeconfig
from homeostat.operators.cluster.ports import Outside
from homeostat.operators.cluster.snapshots.controller import Means, add_backups
from homeostat.runtime.manager import Manager, ManagerSettings
from homeostat.sim.transport import SimTransport
from homeostat.sim.world.network.dialling import reach_from
from homeostat.sim.world.ports.snapshots import WorldHandout
from homeostat.sim.world.world import WORLD, Plan, World

Whole = dict[str, Any]
Wire = Callable[[Transport], Transport]
Ports = Callable[[World, WorldHandout], tuple[Outside, Means]]
_GROUPS = {
    "Cluster": CLUSTER.resource,
    "Pod": Resource("", "v1", "Pod", "pods"),
    "Secret": Resource("", "v1", "Secret", "secrets"),
    "ConfigMap": Resource("", "v1", "ConfigMap", "configmaps"),
    "Service": Resource("", "v1", "Service", "services"),
    "PersistentVolumeClaim": Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    "PersistentVolume": Resource("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False),
    "Deployment": Resource("apps", "v1", "Deployment", "deployments"),
    "ReplicaSet": Resource("apps", "v1", "ReplicaSet", "replicasets"),
    "StatefulSet": Resource("apps", "v1", "StatefulSet", "statefulsets"),
    "EndpointSlice": Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    "PodDisruptionBudget": Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
}
KINDS: dict[str, Kind[Whole]] = {name: unstructured(resource) for name, resource in _GROUPS.items()}
_PRIORITY = unstructured(Resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False))


def plain(transport: Transport) -> Transport:
    """Nothing is measured."""
    return transport


class Fleet:
    """A cell with clusters, as a test sees it."""

    def __init__(self, world: World, client: Client) -> None:
        self.world, self.client, self.clock = world, client, world.clock

    async def declare(self, name: str = "demo", **spec: Any) -> None:
        await self.client.create(KINDS["Cluster"], cluster(name, **spec))

    async def change(self, name: str = "demo", **spec: Any) -> None:
        await self.client.merge_patch(CLUSTER, name, {"spec": spec}, "default")

    async def delete(self, name: str = "demo") -> None:
        await self.client.delete(CLUSTER, name, "default")

    def find(self, kind: str, name: str, namespace: str = "default") -> Whole | None:
        """Read behind the API's back: it costs no turn of the loop."""
        resource = _GROUPS[kind]
        found = self.world.server.store.shelf((resource.group, resource.plural)).get(f"{namespace}/{name}")
        return None if found is None else found.value(b"")

    def all(self, kind: str) -> list[Whole]:
        resource = _GROUPS[kind]
        shelf = self.world.server.store.shelf((resource.group, resource.plural))
        return [each.value(b"") for each in shelf.within("" if not resource.namespaced else "default")]

    def status(self, name: str = "demo") -> Whole:
        return dict((self.find("Cluster", name) or {}).get("status", {}))

    def condition(self, type_: str, name: str = "demo") -> Whole:
        found = self.find("Cluster", name) or {}
        conditions = found.get("status", {}).get("conditions", ())
        return next((each for each in conditions if each["type"] == type_), {})

    def is_ready(self, name: str = "demo") -> bool:
        found = self.condition("Ready", name)
        meta = (self.find("Cluster", name) or {}).get("metadata", {})
        return found.get("status") == "True" and found.get("observedGeneration") == meta.get("generation")

    async def until(self, holds: Callable[[], bool], what: str, within_s: float = 600.0, every_s: float = 1.0) -> None:
        """Wait in virtual time; what the clusters say stands in the failure."""
        until = self.clock.monotonic() + within_s
        while not holds():
            assert self.clock.monotonic() < until, f"expected within {within_s:g} s: {what}; {self.story()}"
            await self.clock.sleep(every_s)

    async def until_ready(self, *names: str, within_s: float = 600.0) -> None:
        names = names or ("demo",)
        await self.until(lambda: all(map(self.is_ready, names)), f"{names[0]} is Ready", within_s)

    async def until_gone(self, name: str = "demo", within_s: float = 600.0) -> None:
        await self.until(lambda: self.find("Cluster", name) is None, f"{name} is gone", within_s)

    def story(self) -> str:
        """What does not hold, of the clusters that are not Ready, and Pods that are not well."""
        told = []
        for each in self.all("Cluster"):
            bad = [c for c in each.get("status", {}).get("conditions", ()) if c["status"] != "True"]
            told += [f"{each['metadata']['name']}: {c['type']} {c['reason']}: {c.get('message')}" for c in bad]
        for pod in self.all("Pod"):
            states = [s.get("state") for s in pod.get("status", {}).get("containerStatuses", ())]
            if not any("running" in (s or {}) for s in states):
                told.append(f"Pod {pod['metadata']['name']} {pod.get('status', {}).get('phase')} {states}")
        return "\n".join(told[:40])

    @asynccontextmanager
    async def tenant(self, name: str = "demo") -> AsyncIterator[Client]:
        """A client of the business cluster, by its administrator's kubeconfig and through its endpoint."""
        secret = self.find("Secret", f"{name}-admin-kubeconfig")
        assert secret is not None
        config = read_kubeconfig(decoded(secret["data"])["kubeconfig"])
        transport = reach_from(self.world.network, self.clock)(config)(config.server, "")
        async with Client(transport, clock=self.clock, random=self.world.random) as client:
            yield client


@asynccontextmanager
async def fleet(
    clock: Clock,
    random: Random,
    plan: Plan = Plan(),  # noqa: B008  (frozen values)
    policy: Policy = Policy(),  # noqa: B008
    wire: Wire = plain,
) -> AsyncIterator[Fleet]:
    """A world, furnished, with one operator that works."""
    world = World(clock=clock, random=random, plan=plan)
    client = world.client_of(WORLD, "test")
    await furnish(client)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(world.run(), name="world")]
        running.append(tasks.create_task(operate(world, policy, wire=wire), name="operator"))
        yield Fleet(world, client)
        for task in reversed(running):
            task.cancel()


async def furnish(client: Client) -> None:
    """homeostat's kinds, its priority, and the package versions of the examples."""
    await define(client)
    priority = yaml.safe_load((ROOT / "deploy/operator/priority.yaml").read_text())
    await client.create(_PRIORITY, priority)
    for path in sorted((ROOT / "examples/packageversions").glob("*.yaml")):
        await client.create(unstructured(CLUSTER_PACKAGE_VERSION.resource), example(f"packageversions/{path.name}"))


async def operate(world: World, policy: Policy, *, wire: Wire = plain, ports: Ports = ports_of) -> None:
    """One process of `homeostat run cell`, until it is cancelled; `wire` and `ports` may see what leaves it."""
    clock, random = world.clock, world.random
    pulse = Pulse(clock)
    transport = wire(SimTransport(world.server, WORLD, clock=clock))
    client = Client(transport, clock=clock, random=random, field_manager="homeostat-cluster", observer=pulse)
    manager = Manager(clock=clock, random=random, settings=ManagerSettings(tune_gc=False))
    handout = WorldHandout(world.snapshots, world.copies, f"process-{clock.monotonic()}")
    outside, means = ports(world, handout)
    shared = fleet_of(manager, policy, is_slow=lambda: pulse.is_slow)
    add_cluster_operator(manager, client, outside, policy=policy, fleet=shared)
    add_backups(manager, client, means, namespaces=("",))
    try:
        code = await manager.run(asyncio.Event())
    finally:
        handout.close()
    raise RuntimeError(f"the operator has ended with {code}")
