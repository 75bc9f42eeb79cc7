"""What must be so in a fleet after every step, whatever happens to it: functions that say what is wrong, or nothing.

They are asked when a step has changed something, and told who took it. What must not last is judged in lasting.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from tests.support.chaos.objects import (
    begins_to_go,
    is_going,
    is_of,
    is_true,
    labels_of,
    listed,
    name_of,
    told_of,
    uid_of,
)
from tests.support.chaos.truth import Voting, is_healthy
from tests.support.chaos.watching import Observer
from tests.support.fleets import Whole
from tests.support.killing import invariants as killed
from tests.support.killing.invariants import OPERATOR_MAKES, Happened

from homeostat.operators.cluster.decide import Policy
from homeostat.operators.cluster.healing.cell import CellPolicy
from homeostat.operators.cluster.healing.policy import Policy as HealingPolicy
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy

# Small numbers, so that budgets bind in a small fleet.
POLICY = Policy(pacing=PacingPolicy(creating=3, rolling=2), healing=HealingPolicy(cell=CellPolicy(acts=3)))
SURELY_S = 30.0  # who has been well for so long is well
_US = "cluster-operator"
PARTS = {
    "EtcdReady": ("etcd",),
    "APIServerReady": ("kube-apiserver",),
    "ControllersReady": ("kube-controller-manager", "kube-scheduler"),
}


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
    left = [f"{kind} {name}" for (kind, name), obj in seen.seen.objects.items() if kind in made and is_of(obj, now.obj)]
    return f"{told_of(now)} is gone, and these are left: {', '.join(left)}" if left else ""


def strangers_are_left_alone(seen: Observer, now: Happened) -> str:
    return killed.strangers_are_left_alone(seen.seen, now)


def data_goes_after_those_who_use_it(seen: Observer, now: Happened) -> str:
    return killed.data_goes_after_those_who_use_it(seen.seen, now) if now.by == _US else ""


def quorum_is_never_given_up_by_us(seen: Observer, now: Happened) -> str:
    """No member's Pod or volume is deleted by us, or by what we have declared, when the others are no quorum."""
    if now.kind not in ("Pod", "PersistentVolumeClaim") or not begins_to_go(now) or now.by == "owner":
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    member = name_of(now.obj).removeprefix("data-")
    if cluster is None or is_going(cluster) or labels_of(now.obj).get(COMPONENT_LABEL, "etcd") != "etcd":
        return ""
    uid = uid_of(cluster)
    if (now.by != _US and not _is_declared(seen, now.obj)) or uid not in seen.quorums or uid in seen.excused:
        return ""
    told = seen.voting(uid)
    if len(told.voters) < 3 or member not in told.voters or not told.has_quorum:
        return ""
    left = Voting(told.voters, told.level - {member})
    return (
        ""
        if left.has_quorum
        else f"{told_of(now)} goes, and of {listed(told.voters)} only {listed(left.level)} are level"
    )


def no_healthy_master_is_restarted(seen: Observer, now: Happened) -> str:
    if now.kind != "Pod" or now.by != _US or not begins_to_go(now):
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    part = labels_of(now.obj).get(COMPONENT_LABEL)
    if cluster is None or is_going(cluster) or part not in ("kube-apiserver", *PARTS["ControllersReady"]):
        return ""
    well = seen.lasting("healthy", now.obj["metadata"]["uid"], holds=is_healthy(seen.fleet, now.old or now.obj))
    return f"{told_of(now)} is deleted, and was well for {well:g} s" if well >= SURELY_S else ""


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
    if now.kind != "Cluster" or now.new is None or not is_true(now.new, "Ready"):
        return ""
    summed = (*PARTS, "PKIReady", "EndpointAssigned", "Available", "Scaled", "UpToDate")
    wrong = [each for each in summed if not is_true(now.new, each)]
    generation = now.new["status"].get("observedGeneration", 0)
    mixed = [
        each["type"]
        for each in now.new["status"]["conditions"]
        if each["type"] != "BackedUp" and each.get("observedGeneration") != generation
    ]
    return (
        f"{told_of(now)} is Ready, and {', '.join(wrong or mixed)} is not, or is of another generation"
        if wrong or mixed
        else ""
    )


def an_address_stays_for_the_life_of_its_cluster(_: Observer, now: Happened) -> str:
    if now.kind != "Cluster" or now.old is None or now.new is None:
        return ""
    before, after = (each.get("status", {}).get("endpoint") for each in (now.old, now.new))
    return f"{told_of(now)} was at {before}, and is at {after}" if before is not None and before != after else ""


def nothing_of_a_paused_cluster_is_touched(seen: Observer, now: Happened) -> str:
    if now.by != _US or now.kind not in OPERATOR_MAKES:
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    if cluster is None or is_going(cluster):
        return ""
    paused = seen.lasting("paused", uid_of(cluster), holds=bool(cluster["spec"].get("paused")))
    return f"{told_of(now)} is touched, and its cluster is paused for {paused:g} s" if paused > SURELY_S else ""


def what_is_protected_is_not_torn_down(seen: Observer, now: Happened) -> str:
    if now.by != _US or now.new is not None or now.kind not in ("StatefulSet", "Deployment", "Secret", "Service"):
        return ""
    cluster = seen.seen.cluster_of(now.obj)
    is_trial = labels_of(now.obj).get(COMPONENT_LABEL, "").endswith("-trial") or "-op-" in name_of(now.obj)
    if cluster is None or is_trial or not cluster["spec"].get("deletionProtection") or not is_going(cluster):
        return ""
    held = seen.lasting("protected", uid_of(cluster), holds=True)
    return f"{told_of(now)} is gone, and its cluster is protected" if held > SURELY_S else ""


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


def keep_in_mind(seen: Observer) -> None:
    """See since when that lasts which the invariants ask for the time of; to be called every few seconds."""
    for pod in seen.all("Pod"):
        seen.lasting("healthy", pod["metadata"]["uid"], holds=is_healthy(seen.fleet, pod))
    for cluster in seen.all("Cluster"):
        spec = cluster["spec"]
        seen.lasting("paused", uid_of(cluster), holds=bool(spec.get("paused")))
        is_protected = bool(spec.get("deletionProtection")) and is_going(cluster)
        seen.lasting("protected", uid_of(cluster), holds=is_protected)


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


def _is_declared(seen: Observer, pod: Whole) -> bool:
    """Whether it goes for what its StatefulSet says now: that is there, and nothing drives Pods from the host."""
    owners = {each["uid"] for each in pod["metadata"].get("ownerReferences", ())}
    makers = (each for each in seen.all("StatefulSet") if each["metadata"]["uid"] in owners)
    return any(not is_going(each) for each in makers) and not seen.drives_out(pod["spec"].get("nodeName", ""))
