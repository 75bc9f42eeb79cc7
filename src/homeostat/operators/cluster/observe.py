"""From a key to everything that the decision may look at: caches, Secrets judged, and what was remembered.

Nothing is asked of the API here. What is remembered (the fingerprint of an object as our last apply left it, the last
probe) only saves work: after a restart every object is applied once more, which changes nothing that is as declared;
workloads that another release of homeostat made otherwise, for the same, are kept as they are (manifests/causes.py).

An edit of a derived object is noticed by its fingerprint: generation for workloads (it counts changes of spec), our
labels and annotations, and the whole content of Services and ConfigMaps, which have no generation. Comparing every
field of every object on every event would cost more than the apply that puts things right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct, field

from homeostat.api.cluster.certificates import ClusterRotationStatus
from homeostat.api.cluster.network import ClusterEndpointStatus
from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion
from homeostat.api.core import (
    ConfigMap,
    Deployment,
    Node,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    Secret,
    Service,
    StatefulSet,
)
from homeostat.api.meta import ObjectMeta
from homeostat.kit.pki.soundness import decoded
from homeostat.kube.target import Secret as Hidden
from homeostat.operators.cluster.admission import ADDRESS_INDEX
from homeostat.operators.cluster.healing.cell import CellSeen
from homeostat.operators.cluster.healing.hearing import Heard, hear, told_at
from homeostat.operators.cluster.healing.seen import EtcdSeen, HostSeen, LeaderHeld, ServerSeen
from homeostat.operators.cluster.hosting.seen import RightsSeen
from homeostat.operators.cluster.manifests.shape import digest_of
from homeostat.operators.cluster.names import (
    API_PORT,
    CAUSE_ANNOTATION,
    DIGEST_ANNOTATION,
    KUBECONFIG_KEY,
    UID_LABEL,
    Names,
    names_of,
)
from homeostat.operators.cluster.pacing.place import FREE, Place
from homeostat.operators.cluster.pki.judging import AuthoritySeen, LeafSeen, Verdicts, judge
from homeostat.operators.cluster.pki.leaves import leaves
from homeostat.operators.cluster.ports import EtcdAccess, Refusal
from homeostat.operators.cluster.reaching import access_by
from homeostat.operators.cluster.restore.seen import HandedSeen, SnapshotsSeen
from homeostat.operators.cluster.rollout.standing import hosted_now
from homeostat.operators.cluster.topology import open_zones, standing, topology_of
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.runtime.store import Store

OWNER_INDEX, ZONES_INDEX = "cluster", "zones"
Workload = Deployment | StatefulSet
_KUBELETS_LAST = timedelta(seconds=60)
_KUBELETS_KNOWN = timedelta(hours=1)  # for a time when nobody can be asked
_SET_BACK = timedelta(seconds=5)  # a clock that goes back by less is only being adjusted


class Live(Struct, frozen=True):
    """A derived object as it is."""

    uid: str
    fingerprint: str
    deleting: bool
    mark: str = ""  # what our annotations say of it: which declaration it is as, and what that was made for
    cause: str = ""


class ProbeSeen(Struct, frozen=True):
    """The last probe of the endpoint."""

    at: datetime
    version: str  # empty: it failed
    message: str = ""
    refused: Refusal | None = None  # of its write, by an API server that answers

    @property
    def serves(self) -> bool:
        """Whether masters do for clients what they can: what people's own policies refuse is no fault of theirs."""
        return self.version != "" and (self.refused is None or self.refused.is_by_policy)

    @property
    def failure(self) -> str:
        """Why they do not; empty when they do."""
        why = self.refused.why if self.refused is not None else self.message or "the last read failed"
        return "" if self.serves else why


class KubeletsSeen(Struct, frozen=True):
    """Of which versions the business cluster's kubelets were when they were asked."""

    at: datetime
    versions: frozenset[str]
    generation: int  # of the declaration that was followed: workers may have come or moved before the next one

    def is_fresh(self, cluster: Cluster, now: datetime) -> bool:
        """Whether a move may rely on it."""
        return self.generation == cluster.metadata.generation and now - self.at <= _KUBELETS_LAST


