"""Clusters that lost their quorum or are being restored, as the operator sees them; doubles of store and handout."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import convert
from msgspec.structs import replace
from tests.support.ailing import HOSTS, NAMES, ailing
from tests.support.clusters import NOW, cluster, new, workload

from homeostat.api.cluster.restoring import ClusterRestoreStatus, QuorumLossStatus, SnapshotOwner
from homeostat.api.pods import Pod
from homeostat.operators.cluster.backup.errors import SnapshotError, SnapshotNotFound
from homeostat.operators.cluster.backup.listing import Entry, newest_first
from homeostat.operators.cluster.backup.manifest import ClusterRef, Encryption, Manifest, Taken, describe
from homeostat.operators.cluster.backup.ports import Progress, Room, unheard
from homeostat.operators.cluster.healing.seen import EtcdSeen
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed, Workload
from homeostat.operators.cluster.restore.beginning import FETCHING
from homeostat.operators.cluster.restore.names import ATTEMPT_ANNOTATION, COMPONENT, OFFER_ANNOTATION, attempt_of
from homeostat.operators.cluster.restore.ports import Offer
from homeostat.operators.cluster.restore.seen import HandedSeen, SnapshotsSeen

OWN = ClusterRef("default", "demo", "uid-demo")
FORMER = ClusterRef("default", "demo", "uid-of-before")
LOST_AT = NOW - timedelta(hours=1)  # as members in ailing() are not ready since
TAKEN_AT = LOST_AT - timedelta(minutes=12)
DEAD = NAMES[1:]
OFFER = "offer-1"


def manifest(owner: ClusterRef = OWN, *, kubernetes: str = "v1.35.4", etcd: str = "3.6.16", **keys: str) -> Manifest:
    """A snapshot from twelve minutes before the loss; `keys` are those that its Secrets are encrypted with."""
    taken = Taken(owner, etcd, kubernetes, "v1.35.4", 4711, TAKEN_AT, **keys)
    encryption = Encryption("age", "2026-01-01", "age1")
    return describe(taken, plain=(10, "0" * 64), stored=(20, "1" * 64), encryption=encryption, homeostat_version="0")


ID = manifest().id


def entry(of: Manifest | None = None) -> Entry:
    """As a listing shows it."""
    found = of or manifest()
    return Entry(found.id, found.taken_at, found.revision, found.stored_bytes)


def store_said(owner: ClusterRef = OWN, snapshot: str = ID, **changes: Any) -> SnapshotsSeen:
    """An answer of the store's, a moment ago: all is well with the snapshot."""
    answer = SnapshotsSeen(NOW, owner, snapshot, sound=(entry(),), manifest=manifest(owner) if snapshot else None)
    return replace(answer, **changes)


def lost(*, told: bool = True, spent: str = "", answer: SnapshotsSeen | None = None, **healing: Any) -> Observed:
    """Two of three members are dead for an hour, and etcd has no leader."""
    seen = replace(ailing(*DEAD, healing=healing), members=EtcdSeen(NOW, failure="no member answers"), snapshots=answer)
    few = workload("etcd", "demo-etcd", ready=1, replicas=3)
    seen = replace(seen, workloads=dict(seen.workloads) | {"demo-etcd": few})
    loss = QuorumLossStatus(since=LOST_AT, newest_snapshot=ID, lost_seconds=720, spent_approval=spent)
    return replace(seen, cluster=_with(seen, quorum_loss=loss)) if told else seen


def restore(stage: str = FETCHING, *, owner: ClusterRef = OWN, **changes: Any) -> ClusterRestoreStatus:
    """A restore that was decided a moment ago."""
    named = SnapshotOwner(namespace=owner.namespace, name=owner.name, uid=owner.uid)
    began = ClusterRestoreStatus(
        snapshot=ID, cluster=named, number=1, stage=stage, started_at=NOW, stage_started_at=NOW, taken_at=TAKEN_AT
    )
    return replace(began, **changes)


def restoring(stage: str, *pods: Pod, handed: bool = True, stopped: bool = True, **changes: Any) -> Observed:
    """An approved restore of a cluster that lost its quorum, at a stage."""
    seen = lost(approveRestore=ID)
    state = restore(stage, **changes)
    others = () if stopped else seen.pods
    workloads = {name: without_replicas(each) if stopped else each for name, each in seen.workloads.items()}
    mine = HandedSeen(OWN, ID, OFFER) if handed else None
    own = _with(seen, restore=state)
    return replace(seen, cluster=own, pods=(*others, *pods), workloads=workloads, handed=mine, hosts=HOSTS)


