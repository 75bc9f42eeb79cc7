"""What must not last in a fleet: functions that are asked every few seconds, and say what has lasted too long.

What only lasts because nobody was at work, or was disturbed, is no fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.support.chaos.invariants import PARTS
from tests.support.chaos.objects import is_going, is_true, labels_of, listed, name_of, uid_of, why_not
from tests.support.chaos.truth import is_healthy, serves
from tests.support.chaos.watching import Observer
from tests.support.fleets import Whole

from homeostat.operators.cluster.names import COMPONENT_LABEL, ENDPOINT_LABEL, NAME_LABEL, OUT_OF_ENDPOINT, UID_LABEL

A_MINUTE_S = 60.0
PROBE_S = 15.0  # that an answer of the endpoint may take, and the status of it
BACK_S = 180.0


def an_acknowledged_write_is_never_lost(seen: Observer) -> Iterator[str]:
    for uid, names in seen.written.items():
        quorum = seen.quorums.get(uid)
        if quorum is None or uid in seen.excused or not quorum.is_led:
            continue
        shelf = quorum.store.shelf(("", "configmaps"))
        lost = sorted(name for name in names if shelf.get(f"default/{name}") is None)
        if lost:
            yield f"{listed(lost)} of {len(names)} writes that were answered are not in etcd"


def every_spec_is_answered_within_a_minute(seen: Observer) -> Iterator[str]:
    for cluster in seen.clusters():
        wished = cluster["metadata"]["generation"]
        told = cluster.get("status", {}).get("observedGeneration", 0)
        for lasts in _undisturbed(seen, "answered", uid_of(cluster), holds=told < wished):
            yield f"{name_of(cluster)} is of generation {wished}, told of {told}, {lasts:g} s"


def what_is_said_of_serving_is_so_within_a_minute(seen: Observer) -> Iterator[str]:
    for cluster in seen.clusters():
        said, truth = is_true(cluster, "Available"), serves(seen.fleet, cluster)
        is_left = cluster["spec"].get("paused") or not cluster.get("status", {}).get("readyAt")
        for lasts in _undisturbed(seen, "serving", uid_of(cluster), holds=said and not truth, patience_s=PROBE_S):
            yield f"{name_of(cluster)} is said to serve, and does not, {lasts:g} s"
        is_wrong = not said and truth and not is_left
        for lasts in _undisturbed(seen, "not serving", uid_of(cluster), holds=is_wrong, patience_s=PROBE_S):
            yield f"{name_of(cluster)} is said not to serve, and does, {lasts:g} s: {why_not(cluster, 'Available')}"


def what_is_said_of_masters_is_so_within_a_minute(seen: Observer) -> Iterator[str]:
    for cluster in seen.clusters():
        for type_, parts in PARTS.items():
            wanted, ready = _ready_pods(seen, cluster, parts)
            is_wrong = is_true(cluster, type_) and ready < wanted
            for lasts in _undisturbed(seen, type_, uid_of(cluster), holds=is_wrong):
                yield f"{name_of(cluster)} is said to be {type_}, and {ready} of {wanted} are ready, {lasts:g} s"


def isolation_is_always_undone(seen: Observer) -> Iterator[str]:
    for pod in seen.all("Pod"):
        labels = labels_of(pod)
        is_out = labels.get(ENDPOINT_LABEL) == OUT_OF_ENDPOINT and not is_going(pod)
        is_well = is_out and is_healthy(seen.fleet, pod)
        for lasts in _undisturbed(seen, "isolated", pod["metadata"]["uid"], holds=is_well, patience_s=BACK_S):
            yield f"{name_of(pod)} is kept from clients, and is well for {lasts:g} s"


def no_object_is_an_orphan(seen: Observer) -> Iterator[str]:
    uids = {uid_of(each) for each in seen.all("Cluster")}
    for (kind, name), obj in seen.seen.objects.items():
        uid = labels_of(obj).get(UID_LABEL)
        for lasts in _undisturbed(seen, "orphan", kind, name, holds=uid is not None and uid not in uids):
            yield f"{kind} {name} is of {labels_of(obj).get(NAME_LABEL)}, which is gone for {lasts:g} s"


OF_MOMENTS: tuple[Callable[[Observer], Iterator[str]], ...] = (
    an_acknowledged_write_is_never_lost,
    every_spec_is_answered_within_a_minute,
    what_is_said_of_serving_is_so_within_a_minute,
    what_is_said_of_masters_is_so_within_a_minute,
    isolation_is_always_undone,
    no_object_is_an_orphan,
)


def _undisturbed(seen: Observer, *claim: str, holds: bool, patience_s: float = 0.0) -> Iterator[float]:
    """For how long something has held, where that is more than a minute and some patience, with all at work."""
    lasts = min(seen.lasting(*claim, holds=holds), seen.operators.undisturbed_s)
    if lasts > A_MINUTE_S + patience_s:
        yield lasts


def _ready_pods(seen: Observer, cluster: Whole, parts: tuple[str, ...]) -> tuple[int, int]:
    uid, wanted = uid_of(cluster), 0
    for workload in seen.seen.of(uid, "StatefulSet", "Deployment"):
        if labels_of(workload).get(COMPONENT_LABEL) in parts:
            wanted += workload["spec"].get("replicas", 1)
    pods = [each for each in seen.seen.of(uid, "Pod") if labels_of(each).get(COMPONENT_LABEL) in parts]
    return wanted, sum(is_true(each, "Ready") and not is_going(each) for each in pods)