class Observed(Struct, frozen=True, kw_only=True):
    """One cluster, as declared and as it is."""

    cluster: Cluster
    names: Names
    packages: Mapping[str, ClusterPackageVersion]  # all of the cell, by name
    endpoint: ClusterEndpointStatus | None
    authority: AuthoritySeen
    leaves: tuple[LeafSeen, ...]
    live: Mapping[tuple[str, str], Live]  # by kind and name
    applied: Mapping[tuple[str, str], tuple[str, str]]  # digest declared, fingerprint left
    workloads: Mapping[str, Workload]  # by name
    pods: tuple[Pod, ...] = ()
    claims: tuple[PersistentVolumeClaim, ...] = ()
    foreign_claims: tuple[str, ...] = ()  # by name: those that another Cluster of this name left
    zones: frozenset[str] = frozenset()  # of the cell, with a host that takes Pods; looked at while masters are to come
    rival: str = ""  # an older Cluster that asks for the same address
    versions: frozenset[str] = frozenset()  # of all objects that are seen here
    probed: ProbeSeen | None = None
    ready_since: datetime | None = None  # when the readiness of a master last changed; None: not known
    kubelets: frozenset[str] | None = None  # versions of the business cluster's kubelets; None: not known
    kubelets_due: bool = False  # whether they are asked anew, though nothing moves
    hosts: Mapping[str, HostSeen] = {}  # of the cell, by name; looked at while a member of etcd is not ready
    unready: Mapping[str, datetime] = {}  # members of etcd, and since when this process has seen them so
    heard: Heard = {}  # what kubelets tell of Pods, and since when it is so
    members: EtcdSeen | None = None  # None: not asked
    servers: Mapping[str, ServerSeen] = {}  # API servers as they answered past the endpoint, by the uid of their Pod
    leaders: Mapping[str, LeaderHeld] = {}  # of controllers, by component; of those that a Lease was seen of
    cell: CellSeen = CellSeen()
    rewritten: bool = False  # whether all Secrets were written anew since the rotation came to its stage
    rewriting_stuck: str = ""  # why one of them cannot be; empty: that is not so, or not known
    upkeep: UpkeepSeen = UpkeepSeen()
    place: Place = FREE  # in the line of those who want to be made, or to move
    node_ports: bool = True  # whether the cell's load balancer needs those of endpoints
    store: str = ""  # where snapshots are kept, for people; empty: nowhere
    snapshots: SnapshotsSeen | None = None  # None: the store was not asked
    rights: RightsSeen | None = None  # of hosted operators in the business cluster; None: not asked for
    handed: HandedSeen | None = None  # a snapshot that this process has ready for the Pods of a restore

    @property
    def is_begun(self) -> bool:
        """Whether masters with data may exist already."""
        return bool(self.claims) or self.names.etcd in self.workloads or self.cluster.status.ready_at is not None

    def since(self, pod: Pod, told: datetime) -> datetime:
        """When something happened that its kubelet told with a time."""
        return self.heard.get((pod.metadata.uid, told)) or told_at(pod, told)


class Rewriting(Struct, frozen=True):
    """How far all Secrets of a business cluster were written anew."""

    of: ClusterRotationStatus | None  # the stage that it belongs to
    after: str = ""  # where to go on
    is_done: bool = False
    failures: int = 0  # in a row, at that place
    stuck: str = ""  # why one of them could not be written, for which all were begun anew


Lives = dict[tuple[str, str], tuple[Any, Live]]  # by kind and name: the object of the cache, and what it was taken for


class Memory(Struct):
    """What saves work between two looks at one cluster; losing it is harmless."""

    looked_at: datetime | None = None
    applied: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    probed: ProbeSeen | None = None
    readiness: tuple[bool, ...] = ()  # of each component, when it last changed
    ready_since: datetime | None = None
    kubelets: KubeletsSeen | None = None
    unready: dict[str, datetime] = field(default_factory=dict)
    heard: Heard | None = None  # None: this is the first look
    members: EtcdSeen | None = None
    admin: Hidden = Hidden()  # the administrator's kubeconfig, as the cache has it: probes cost the cell nothing
    etcd: EtcdAccess = EtcdAccess({}, b"", b"", b"")  # the same for looks at the stores of etcd
    servers: dict[str, ServerSeen] = field(default_factory=dict)
    leaders: dict[str, LeaderHeld] = field(default_factory=dict)
    snapshots: SnapshotsSeen | None = None
    handed: HandedSeen | None = None
    upkeep: UpkeepSeen = UpkeepSeen()
    rights: RightsSeen | None = None
    verdicts: Verdicts = field(default_factory=dict)
    lives: Lives = field(default_factory=dict)
    rewriting: Rewriting | None = None

    def is_set_back(self, now: datetime) -> bool:
        """Whether the clock was, since the last look."""
        return self.looked_at is not None and now < self.looked_at - _SET_BACK

    def at(self, now: datetime) -> Memory:
        """What may be trusted now: of a clock that was set back since the last look, no time.

        Answers of the future would be believed, and nobody asked again, until that time comes.
        """
        is_set_back, self.looked_at = self.is_set_back(now), now
        if not is_set_back:
            return self
        self.probed, self.kubelets, self.members, self.snapshots, self.rights = (None,) * 5
        self.readiness, self.ready_since, self.heard, self.upkeep = (), None, None, UpkeepSeen()
        for times in (self.unready, self.servers, self.leaders):
            times.clear()
        return self


