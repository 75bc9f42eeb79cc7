"""What wakes the loop: Clusters, package versions, and everything derived from a Cluster, found by its label.

The key is `namespace/name` of the Cluster. Keys run in parallel, each by one worker at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import (
    CLUSTER,
    CLUSTER_PACKAGE_VERSION,
    Cluster,
    ClusterPackageVersion,
    ClusterStatus,
)
from homeostat.api.core import (
    CONFIG_MAP,
    DEPLOYMENT,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Node,
)
from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.kube.client import Client
from homeostat.operators.cluster.act import Actor
from homeostat.operators.cluster.actions import Action, Plan, Wrote
from homeostat.operators.cluster.admission import (
    ADDRESS_INDEX,
    PACKAGE_INDEX,
    by_address,
    by_package,
    cluster_validator,
    package_validator,
)
from homeostat.operators.cluster.backup.ports import SnapshotStore
from homeostat.operators.cluster.components import note_readiness
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.cell import CellHealth
from homeostat.operators.cluster.healing.observe import observe_ailing
from homeostat.operators.cluster.names import FIELD_MANAGER, NAME_LABEL
from homeostat.operators.cluster.observe import (
    OWNER_INDEX,
    ZONES_INDEX,
    Caches,
    Memory,
    Observed,
    asks_for_zones,
    observe,
)
from homeostat.operators.cluster.ports import Etcd, Outside, Probe
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.topology import open_zones
from homeostat.runtime.controller import Controller
from homeostat.runtime.informer import Informer
from homeostat.runtime.loop import Loop, Report, Result, Rooms, Target
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import Outcome
from homeostat.runtime.store import Store
from homeostat.runtime.webhook.service import Webhooks

T = TypeVar("T", bound=Object)
NAME = "cluster"


def _by_zones(cluster: Cluster) -> Iterable[str]:
    return ("yes",) if asks_for_zones(cluster) else ()


INDEXES = {ADDRESS_INDEX: by_address, PACKAGE_INDEX: by_package, ZONES_INDEX: _by_zones}


class ClusterRooms(Rooms[str, Observed, Plan, Action, ClusterStatus]):
    """The rooms of the cluster operator, joined to their caches."""

    def __init__(self, client: Client, caches: Caches, outside: Outside, policy: Policy, manager: Manager) -> None:
        self._client = client
        self._caches = caches
        self._policy = policy
        self._clock = manager.clock
        self._memories: dict[str, Memory] = {}
        self._reported: dict[str, ClusterStatus] = {}
        self._store = outside.store
        self._actor = Actor(client, outside.probe, outside.etcd, self._memory, clock=manager.clock)
        self._cell = CellHealth(policy.healing.cell)

    async def observe(self, key: str) -> Observed | None:
        """From the caches, and from what this process remembers of earlier looks."""
        now = self._clock.now()
        seen = observe(key, self._caches, self._memory, now)
        if seen is None:
            return None
        known = self._memory(seen.cluster.metadata.uid)
        ailing = observe_ailing(seen, self._caches.nodes, self._cell, known, now)
        stored = replace(ailing, store=self._store.where if self._store is not None else "")
        return note_readiness(stored, known, now)

    def decide(self, observed: Observed, now: datetime) -> Plan:
        """By the rules of decide.py."""
        return decide(observed, now, self._policy)

    async def act(self, observed: Observed, action: Action) -> Outcome:
        """By act.py."""
        return await self._actor.act(observed, action)

    def echoes(self, outcome: Outcome) -> Iterable[tuple[Store[Any], str]]:
        """Derived objects come back by the caches of their kinds."""
        versions = outcome.versions if isinstance(outcome, Wrote) else ()
        return ((self._caches.derived(kind), version) for kind, version in versions)

    def report(
        self, observed: Observed, plan: Plan, results: tuple[Result[Action], ...], now: datetime
    ) -> Report[ClusterStatus]:
        """By report.py."""
        told = report(observed, plan, results, now)
        if told.status is not None:
            self._reported[observed.cluster.metadata.uid] = told.status
        return told

    def target(self, observed: Observed) -> Target:
        """The Cluster itself."""
        return Target(self._client, CLUSTER, observed.cluster, self._caches.clusters)

    def note(self, old: Cluster | None, new: Cluster | None) -> None:
        """Count the clusters of the cell; one that is gone needs no memory."""
        self._cell.note(old, new)
        if old is not None and new is None:
            self._memories.pop(old.metadata.uid, None)
            self._reported.pop(old.metadata.uid, None)

    def is_news(self, old: Cluster | None, new: Cluster | None) -> bool:
        """Whether a change is more than the echo of our own status: waking for that would undo every back-off."""
        if old is None or new is None or new.status != self._reported.get(new.metadata.uid):
            return True
        before = replace(old.metadata, resource_version=new.metadata.resource_version)
        return before != new.metadata or old.spec != new.spec

    def _memory(self, uid: str) -> Memory:
        return self._memories.setdefault(uid, Memory())


def add_cluster_operator(
    manager: Manager,
    client: Client,
    probe: Probe,
    etcd: Etcd,
    *,
    store: SnapshotStore | None = None,
    namespace: str = "",
    workers: int = 8,
    policy: Policy = Policy(),  # noqa: B008  (a frozen value)
) -> Controller[str]:
    """Wire informers, loop and controller into a manager; an empty namespace means all of them."""
    clusters = manager.informer(client, CLUSTER, namespace=namespace, indexes=INDEXES)
    packages = manager.informer(client, CLUSTER_PACKAGE_VERSION)

    def owned(kind: Kind[T]) -> Informer[T]:
        return manager.informer(
            client, kind, namespace=namespace, labels=NAME_LABEL, indexes={OWNER_INDEX: _cluster_keys}
        )

    secrets, services, stateful_sets = owned(SECRET), owned(SERVICE), owned(STATEFUL_SET)
    deployments, pods, claims = owned(DEPLOYMENT), owned(POD), owned(PERSISTENT_VOLUME_CLAIM)
    config_maps, budgets = owned(CONFIG_MAP), owned(POD_DISRUPTION_BUDGET)
    nodes = manager.informer(client, NODE)
    caches = Caches(
        clusters.store,
        packages.store,
        secrets.store,
        services.store,
        stateful_sets.store,
        deployments.store,
        pods.store,
        claims.store,
        config_maps.store,
        budgets.store,
        nodes.store,
    )
    rooms = ClusterRooms(client, caches, Outside(probe, etcd, store), policy, manager)
    clusters.add_handler(lambda old, new, _priority: rooms.note(old, new))
    loop = Loop(
        rooms, clock=manager.clock, recorder=manager.recorder(client, FIELD_MANAGER), field_manager=FIELD_MANAGER
    )
    controller = loop.controller(NAME, random=manager.random, workers=workers, metrics=manager.metrics)
    controller.watch(clusters, to_keys=_with_rivals(clusters.store), when=rooms.is_news)
    controller.watch(packages, to_keys=_users_of(clusters.store))
    controller.watch(nodes, to_keys=_askers_for_zones(clusters.store), when=_opens_or_closes_a_zone)
    sources: tuple[Informer[Any], ...] = (
        *(secrets, services, config_maps, budgets),
        *(stateful_sets, deployments, pods, claims),
    )
    for informer in sources:
        controller.watch(informer, to_keys=_cluster_keys)
    manager.add(controller)
    return controller


def add_cluster_admission(
    webhooks: Webhooks, manager: Manager, client: Client, *, namespaces: Sequence[str] = ("",)
) -> None:
    """Register what is refused, over the caches that the operators of these namespaces fill."""
    clusters = [manager.informer(client, CLUSTER, namespace=each, indexes=INDEXES) for each in namespaces]
    packages = manager.informer(client, CLUSTER_PACKAGE_VERSION)
    stores = [informer.store for informer in clusters]
    webhooks.add(CLUSTER, ("CREATE", "UPDATE"), cluster_validator(stores, packages.store), needs=(*clusters, packages))
    webhooks.add(CLUSTER_PACKAGE_VERSION, ("DELETE",), package_validator(stores), needs=clusters)


def _cluster_keys(obj: Object) -> Iterable[str]:
    name = obj.metadata.labels.get(NAME_LABEL)
    return (f"{obj.metadata.namespace}/{name}",) if name else ()


def _askers_for_zones(clusters: Store[Cluster]) -> Callable[[Node], list[str]]:
    return lambda _: [cluster.metadata.key for cluster in clusters.by_index(ZONES_INDEX, "yes")]


def _opens_or_closes_a_zone(old: Node | None, new: Node | None) -> bool:
    return open_zones([old] if old else []) != open_zones([new] if new else [])


def _with_rivals(clusters: Store[Cluster]) -> Callable[[Cluster], list[str]]:
    """A Cluster that goes, or gives up its address, lets others have it."""

    def keys(cluster: Cluster) -> list[str]:
        others = (other for address in by_address(cluster) for other in clusters.by_index(ADDRESS_INDEX, address))
        return [cluster.metadata.key, *(other.metadata.key for other in others)]

    return keys


def _users_of(clusters: Store[Cluster]) -> Callable[[ClusterPackageVersion], list[str]]:
    def keys(package: ClusterPackageVersion) -> list[str]:
        return clusters.keys_by_index(PACKAGE_INDEX, package.metadata.name)[1]

    return keys