def without_replicas(workload: Workload) -> Workload:
    """The same, scaled to nothing, as its controller tells."""
    return replace(
        workload,
        spec=replace(workload.spec, replicas=0),
        status=replace(workload.status, replicas=0, ready_replicas=0, updated_replicas=0),
    )


def begun_with(owner: ClusterRef = FORMER, snapshot: str = ID, *, keys: str = "", **changes: Any) -> Observed:
    """A new Cluster that names a snapshot, and has its keys and nothing else."""
    named = {"namespace": owner.namespace, "name": owner.name, "uid": owner.uid}
    wish = {"snapshot": snapshot, "cluster": named, "keysFrom": keys}
    return new(cluster(restoreFrom=wish), **changes)


def restore_pod(
    member: str = NAMES[0], phase: str = "Running", *, offer: str = OFFER, state: ClusterRestoreStatus | None = None
) -> Pod:
    """The Pod that restores a member; one that failed did so a minute ago."""
    marks = {ATTEMPT_ANNOTATION: attempt_of(state or restore()), OFFER_ANNOTATION: offer}
    metadata = {"name": f"{member}-restore", "namespace": "default", "uid": f"uid-{member}-restore"}
    metadata |= {"labels": {COMPONENT_LABEL: COMPONENT}, "annotations": marks}  # type: ignore[dict-item]
    ended = {"exitCode": 1, "message": "no route\n", "finishedAt": (NOW - timedelta(minutes=1)).isoformat()}
    failed = {"initContainerStatuses": [{"name": "fetch", "state": {"terminated": ended}}]}
    status = {"phase": phase, **(failed if phase == "Failed" else {})}
    return convert({"metadata": metadata, "spec": {"nodeName": "h1"}, "status": status}, Pod, strict=False)


def _with(seen: Observed, **status: Any) -> Any:
    return replace(seen.cluster, status=replace(seen.cluster.status, **status))


class FakeStore:
    """Satisfies SnapshotStore, for reading: manifests, of which none has bytes."""

    where = "a test's memory"

    def __init__(self, *manifests: Manifest) -> None:
        self.manifests = list(manifests)
        self.failure: SnapshotError | None = None

    async def put(self, file: Path, taken: Taken, progress: Progress = unheard) -> Manifest:
        raise NotImplementedError

    async def list(self, cluster: ClusterRef) -> tuple[Entry, ...]:
        return newest_first(entry(each) for each in self.manifests if each.cluster == cluster)

    async def manifest(self, cluster: ClusterRef, snapshot: str) -> Manifest:
        if self.failure is not None:
            raise self.failure
        for each in self.manifests:
            if (each.cluster, each.id) == (cluster, snapshot):
                return each
        raise SnapshotNotFound(
            f"reading the manifest of snapshot {snapshot} of {cluster}", self.where, "it is not there"
        )

    async def fetch(self, cluster: ClusterRef, snapshot: str, target: Path, progress: Progress = unheard) -> Manifest:
        return await self.manifest(cluster, snapshot)

    async def delete(self, cluster: ClusterRef, snapshot: str) -> None:
        raise NotImplementedError

    async def probe(self) -> Room:
        raise NotImplementedError


class FakeHandout:
    """Satisfies Handout; every one made has offers of its own, as every process has."""

    _made = 0

    def __init__(self, store: FakeStore) -> None:
        FakeHandout._made += 1
        self._store, self._token = store, f"token-{FakeHandout._made}"
        self._offers: dict[str, tuple[ClusterRef, str, Offer]] = {}

    def offered(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer | None:
        found = self._offers.get(taker)
        return found[2] if found is not None and found[:2] == (owner, snapshot) else None

    async def offer(self, taker: str, owner: ClusterRef, snapshot: str) -> Offer:
        found = await self._store.manifest(owner, snapshot)
        offer = Offer("https://127.0.0.1:1/snapshots/x", b"authority", self._token, found.plain_sha256)
        self._offers[taker] = (owner, snapshot, offer)
        return offer

    async def withdraw(self, taker: str) -> None:
        self._offers.pop(taker, None)
