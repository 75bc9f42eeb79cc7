"""What must be so in a fleet at any time, whatever happens to it: plain functions that say what is wrong, or nothing.

`OF_CHANGES` are asked after every step that has changed something, and told who took it. `OF_MOMENTS` are asked every
few seconds, of what lasts; what only lasts because nobody was at work, or was disturbed, is no fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from tests.support.chaos.truth import Voting, is_healthy, serves
from tests.support.chaos.watching import Observer
from tests.support.fleets import Whole
from tests.support.killing import invariants as killed
from tests.support.killing.invariants import OPERATOR_MAKES, Happened

from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.cell import CellPolicy
from homeostat.operators.cluster.healing.policy import Policy as HealingPolicy
from homeostat.operators.cluster.names import COMPONENT_LABEL, ENDPOINT_LABEL, NAME_LABEL, OUT_OF_ENDPOINT, UID_LABEL
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy

POLICY = Policy(pacing=PacingPolicy(creating=3, rolling=2), healing=HealingPolicy(cell=CellPolicy(acts=3)))
A_MINUTE_S = 60.0
PROBE_S = 15.0  # that an answer of the endpoint may take, and the status of it
SURELY_S = 30.0  # who has been well for so long is well
BACK_S = 180.0
_US = "cluster-operator"
_PARTS = {
    "EtcdReady": ("etcd",),
    "APIServerReady": ("kube-apiserver",),
    "ControllersReady": ("kube-controller-manager", "kube-scheduler"),
}


# --- after every change


def an_authority_is_never_taken_by_us_from_a_cluster_that_lives(seen: Observer, now: Happened) -> str:
    return killed.an_authority_goes_only_with_its_cluster(seen.seen, now) if now.by == _US else ""


def no_authority_gives_way_to_another(seen: Observer, now: Happened) -> str:
    return killed.no_authority_of_a_live_cluster_gives_way_to_another(seen.seen, now)


def a_finalizer_is_there_before_anything_that_it_guards(seen: Observer, now: Happened) -> str:
    return killed.a_finalizer_is_there_before_anything_that_it_guards(seen.seen, now)


def nothing_is_left_of_a_cluster_that_is_gone(seen: Observer, now: Happened) -> str:
    """Of what we make, and of what keeps data or runs; all else goes by the garbage collector a moment later."""
    if now.kind != "Cluster" or now.new is not None:
        return ""
    made = (*OPERATOR_MAKES, "Pod", "PersistentVolumeClaim")
    left = [
        f"{kind} {name}" for (kind, name), obj in seen.seen.objects.items() if kind in made and _is_of(obj, now.obj)
    ]
    return f"{_told(now)} is gone, and these are left: {', '.join(left)}" if left else ""


def strangers_are_left_alone(seen: Observer, now: Happened) -> str:
    return killed.strangers_are_left_alone(seen.seen, now)


def data_goes_after_those_who_use_it(seen: Observer, now: Happened) -> str:
    return killed.data_goes_after_those_who_use_it(seen.seen, now) if now.by == _US else ""


def quorum_is_never_given_up_by_us(seen: Observer, now: Happened) -> str:
    """No member's Pod or volume is deleted by us, or by what we have declared, when the others are no quorum."""
    if now.kind not in ("Pod", "PersistentVolumeClaim") or not _begins_to_go(now) or now.by == "owner":
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    member = _name(now.obj).removeprefix("data-")
    if cluster is None or _is_going(cluster) or _labels(now.obj).get(COMPONENT_LABEL, "etcd") != "etcd":
        return ""
    uid = _uid(cluster)
    if (now.by != _US and not _is_declared(seen, now.obj)) or uid not in seen.quorums or uid in seen.excused:
        return ""
    told = seen.voting(uid)
    if len(told.voters) < 3 or member not in told.voters or not told.has_quorum:
        return ""
    left = Voting(told.voters, told.level - {member})
    return (
        ""
        if left.has_quorum
        else f"{_told(now)} goes, and of {_names(told.voters)} only {_names(left.level)} are level"
    )


