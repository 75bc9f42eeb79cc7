"""What must be so after every write to the API, whoever dies when: plain functions that say what is wrong, or nothing.

Each is given what has just happened, and all that there is now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from tests.support.membership import FakeEtcd

from homeostat.kube.transport import Request
from homeostat.operators.cluster.names import FINALIZER, NAME_LABEL, UID_LABEL

Whole = dict[str, Any]
OPERATOR_MAKES = ("Secret", "Service", "ConfigMap", "PodDisruptionBudget", "StatefulSet", "Deployment")


class Happened(Struct, frozen=True):
    """One change: made (no `old`), changed, or gone (no `new`)."""

    kind: str
    old: Whole | None
    new: Whole | None
    by: str  # the user

    @property
    def obj(self) -> Whole:
        found = self.new or self.old
        assert found is not None
        return found


class Seen:
    """All objects, the Clusters among them, and what was once true of them."""

    def __init__(self, etcd: FakeEtcd) -> None:
        self.objects: dict[tuple[str, str], Whole] = {}
        self.authorities: dict[str, set[str]] = {}  # by uid of the Cluster: certificates that it had, or was to have
        self.etcd = etcd

    def cluster_of(self, obj: Whole) -> Whole | None:
        """The Cluster that an object was made for, if that is there."""
        name = _labels(obj).get(NAME_LABEL, "")
        found = self.objects.get(("Cluster", name))
        return found if found is not None and found["metadata"]["uid"] == _labels(obj).get(UID_LABEL) else None

    def of(self, uid: str, *kinds: str) -> Iterator[Whole]:
        """All that was made for a Cluster, of some kinds."""
        for (kind, _), obj in self.objects.items():
            if kind in kinds and _labels(obj).get(UID_LABEL) == uid:
                yield obj


def a_finalizer_is_there_before_anything_that_it_guards(seen: Seen, now: Happened) -> str:
    if now.old is not None or now.kind not in OPERATOR_MAKES or UID_LABEL not in _labels(now.obj):
        return ""
    cluster = seen.cluster_of(now.obj)
    is_guarded = cluster is not None and FINALIZER in cluster["metadata"].get("finalizers", ())
    return "" if is_guarded else f"{_told(now)} was made, and no finalizer would have it removed"


def no_authority_of_a_live_cluster_gives_way_to_another(seen: Seen, now: Happened) -> str:
    """But to the one that a rotation has put beside it before."""
    if now.kind != "Secret" or now.new is None or not now.new["metadata"]["name"].endswith("-pki"):
        return ""
    data: Mapping[str, str] = now.new.get("data", {})
    known = seen.authorities.setdefault(_labels(now.new)[UID_LABEL], set())
    has_changed = bool(known) and data["ca.crt"] not in known
    known |= {data[entry] for entry in ("ca.crt", "next-ca.crt") if entry in data}
    return f"{_told(now)} has another authority than before" if has_changed else ""


def an_authority_goes_only_with_its_cluster(seen: Seen, now: Happened) -> str:
    if now.kind != "Secret" or now.new is not None or not now.obj["metadata"]["name"].endswith("-pki"):
        return ""
    return "" if _is_going(seen.cluster_of(now.obj)) else f"{_told(now)} is gone, and its cluster lives"


def no_volume_of_a_member_goes_while_its_cluster_lives(seen: Seen, now: Happened) -> str:
    """But of one that is dead, or that has left the membership."""
    if now.kind != "PersistentVolumeClaim" or not _is_going(now.new) or _is_going(now.old):
        return ""
    member = now.obj["metadata"]["name"].partition("-")[2]
    counted = {each.name for each in seen.etcd.peek() if each.host not in seen.etcd.dead}
    if _is_going(seen.cluster_of(now.obj)) or member not in counted:
        return ""
    return f"{_told(now)} is deleted under a member that is well"


def members_of_etcd_go_one_at_a_time(seen: Seen, now: Happened) -> str:
    return _more_than_one_away(seen, now, "etcd", "StatefulSet")


def servers_go_one_at_a_time(seen: Seen, now: Happened) -> str:
    return _more_than_one_away(seen, now, "kube-apiserver", "Deployment")


def nothing_is_left_of_a_cluster_that_is_gone(seen: Seen, now: Happened) -> str:
    if now.kind != "Cluster" or now.new is not None:
        return ""
    left = [
        f"{kind} {name}"
        for (kind, name), obj in seen.objects.items()
        if _labels(obj).get(UID_LABEL) == now.obj["metadata"]["uid"] and kind != "Event"
    ]
    return f"{_told(now)} is gone, and these are left: {', '.join(left)}" if left else ""


def a_cluster_is_said_to_be_ready_only_when_its_masters_are(seen: Seen, now: Happened) -> str:
    if now.kind != "Cluster" or now.new is None or _ready(now.new) != "True" or _ready(now.old) == "True":
        return ""
    workloads = list(seen.of(now.new["metadata"]["uid"], "StatefulSet", "Deployment"))
    waiting = [_name(each) for each in workloads if not _has_all(each)]
    missing = len(workloads) < 4
    return (
        f"{_told(now)} is said to be ready, and is not: {waiting or 'masters are missing'}"
        if waiting or missing
        else ""
    )


def strangers_are_left_alone(_: Seen, now: Happened) -> str:
    is_strange = now.kind in OPERATOR_MAKES and UID_LABEL not in _labels(now.old or now.obj)
    return f"{_told(now)} is nobody's business" if is_strange and now.by == "cluster-operator" else ""


def data_goes_after_those_who_use_it(seen: Seen, now: Happened) -> str:
    """When a cluster is deleted: first the clients of the API, then the API, then etcd, then its volumes."""
    is_asked = _is_going(now.new) and not _is_going(now.old)
    is_end = now.kind == "StatefulSet" and (now.new is None or is_asked)
    if not is_end and not (now.kind == "PersistentVolumeClaim" and is_asked):
        return ""
    cluster = seen.cluster_of(now.obj)
    if not _is_going(cluster) or cluster is None:
        return ""
    components = ("etcd",) if now.kind == "PersistentVolumeClaim" else ("kube-apiserver",)
    users = [
        _name(each)
        for each in seen.of(cluster["metadata"]["uid"], "Pod", "Deployment")
        if _labels(each).get("app.kubernetes.io/component") in components
    ]
    return f"{_told(now)} goes before {', '.join(users)}" if users else ""


def controllers_are_never_newer_than_servers(seen: Seen, now: Happened) -> str:
    """As Kubernetes' version skew policy has it."""
    if now.kind != "Pod" or now.new is None or now.old is not None:
        return ""
    if _labels(now.new).get("app.kubernetes.io/component") not in ("kube-controller-manager", "kube-scheduler"):
        return ""
    uid = _labels(now.new).get(UID_LABEL, "")
    servers = [
        each for each in seen.of(uid, "Pod") if _labels(each).get("app.kubernetes.io/component") == "kube-apiserver"
    ]
    newer = [_name(each) for each in servers if _minor(each) < _minor(now.new)]
    return f"{_told(now)} is newer than {', '.join(newer)}" if newer else ""


