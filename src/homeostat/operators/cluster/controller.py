"""What wakes the loop: Clusters, package versions, and everything derived from a Cluster, found by its label.

The key is `namespace/name` of the Cluster. Keys run in parallel, each by one worker at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import (
    CLUSTER,
    CLUSTER_PACKAGE_VERSION,
    Cluster,
    ClusterPackageVersion,
    ClusterStatus,
)
from homeostat.api.core import Node
from homeostat.kit.clock import Clock
from homeostat.kube.client import Client
from homeostat.operators.cluster.act import Actor
from homeostat.operators.cluster.actions import Action, Conflicted, Plan, Refused, Wrote
from homeostat.operators.cluster.admission import (
    ADDRESS_INDEX,
    PACKAGE_INDEX,
    by_address,
    cluster_validator,
    package_validator,
)
from homeostat.operators.cluster.components import note_readiness
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.fleet import Fleet
from homeostat.operators.cluster.healing.observe import observe_ailing
from homeostat.operators.cluster.informers import INDEXES, cluster_keys, informers_of
from homeostat.operators.cluster.manifests.shape import digest_of
from homeostat.operators.cluster.measuring import MeasuredProbe
from homeostat.operators.cluster.names import FIELD_MANAGER
from homeostat.operators.cluster.observe import (
    ZONES_INDEX,
    Caches,
    Memory,
    Observed,
    observe,
)
from homeostat.operators.cluster.pacing.urgency import urgency
from homeostat.operators.cluster.ports import Outside
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.resting import Rest, is_as_ever, keep_watch, rest_after
from homeostat.operators.cluster.snapshots.report import other_part
from homeostat.operators.cluster.topology import open_zones
from homeostat.operators.cluster.upkeep.observe import observe_stores
from homeostat.runtime.controller import Controller
from homeostat.runtime.loop import Loop, Report, Result, Rooms, Target, waiting
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import Outcome
from homeostat.runtime.queue import Priority
from homeostat.runtime.store import Store
from homeostat.runtime.webhook.service import Webhooks

NAME = "cluster"


class ClusterRooms(Rooms[str, Observed, Plan, Action, ClusterStatus]):
    """The rooms of the cluster operator, joined to their caches."""

    def __init__(
        self, client: Client, caches: Caches, outside: Outside, policy: Policy, fleet: Fleet, clock: Clock
    ) -> None:
        self._client = client
        self._caches = caches
        self._policy = policy
        self._clock = clock
        self._memories: dict[str, Memory] = {}
        self._reported: dict[str, str] = {}  # the digest of our part of the status, by uid
        self._rests: dict[str, Rest] = {}  # by uid
        self._store = outside.store
        self._probe = outside.probe
        self._actor = Actor(client, outside, self._memory, clock=clock)
        self._fleet = fleet

    async def glance(self, key: str) -> Outcome | None:
        """Watch over a cluster at rest (resting.py): what is not as ever ends the rest, and is looked at."""
        cluster, now = self._caches.clusters.get(key), self._clock.now()
        rest = self._rests.pop(cluster.metadata.uid, None) if cluster is not None else None
        if cluster is None or rest is None or rest.seen.versions != self._caches.versions(cluster):
            return None
        known = self._memory(cluster.metadata.uid)
        rest = _answered(rest, known)
        plan = keep_watch(rest, now, self._policy) if not known.is_set_back(now) else None
        if plan is None:
            return None
        known.looked_at = now
        outcomes = [await self._actor.act(rest.seen, action) for action in plan.actions]
        rest = _answered(rest, known)
        now = self._clock.now()
        if not is_as_ever(rest, outcomes, now, self._policy):
            return None
        self._rests[cluster.metadata.uid] = rest
        return waiting(plan, now)

    async def observe(self, key: str) -> Observed | None:
        """From the caches, and from what this process remembers of earlier looks."""
        now = self._clock.now()
        seen = observe(key, self._caches, self._memory, now)
        if seen is None:
            return None
        known = self._memory(seen.cluster.metadata.uid)
        seen = replace(seen, place=self._fleet.pace.place(seen.cluster, now))
        ailing = observe_ailing(seen, self._caches.nodes, self._fleet.health, known, now)
        where = self._store.where if self._store is not None else ""
        stored = replace(ailing, store=where, node_ports=self._policy.node_ports)
        cared = observe_stores(stored, known, now, self._policy.upkeep.every)
        return note_readiness(cared, known, now)

    def decide(self, observed: Observed, now: datetime) -> Plan:
        """By the rules of decide.py."""
        return decide(observed, now, self._policy)

    async def act(self, observed: Observed, action: Action) -> Outcome:
        """By act.py."""
        return await self._actor.act(observed, action)

    def echoes(self, outcome: Outcome) -> Iterable[tuple[Store[Any], str]]:
        """Derived objects come back by the caches of their kinds."""
        versions = outcome.versions if isinstance(outcome, Wrote | Refused | Conflicted) else ()
        return ((self._caches.derived(kind), version) for kind, version in versions)

    def report(
        self, observed: Observed, plan: Plan, results: tuple[Result[Action], ...], now: datetime
    ) -> Report[ClusterStatus]:
        """By report.py."""
        told = report(observed, plan, results, now)
        if told.status is None:
            return told
        own, uid = other_part(told.status), observed.cluster.metadata.uid
        self._reported[uid] = digest_of(own)
        rest = rest_after(observed, plan, results, own, now)
        if rest is not None:
            self._rests[uid] = rest
        return replace(told, status=own)

    def target(self, observed: Observed) -> Target:
        """The Cluster, without the part of its status that is the backup loop's."""
        return Target(self._client, CLUSTER, observed.cluster, self._caches.clusters, other_part)

    def note(self, old: Cluster | None, new: Cluster | None, priority: Priority) -> None:
        """Count the clusters of the cell; one that is gone needs no memory, here or in the probe."""
        self._fleet.note(old, new, is_first_list=priority is Priority.INITIAL)
        if old is not None and new is None:
            self._probe.forget(self._memories.pop(old.metadata.uid, Memory()).admin.data)
            self._reported.pop(old.metadata.uid, None)
            self._rests.pop(old.metadata.uid, None)

    def is_news(self, old: Cluster | None, new: Cluster | None) -> bool:
        """Whether a change is more than the echo of our own status: waking for that would undo every back-off."""
        if old is None or new is None or digest_of(other_part(new.status)) != self._reported.get(new.metadata.uid):
            return True
        if old.status.backup != new.status.backup:  # an upgrade may wait for it
            return True
        before = replace(old.metadata, resource_version=new.metadata.resource_version)
        return before != new.metadata or old.spec != new.spec

    def _memory(self, uid: str) -> Memory:
        return self._memories.setdefault(uid, Memory())