def no_healthy_master_is_restarted(seen: Observer, now: Happened) -> str:
    if now.kind != "Pod" or now.by != _US or not _begins_to_go(now):
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    part = _labels(now.obj).get(COMPONENT_LABEL)
    if cluster is None or _is_going(cluster) or part not in ("kube-apiserver", *_PARTS["ControllersReady"]):
        return ""
    well = seen.lasting("healthy", now.obj["metadata"]["uid"], holds=is_healthy(seen.fleet, now.old or now.obj))
    return f"{_told(now)} is deleted, and was well for {well:g} s" if well >= SURELY_S else ""


def budgets_hold(seen: Observer, now: Happened) -> str:
    """How many masters are touched within the window, and how many clusters are under way."""
    if now.kind != "Cluster" or now.new is None:
        return ""
    clock = seen.fleet.clock.now()
    cell = POLICY.healing.cell
    acts = [at for each in seen.all("Cluster") for at in _acts(each) if at > clock - cell.window]
    if len(acts) > cell.acts and now.new.get("status") != (now.old or {}).get("status"):
        return f"{len(acts)} masters were touched within {cell.window}"
    return ""


def what_is_ready_says_so_in_all_its_parts(_: Observer, now: Happened) -> str:
    """`Ready` is the sum, and a status is of one look."""
    if now.kind != "Cluster" or now.new is None or not _is_true(now.new, "Ready"):
        return ""
    summed = (*_PARTS, "PKIReady", "EndpointAssigned", "Available", "Scaled", "UpToDate")
    wrong = [each for each in summed if not _is_true(now.new, each)]
    generation = now.new["status"].get("observedGeneration", 0)
    mixed = [
        each["type"]
        for each in now.new["status"]["conditions"]
        if each["type"] != "BackedUp" and each.get("observedGeneration") != generation
    ]
    return (
        f"{_told(now)} is Ready, and {', '.join(wrong or mixed)} is not, or is of another generation"
        if wrong or mixed
        else ""
    )


def an_address_stays_for_the_life_of_its_cluster(_: Observer, now: Happened) -> str:
    if now.kind != "Cluster" or now.old is None or now.new is None:
        return ""
    before, after = (each.get("status", {}).get("endpoint") for each in (now.old, now.new))
    return f"{_told(now)} was at {before}, and is at {after}" if before is not None and before != after else ""


def nothing_of_a_paused_cluster_is_touched(seen: Observer, now: Happened) -> str:
    if now.by != _US or now.kind not in OPERATOR_MAKES:
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    if cluster is None or _is_going(cluster):
        return ""
    paused = seen.lasting("paused", _uid(cluster), holds=bool(cluster["spec"].get("paused")))
    return f"{_told(now)} is touched, and its cluster is paused for {paused:g} s" if paused > SURELY_S else ""


def what_is_protected_is_not_torn_down(seen: Observer, now: Happened) -> str:
    if now.by != _US or now.new is not None or now.kind not in ("StatefulSet", "Deployment", "Secret", "Service"):
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    is_trial = _labels(now.obj).get(COMPONENT_LABEL, "").endswith("-trial") or "-op-" in _name(now.obj)
    if cluster is None or is_trial or not cluster["spec"].get("deletionProtection") or not _is_going(cluster):
        return ""
    held = seen.lasting("protected", _uid(cluster), holds=True)
    return f"{_told(now)} is gone, and its cluster is protected" if held > SURELY_S else ""


OF_CHANGES: tuple[Callable[[Observer, Happened], str], ...] = (
    a_finalizer_is_there_before_anything_that_it_guards,
    an_authority_is_never_taken_by_us_from_a_cluster_that_lives,
    no_authority_gives_way_to_another,
    nothing_is_left_of_a_cluster_that_is_gone,
    strangers_are_left_alone,
    data_goes_after_those_who_use_it,
    quorum_is_never_given_up_by_us,
    no_healthy_master_is_restarted,
    budgets_hold,
    what_is_ready_says_so_in_all_its_parts,
    an_address_stays_for_the_life_of_its_cluster,
    nothing_of_a_paused_cluster_is_touched,
    what_is_protected_is_not_torn_down,
)


