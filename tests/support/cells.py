"""A cell in a namespace of its own, as a test of the cluster operator sees it, and hosts in zones for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from tests.support.granting import FakeRights
from tests.support.kinds import cluster
from tests.support.kubelet import KINDS, Kubelet, Whole
from tests.support.membership import FakeEtcd
from tests.support.operating import FakeEndpoint, Operator
from tests.support.restoring import FakeHandout, FakeStore
from tests.support.stores import FakeStores

from homeostat.api.cluster.v1alpha1 import CLUSTER
from homeostat.api.core import NODE
from homeostat.kube.client import Client
from homeostat.kube.errors import NotFound
from homeostat.kube.transport import Transport
from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.pulse import Pulse
from homeostat.operators.cluster.restore.ports import RestoreTools
from homeostat.operators.cluster.snapshots.controller import Means

PACKAGE = "v1.35.4"
ZONES = ("a", "b", "c")


class Cell:
    """One namespace with its double, as a test sees it."""

    def __init__(self, transport: Transport, client: Client, kubelet: Kubelet, namespace: str) -> None:
        self.client = client
        self.kubelet = kubelet
        self.namespace = namespace
        self.clock = kubelet.clock
        self.endpoint = FakeEndpoint(self.clock)
        self.etcd = FakeEtcd()
        self.store = FakeStore()
        self.stores = FakeStores(self.etcd)
        self.rights = FakeRights()
        self.haste = 1.0  # how many times faster time goes for its operators
        self._transport = transport

    def operator(
        self,
        haste: float = 0.0,
        ahead: timedelta = timedelta(0),
        means: Means | None = None,
        policy: Policy = Policy(),  # noqa: B008  (a frozen value)
        pulse: Pulse | None = None,
        workers: int = 8,
    ) -> Operator:
        """An operator for this namespace, to be entered; its clock may be fast, and ahead of everybody else's."""
        haste = haste or self.haste
        return Operator(
            self._transport,
            self.namespace,
            clock=self.clock,
            random=self.kubelet.random,
            endpoint=self.endpoint,
            etcd=self.etcd,
            stores=self.stores,
            rights=self.rights,
            haste=haste,
            ahead=ahead,
            means=means,
            restoring=RestoreTools(self.store, FakeHandout(self.store), "homeostat.local/homeostat:test"),
            policy=policy,
            pulse=pulse,
            workers=workers,
        )

    async def declare(self, name: str = "demo", **spec: Any) -> Whole:
        """Create a Cluster."""
        return await self.client.create(KINDS["Cluster"], cluster(name, self.namespace, **spec))

    async def set_spec(self, name: str = "demo", **spec: Any) -> None:
        """Change a Cluster's spec."""
        await self.client.merge_patch(CLUSTER, name, {"spec": spec}, self.namespace)

    async def delete(self, name: str = "demo") -> None:
        """Delete a Cluster."""
        await self.client.delete(CLUSTER, name, self.namespace)

    def find(self, kind: str, name: str) -> Whole | None:
        """One object, if it is there."""
        return self.kubelet.find(kind, name, self.namespace)

    def get(self, kind: str, name: str) -> Whole:
        """One object, which must be there."""
        found = self.find(kind, name)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def all(self, kind: str) -> list[Whole]:
        """All objects of a kind in this namespace."""
        return self.kubelet.all(kind, self.namespace)

    def status(self, name: str = "demo") -> Whole:
        """A Cluster's status; empty when there is none."""
        found = self.find("Cluster", name)
        return {} if found is None else found.get("status", {})

    def condition(self, type_: str, name: str = "demo") -> Whole:
        """One condition; empty when there is none."""
        conditions = self.status(name).get("conditions", ())
        return next((each for each in conditions if each["type"] == type_), {})

    async def until_ready(self, name: str = "demo", *, within_s: float = 90.0) -> Whole:
        """The status of a Cluster once it is Ready."""
        ready = await self.kubelet.until(
            lambda: self.condition("Ready", name).get("status") == "True" and self.status(name),
            f"Cluster {name} is Ready",
            within_s=within_s,
        )
        assert isinstance(ready, dict)
        return ready

    async def until_condition(self, type_: str, reason: str, name: str = "demo", *, within_s: float = 90.0) -> Whole:
        """A condition once it has a reason."""
        return await self.kubelet.until(
            lambda: self.condition(type_, name) if self.condition(type_, name).get("reason") == reason else None,
            f"{type_} of {name} says {reason}",
            within_s=within_s,
        )

    async def until_told(self, reason: str, note: str) -> list[str]:
        """Wait for an Event; then the notes of all Events of that reason, in their order."""

        def notes() -> list[str]:
            found = [event for event in self.all("Event") if event["reason"] == reason]
            return [str(event["note"]) for event in sorted(found, key=lambda event: str(event["eventTime"]))]

        return await self.kubelet.until(lambda: notes() if note in notes() else None, f"{reason}: {note}")

    async def until_gone(self, name: str = "demo", *, within_s: float = 90.0) -> None:
        """Wait until a Cluster is no more."""
        gone = f"Cluster {name} is gone"
        await self.kubelet.until(lambda: self.find("Cluster", name) is None, gone, within_s=within_s)


async def open_zone(client: Client, zone: str) -> None:
    """A host that takes Pods, in a zone."""
    name = f"topology-{zone}"
    await client.create(NODE, {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}}})
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await client.merge_patch(NODE, name, ready, subresource="status")
    # The API server marks every new Node as not ready; a controller of the cell would take the mark away.
    await client.merge_patch(NODE, name, {"spec": {"taints": None}})


@asynccontextmanager
async def open_zones(client: Client) -> AsyncIterator[None]:
    """A host in each of three zones, as long as the block lasts; the test may take some away."""
    for zone in ZONES:
        await open_zone(client, zone)
    try:
        yield
    finally:
        await close_zones(client)


async def close_zones(client: Client) -> None:
    """Let no host of a zone be left."""
    for zone in ZONES:
        with suppress(NotFound):
            await client.delete(NODE, f"topology-{zone}")


async def clear(client: Client, clusters: list[Whole]) -> None:
    """Let no Cluster be left that an operator of a later test would care for."""
    free = {"metadata": {"finalizers": None}, "spec": {"deletionProtection": False}}
    for each in clusters:
        name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
        with suppress(NotFound):
            await client.merge_patch(CLUSTER, name, free, namespace)
            await client.delete(CLUSTER, name, namespace)