class Caches(Struct, frozen=True):
    """The stores that are read; those of derived objects hold only labelled ones, indexed by Cluster."""

    clusters: Store[Cluster]
    packages: Store[ClusterPackageVersion]
    secrets: Store[Secret]
    services: Store[Service]
    stateful_sets: Store[StatefulSet]
    deployments: Store[Deployment]
    pods: Store[Pod]
    claims: Store[PersistentVolumeClaim]
    config_maps: Store[ConfigMap]
    budgets: Store[PodDisruptionBudget]
    nodes: Store[Node]

    def versions(self, cluster: Cluster) -> frozenset[str]:
        """Of all that a look at one cluster sees: the same set means that nothing of it has changed."""
        key = cluster.metadata.key
        owned = (self.secrets, self.services, self.stateful_sets, self.deployments, self.pods)
        stores: tuple[Store[Any], ...] = (*owned, self.claims, self.config_maps, self.budgets)
        objects = (each.metadata for store in stores for each in store.by_index(OWNER_INDEX, key))
        own = [each for each in objects if each.labels.get(UID_LABEL) == cluster.metadata.uid]
        others = (package.metadata for package in self.packages.values())
        return frozenset(each.resource_version for each in (cluster.metadata, *own, *others))

    def derived(self, kind: str) -> Store[Any]:
        """Where objects of a kind that the operator writes are seen."""
        stores: dict[str, Store[Any]] = {
            "Secret": self.secrets,
            "Service": self.services,
            "StatefulSet": self.stateful_sets,
            "Deployment": self.deployments,
            "ConfigMap": self.config_maps,
            "PodDisruptionBudget": self.budgets,
            "PersistentVolumeClaim": self.claims,
            "Pod": self.pods,
        }
        return stores[kind]


def observe(key: str, caches: Caches, memory: Callable[[str], Memory], now: datetime) -> Observed | None:
    """Everything about one cluster; None when there is none of that key."""
    cluster = caches.clusters.get(key)
    if cluster is None:
        return None
    uid = cluster.metadata.uid
    names = names_of(cluster)
    known = memory(uid).at(now)
    services = _of(caches.services, key, uid)
    workloads: list[Workload] = [*_of(caches.stateful_sets, key, uid), *_of(caches.deployments, key, uid)]
    endpoint = cluster.status.endpoint or _assigned(cluster, services, names)
    secrets = {secret.metadata.name: secret for secret in _of(caches.secrets, key, uid)}
    known.admin = _kubeconfig(secrets.get(names.admin))
    if names.apiserver in secrets:
        known.etcd = access_by(cluster, secrets[names.apiserver])
    packages = {package.metadata.name: package for package in caches.packages.values()}
    wanted = leaves(cluster, names, endpoint, hosts=hosted_now(cluster, packages))
    authority, seen = judge(cluster, names, wanted, secrets, known.verdicts, now)
    pods = tuple(_of(caches.pods, key, uid))
    known.heard = hear(known.heard, pods, now)
    others = (*_of(caches.config_maps, key, uid), *_of(caches.budgets, key, uid))
    known.lives = _lives((*services, *workloads, *secrets.values(), *others), known.lives)
    return Observed(
        cluster=cluster,
        names=names,
        packages=packages,
        endpoint=endpoint,
        authority=authority,
        leaves=seen,
        live={mark: live for mark, (_, live) in known.lives.items()},
        applied=dict(known.applied),
        workloads={workload.metadata.name: workload for workload in workloads},
        pods=pods,
        heard=known.heard,
        claims=tuple(_of(caches.claims, key, uid)),
        foreign_claims=_foreign(caches.claims, key, uid),
        zones=open_zones(caches.nodes.values()) if asks_for_zones(cluster) else frozenset(),
        rival=_rival(cluster, caches.clusters),
        versions=caches.versions(cluster),
        probed=known.probed,
        ready_since=known.ready_since,
        kubelets=known.kubelets.versions if known.kubelets and known.kubelets.is_fresh(cluster, now) else None,
        kubelets_due=known.kubelets is None or now - known.kubelets.at > _KUBELETS_KNOWN,
        members=known.members,
        servers=dict(known.servers),
        leaders=dict(known.leaders),
        rewritten=_is_rewritten(cluster, known),
        rewriting_stuck=_rewriting(cluster, known).stuck,
        snapshots=known.snapshots,
        handed=known.handed,
        rights=known.rights,
    )