# --- every few seconds


def an_acknowledged_write_is_never_lost(seen: Observer) -> Iterator[str]:
    for uid, names in seen.written.items():
        quorum = seen.quorums.get(uid)
        if quorum is None or uid in seen.excused or not quorum.is_led:
            continue
        shelf = quorum.store.shelf(("", "configmaps"))
        lost = sorted(name for name in names if shelf.get(f"default/{name}") is None)
        if lost:
            yield f"{_names(lost)} of {len(names)} writes that were answered are not in etcd"


def every_spec_is_answered_within_a_minute(seen: Observer) -> Iterator[str]:
    for cluster in seen.clusters():
        told = cluster.get("status", {}).get("observedGeneration", 0)
        is_late = told < cluster["metadata"]["generation"]
        for lasts in _undisturbed(seen, "answered", _uid(cluster), holds=is_late):
            yield f"{_name(cluster)} is of generation {cluster['metadata']['generation']}, told of {told}, {lasts:g} s"


def what_is_said_of_serving_is_so_within_a_minute(seen: Observer) -> Iterator[str]:
    for cluster in seen.clusters():
        said, truth = _is_true(cluster, "Available"), serves(seen.fleet, cluster)
        is_left = cluster["spec"].get("paused") or not cluster.get("status", {}).get("readyAt")
        for lasts in _undisturbed(seen, "serving", _uid(cluster), holds=said and not truth, patience_s=PROBE_S):
            yield f"{_name(cluster)} is said to serve, and does not, {lasts:g} s"
        is_wrong = not said and truth and not is_left
        for lasts in _undisturbed(seen, "not serving", _uid(cluster), holds=is_wrong, patience_s=PROBE_S):
            yield f"{_name(cluster)} is said not to serve, and does, {lasts:g} s: {_why(cluster, 'Available')}"


def what_is_said_of_masters_is_so_within_a_minute(seen: Observer) -> Iterator[str]:
    for cluster in seen.clusters():
        for type_, parts in _PARTS.items():
            wanted, ready = _ready_pods(seen, cluster, parts)
            is_wrong = _is_true(cluster, type_) and ready < wanted
            for lasts in _undisturbed(seen, type_, _uid(cluster), holds=is_wrong):
                yield f"{_name(cluster)} is said to be {type_}, and {ready} of {wanted} are ready, {lasts:g} s"


def isolation_is_always_undone(seen: Observer) -> Iterator[str]:
    for pod in seen.all("Pod"):
        labels = _labels(pod)
        is_out = labels.get(ENDPOINT_LABEL) == OUT_OF_ENDPOINT and not _is_going(pod)
        is_well = is_out and is_healthy(seen.fleet, pod)
        for lasts in _undisturbed(seen, "isolated", pod["metadata"]["uid"], holds=is_well, patience_s=BACK_S):
            yield f"{_name(pod)} is kept from clients, and is well for {lasts:g} s"


def no_object_is_an_orphan(seen: Observer) -> Iterator[str]:
    uids = {_uid(each) for each in seen.all("Cluster")}
    for (kind, name), obj in seen.seen.objects.items():
        uid = _labels(obj).get(UID_LABEL)
        for lasts in _undisturbed(seen, "orphan", kind, name, holds=uid is not None and uid not in uids):
            yield f"{kind} {name} is of {_labels(obj).get(NAME_LABEL)}, which is gone for {lasts:g} s"