INVARIANTS: tuple[Callable[[Seen, Happened], str], ...] = (
    a_finalizer_is_there_before_anything_that_it_guards,
    no_authority_of_a_live_cluster_gives_way_to_another,
    an_authority_goes_only_with_its_cluster,
    no_volume_of_a_member_goes_while_its_cluster_lives,
    members_of_etcd_go_one_at_a_time,
    servers_go_one_at_a_time,
    nothing_is_left_of_a_cluster_that_is_gone,
    a_cluster_is_said_to_be_ready_only_when_its_masters_are,
    strangers_are_left_alone,
    data_goes_after_those_who_use_it,
    controllers_are_never_newer_than_servers,
)


def every_deletion_says_whom_it_means(request: Request) -> str:
    """By uid: under a name that was read a while ago, there may be somebody else by now."""
    if request.method != "DELETE":
        return ""
    body = msgspec.json.decode(request.body or b"{}")
    return "" if body.get("preconditions", {}).get("uid") else f"DELETE {request.path} names no uid"


def every_status_says_what_it_was_decided_on(request: Request) -> str:
    if request.method != "PATCH" or not request.path.endswith("/status"):
        return ""
    body = msgspec.json.decode(request.body or b"{}")
    return "" if body.get("metadata", {}).get("resourceVersion") else f"PATCH {request.path} names no version"


OF_REQUESTS: tuple[Callable[[Request], str], ...] = (
    every_deletion_says_whom_it_means,
    every_status_says_what_it_was_decided_on,
)


def _more_than_one_away(seen: Seen, now: Happened, component: str, kind: str) -> str:
    """Whether a Pod went that was ready when another one of its kind was not, in a cluster that has served."""
    if now.kind != "Pod" or not _is_up(now.old) or _is_up(now.new):
        return ""
    if _labels(now.obj).get("app.kubernetes.io/component") != component:
        return ""
    cluster = seen.cluster_of(now.obj)
    if cluster is None or _is_going(cluster):
        return ""
    pods = [
        each
        for each in seen.of(cluster["metadata"]["uid"], "Pod")
        if _labels(each).get("app.kubernetes.io/component") == component
    ]
    workloads = [
        each
        for each in seen.of(cluster["metadata"]["uid"], kind)
        if _labels(each).get("app.kubernetes.io/component") == component
    ]
    wanted = sum(each["spec"].get("replicas", 1) for each in workloads)
    up = sum(_is_up(each) for each in pods)
    return f"{_told(now)} went: {up} of {wanted} are left" if wanted > 1 and up < wanted - 1 else ""


def _has_all(workload: Whole) -> bool:
    status = workload.get("status", {})
    is_seen = status.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    return bool(is_seen and status.get("readyReplicas", 0) >= workload["spec"].get("replicas", 1))


def _is_up(pod: Whole | None) -> bool:
    return pod is not None and not _is_going(pod) and _ready(pod) == "True"


def _is_going(obj: Whole | None) -> bool:
    return obj is not None and "deletionTimestamp" in obj["metadata"]


def _minor(pod: Whole) -> int:
    return int(pod["spec"]["containers"][0]["image"].rpartition(":v")[2].split(".")[1])


def _ready(obj: Whole | None) -> str:
    conditions = (obj or {}).get("status", {}).get("conditions", ())
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "")


def _labels(obj: Whole) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _name(obj: Whole) -> str:
    return str(obj["metadata"]["name"])


def _told(now: Happened) -> str:
    return f"{now.kind} {_name(now.obj)}"