def _answered(rest: Rest, known: Memory) -> Rest:
    """The same rest, with what was answered since."""
    servers, leaders = dict(known.servers), dict(known.leaders)
    seen = replace(rest.seen, probed=known.probed, servers=servers, leaders=leaders, upkeep=known.upkeep)
    return replace(rest, seen=seen)


def fleet_of(
    manager: Manager,
    policy: Policy = Policy(),  # noqa: B008  (a frozen value)
    *,
    is_slow: Callable[[], bool] = lambda: False,
) -> Fleet:
    """What the operators of one process know of their cell; whether it is slow is felt by whoever talks to it."""
    return Fleet(manager.metrics, policy.healing.cell, policy.pacing, clock=manager.clock, is_slow=is_slow)


def add_cluster_operator(
    manager: Manager,
    client: Client,
    outside: Outside,
    *,
    namespace: str = "",
    workers: int = 8,
    policy: Policy = Policy(),  # noqa: B008  (a frozen value)
    fleet: Fleet | None = None,
) -> Controller[str]:
    """Wire informers, loop and controller into a manager; an empty namespace means all of them.

    Operators of several namespaces of one cell are given the same fleet: budgets are the cell's.
    """
    fleet = fleet or fleet_of(manager, policy)
    informers = informers_of(manager, client, namespace)
    clusters = informers.clusters
    outside = replace(outside, probe=MeasuredProbe(outside.probe, manager.metrics, clock=manager.clock))
    rooms = ClusterRooms(client, informers.caches, outside, policy, fleet, manager.clock)
    clusters.add_handler(rooms.note)
    informers.pods.add_handler(lambda old, new, _priority: fleet.note_pod(old, new))
    loop = Loop(
        rooms, clock=manager.clock, recorder=manager.recorder(client, FIELD_MANAGER), field_manager=FIELD_MANAGER
    )
    controller = loop.controller(
        NAME,
        random=manager.random,
        workers=workers,
        metrics=manager.metrics,
        rank=lambda key, asked: urgency(clusters.store.get(key), asked),
    )
    fleet.wakers.append(lambda key: controller.queue.add(key) if clusters.store.get(key) is not None else None)
    controller.watch(clusters, to_keys=_with_rivals(clusters.store), when=rooms.is_news)
    controller.watch(informers.packages, to_keys=_users_of(clusters.store))
    controller.watch(informers.nodes, to_keys=_askers_for_zones(clusters.store), when=_opens_or_closes_a_zone)
    for informer in informers.derived:
        controller.watch(informer, to_keys=cluster_keys)
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
    webhooks.add(CLUSTER_PACKAGE_VERSION, ("CREATE", "DELETE"), package_validator(stores), needs=clusters)


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