OF_MOMENTS: tuple[Callable[[Observer], Iterator[str]], ...] = (
    an_acknowledged_write_is_never_lost,
    every_spec_is_answered_within_a_minute,
    what_is_said_of_serving_is_so_within_a_minute,
    what_is_said_of_masters_is_so_within_a_minute,
    isolation_is_always_undone,
    no_object_is_an_orphan,
)


def keep_in_mind(seen: Observer) -> None:
    """What the invariants of changes ask for the time of, looked at every few seconds."""
    for pod in seen.all("Pod"):
        seen.lasting("healthy", pod["metadata"]["uid"], holds=is_healthy(seen.fleet, pod))
    for cluster in seen.all("Cluster"):
        spec = cluster["spec"]
        seen.lasting("paused", _uid(cluster), holds=bool(spec.get("paused")))
        is_protected = bool(spec.get("deletionProtection")) and _is_going(cluster)
        seen.lasting("protected", _uid(cluster), holds=is_protected)


def _undisturbed(seen: Observer, *claim: str, holds: bool, patience_s: float = 0.0) -> Iterator[float]:
    """For how long something has held, where that is more than a minute and some patience, with all at work."""
    lasts = min(seen.lasting(*claim, holds=holds), seen.operators.undisturbed_s)
    if lasts > A_MINUTE_S + patience_s:
        yield lasts


def _ready_pods(seen: Observer, cluster: Whole, parts: tuple[str, ...]) -> tuple[int, int]:
    uid, wanted = _uid(cluster), 0
    for workload in seen.seen.of(uid, "StatefulSet", "Deployment"):
        if _labels(workload).get(COMPONENT_LABEL) in parts:
            wanted += workload["spec"].get("replicas", 1)
    pods = [each for each in seen.seen.of(uid, "Pod") if _labels(each).get(COMPONENT_LABEL) in parts]
    return wanted, sum(_is_true(each, "Ready") and not _is_going(each) for each in pods)


def _acts(cluster: Whole) -> Iterator[datetime]:
    healing = cluster.get("status", {}).get("healing", {})
    if "lastStartedAt" in healing:
        yield _time(healing["lastStartedAt"])
    for each in healing.get("restarts", ()):
        if each["step"] != "HandOver":
            yield _time(each["startedAt"])
        yield from map(_time, each.get("earlier", ()))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_true(obj: Whole, type_: str) -> bool:
    conditions = obj.get("status", {}).get("conditions", ())
    return any(each["type"] == type_ and each["status"] == "True" for each in conditions)


def _why(obj: Whole, type_: str) -> str:
    found = (each for each in obj.get("status", {}).get("conditions", ()) if each["type"] == type_)
    return next((f"{each['reason']}: {each.get('message', '')}" for each in found), "nothing is said")


def _is_going(obj: Whole | None) -> bool:
    return obj is not None and "deletionTimestamp" in obj["metadata"]


def _is_declared(seen: Observer, pod: Whole) -> bool:
    """Whether it goes for what its StatefulSet says now: that is there, and nothing drives Pods from the host."""
    owners = {each["uid"] for each in pod["metadata"].get("ownerReferences", ())}
    makers = (each for each in seen.all("StatefulSet") if each["metadata"]["uid"] in owners)
    return any(not _is_going(each) for each in makers) and not seen.drives_out(pod["spec"].get("nodeName", ""))


def _begins_to_go(now: Happened) -> bool:
    """Whether somebody has just deleted it."""
    return not _is_going(now.old) and now.old is not None and (now.new is None or _is_going(now.new))


def _is_of(obj: Whole, cluster: Whole) -> bool:
    return _labels(obj).get(UID_LABEL) == _uid(cluster)


def _labels(obj: Whole) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _uid(cluster: Whole) -> str:
    return str(cluster["metadata"]["uid"])


def _name(obj: Whole) -> str:
    return str(obj["metadata"]["name"])


def _names(found: Iterable[str]) -> str:
    return ", ".join(sorted(found)) or "none"


def _told(now: Happened) -> str:
    return f"{now.kind} {_name(now.obj)}"