def _kubeconfig(secret: Secret | None) -> Hidden:
    content = secret.data.get(KUBECONFIG_KEY, "") if secret is not None else ""
    return Hidden(decoded({KUBECONFIG_KEY: content}).get(KUBECONFIG_KEY, b""))


def _is_rewritten(cluster: Cluster, known: Memory) -> bool:
    return _rewriting(cluster, known).is_done


def _rewriting(cluster: Cluster, known: Memory) -> Rewriting:
    """How far it is in the stage that the rotation has come to."""
    last = known.rewriting
    return last if last is not None and last.of == cluster.status.rotation else Rewriting(cluster.status.rotation)


def asks_for_zones(cluster: Cluster) -> bool:
    """Whether it matters how many zones the cell has. Looking at all Nodes costs, so only then they are looked at."""
    declared = topology_of(cluster.spec.topology)
    is_to_come = cluster.status.ready_at is None or standing(cluster).members < declared.members
    return is_to_come and declared.zones > 0


def fingerprint(obj: Any) -> str:
    """Changes when somebody edits what we declare; not when a controller updates status, or others add marks."""
    meta: ObjectMeta = obj.metadata
    marks = {name: value for name, value in (*meta.labels.items(), *meta.annotations.items()) if _is_our_mark(name)}
    owners = sorted(reference.uid for reference in meta.owner_references)
    parts: list[Any] = [meta.uid, meta.generation, marks, owners]
    if isinstance(obj, Service):
        parts.append(msgspec.to_builtins(obj.spec))
    elif isinstance(obj, ConfigMap):
        parts.append(obj.data)
    return digest_of(parts)


def _is_our_mark(name: str) -> bool:
    return name.startswith("app.kubernetes.io/") or name.partition("/")[0].endswith("homeostat.dev")


def _of(store: Store[Any], key: str, uid: str) -> list[Any]:
    """The objects labelled for a Cluster that really are this one's, not a former one's of the same name.

    By name: a cache keeps no order, and a message that names some of them must not change with it.
    """
    own = (obj for obj in store.by_index(OWNER_INDEX, key) if obj.metadata.labels.get(UID_LABEL) == uid)
    return sorted(own, key=lambda obj: obj.metadata.name)


def _foreign(store: Store[Any], key: str, uid: str) -> tuple[str, ...]:
    found = (obj for obj in store.by_index(OWNER_INDEX, key) if obj.metadata.labels.get(UID_LABEL) != uid)
    return tuple(sorted(obj.metadata.name for obj in found))


def _lives(objects: Iterable[Any], known: Lives) -> Lives:
    """Taken anew of those that the cache has anew: between two looks most objects stay as they were."""
    found: Lives = {}
    for each in objects:
        mark = (type(each).__name__, each.metadata.name)
        before = known.get(mark)
        found[mark] = before if before is not None and before[0] is each else (each, _live(each))
    return found


def _live(obj: Any) -> Live:
    meta: ObjectMeta = obj.metadata
    mark, cause = (meta.annotations.get(name, "") for name in (DIGEST_ANNOTATION, CAUSE_ANNOTATION))
    return Live(meta.uid, fingerprint(obj), _deleting(meta), mark, cause)


def _deleting(meta: ObjectMeta) -> bool:
    return meta.deletion_timestamp is not None


def _assigned(cluster: Cluster, services: list[Service], names: Names) -> ClusterEndpointStatus | None:
    """The address that the load balancer gave; another one than was asked for does not count."""
    wanted = cluster.spec.endpoint.address
    for service in services:
        if service.metadata.name == names.apiserver:
            for ingress in service.status.load_balancer.ingress:
                host = ingress.ip or ingress.hostname
                if host and wanted in ("", host):
                    return ClusterEndpointStatus(host=host, port=API_PORT)
    return None


def _rival(cluster: Cluster, clusters: Store[Cluster]) -> str:
    address = cluster.spec.endpoint.address
    if not address:
        return ""
    others = [
        other for other in clusters.by_index(ADDRESS_INDEX, address) if other.metadata.uid != cluster.metadata.uid
    ]
    # Whoever has it keeps it: two that were made within one second have no order by age.
    first = (other for other in others if _has(other, address) or _age(other) < _age(cluster))
    return min((other.metadata.key for other in first), default="")


def _has(cluster: Cluster, address: str) -> bool:
    return cluster.status.endpoint is not None and cluster.status.endpoint.host == address


def _age(cluster: Cluster) -> tuple[str, str]:
    created = cluster.metadata.creation_timestamp
    return (created.isoformat() if created else "", cluster.metadata.uid)
