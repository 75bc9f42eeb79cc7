"""What wakes the backup loop: a Cluster that came, was changed or asks for a snapshot; else only its own clock.

The key is `namespace/name` of the Cluster. Few workers bound how many snapshots are taken at once in a cell: the others
wait for their turn, and nobody else waits for them. Between two snapshots nothing is asked of etcd or of the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from homeostat.api.cluster.backup import SnapshotUnderWayStatus
from homeostat.api.cluster.v1alpha1 import CLUSTER, Cluster, ClusterStatus
from homeostat.kube.client import Client
from homeostat.operators.cluster import words as cluster_words
from homeostat.operators.cluster.backup.ports import SnapshotStore
from homeostat.operators.cluster.ports import SnapshotSource
from homeostat.operators.cluster.restore.beginning import is_under_way
from homeostat.operators.cluster.snapshots.act import Taker
from homeostat.operators.cluster.snapshots.decide import Plan, Seen, TakeSnapshot, decide
from homeostat.operators.cluster.snapshots.metrics import BackupMetrics
from homeostat.operators.cluster.snapshots.pinning import WISHES_INDEX, by_wish, wished
from homeostat.operators.cluster.snapshots.report import backup_part, report
from homeostat.runtime.conditions import find_condition
from homeostat.runtime.controller import Controller
from homeostat.runtime.loop import Loop, Report, Result, Rooms, Target
from homeostat.runtime.manager import Manager
from homeostat.runtime.outcome import DONE, Outcome
from homeostat.runtime.store import Store

NAME = "cluster-backup"
FIELD_MANAGER = "homeostat-backup"
AT_ONCE = 2  # snapshots of a cell; each takes what one connection to etcd and one to the store can carry
_WEDGED_AFTER_S = 6 * 3600.0  # the longest that all bounds of a snapshot of etcd's largest database add up to


class Means(Struct, frozen=True):
    """What snapshots are taken with."""

    source: SnapshotSource
    store: SnapshotStore
    scratch: Path  # of this process alone


class BackupRooms(Rooms[str, Seen, Plan, TakeSnapshot, ClusterStatus]):
    """The rooms of the backup loop."""

    def __init__(
        self, client: Client, clusters: Sequence[Store[Cluster]], means: Means | None, manager: Manager
    ) -> None:
        self._client, self._stores = client, clusters
        self._where = means.store.where if means is not None else ""
        self._taker = (
            Taker(client, means.source, means.store, means.scratch, clock=manager.clock) if means is not None else None
        )
        self._begun: dict[str, SnapshotUnderWayStatus] = {}
        self._metrics = BackupMetrics(manager.metrics, manager.clock, clusters if means is not None else ())

    async def observe(self, key: str) -> Seen | None:
        """From the cache, and from what this process began."""
        cluster = next((found for store in self._stores if (found := store.get(key)) is not None), None)
        if cluster is None:
            return None
        backup = cluster.status.backup
        taking = backup.taking if backup is not None else None
        begun = self._begun.get(cluster.metadata.uid)
        is_ours = taking is not None and taking == begun
        wishing = (each for store in self._stores for each in store.by_index(WISHES_INDEX, cluster.metadata.uid))
        named = wished(cluster, wishing) if is_ours else ()
        return Seen(cluster, self._where, is_ours=is_ours, wished=named)

    def decide(self, observed: Seen, now: datetime) -> Plan:
        """By decide.py."""
        return decide(observed, now)

    async def act(self, observed: Seen, action: TakeSnapshot) -> Outcome:
        """By act.py."""
        if self._taker is None:
            return DONE
        with self._metrics.taking() as measured:
            outcome = await self._taker.take(observed.cluster, action)
            measured(outcome)
        return outcome

    def report(
        self, observed: Seen, plan: Plan, results: tuple[Result[TakeSnapshot], ...], now: datetime
    ) -> Report[ClusterStatus]:
        """By report.py."""
        uid = observed.cluster.metadata.uid
        if plan.begins is not None:
            self._begun[uid] = plan.begins
        else:
            self._begun.pop(uid, None)
        return report(observed, plan, results, now)

    def target(self, observed: Seen) -> Target:
        """The Cluster, but only that part of its status that is the backup loop's."""
        key = observed.cluster.metadata.key
        shown = next((store for store in self._stores if store.get(key) is not None), None)
        return Target(self._client, CLUSTER, observed.cluster, shown, backup_part)


def add_backups(
    manager: Manager,
    client: Client,
    means: Means | None,
    *,
    namespaces: Sequence[str] = ("",),
    at_once: int = AT_ONCE,
) -> Controller[str]:
    """Wire one loop into a manager, over the caches of Clusters; without means it only tells that there are none."""
    wishes = {WISHES_INDEX: by_wish}
    clusters = [manager.informer(client, CLUSTER, namespace=each, indexes=wishes) for each in namespaces]
    rooms = BackupRooms(client, [informer.store for informer in clusters], means, manager)
    recorder = manager.recorder(client, FIELD_MANAGER)
    loop = Loop(rooms, clock=manager.clock, recorder=recorder, field_manager=FIELD_MANAGER)
    controller = loop.controller(
        NAME, random=manager.random, workers=at_once, metrics=manager.metrics, wedged_after_s=_WEDGED_AFTER_S
    )
    for informer in clusters:
        controller.watch(informer, when=is_news)
    manager.add(controller)
    return controller


def is_news(old: Cluster | None, new: Cluster | None) -> bool:
    """Whether a change says anything about backups: Clusters change often, mostly by what their masters do."""
    if old is None or new is None:
        return True
    return _mark(old) != _mark(new)


def _mark(cluster: Cluster) -> tuple[object, ...]:
    meta, status = cluster.metadata, cluster.status
    told = find_condition(status.conditions, cluster_words.UP_TO_DATE)
    return (
        *(meta.uid, meta.generation, meta.deletion_timestamp, status.ready_at is None),
        *(told.reason if told is not None else "", backup_part(status), is_under_way(cluster)),
    )
