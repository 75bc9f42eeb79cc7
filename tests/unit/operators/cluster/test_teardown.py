"""A cluster is removed in order, each stage when the one before is gone, and nothing that is not its own."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from tests.support.ailing import DEAD, ailing
from tests.support.backups import backed_up
from tests.support.clusters import NOW, cluster, new, pod, running

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.pods import POD
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Remove, RemoveFinalizer, Verdict, Wait
from homeostat.operators.cluster.components import workload_names
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.seen import HostSeen
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.snapshots.decide import Seen as BackupSeen
from homeostat.operators.cluster.snapshots.decide import decide as decide_backup


def plan_for(seen: Observed) -> Plan:
    return decide(seen, NOW, Policy())


def deleted() -> Observed:
    return running(cluster(deleted=True))


def removed(plan: Plan) -> list[str]:
    return [f"{one.kind.resource.kind} {one.name}" for one in plan.actions if isinstance(one, Remove)]


def without(seen: Observed, plan: Plan) -> Observed:
    """The world after a plan's objects, and their Pods, are gone."""
    gone = {(one.kind.resource.kind, one.name) for one in plan.actions if isinstance(one, Remove)}
    components = {
        component for component, name in workload_names(seen.names).items() if name in {name for _, name in gone}
    }
    return replace(
        seen,
        live={mark: live for mark, live in seen.live.items() if mark not in gone},
        pods=tuple(one for one in seen.pods if one.metadata.labels[COMPONENT_LABEL] not in components),
        claims=tuple(one for one in seen.claims if ("PersistentVolumeClaim", one.metadata.name) not in gone),
    )


def test_the_stages_come_in_order_and_end_with_the_finalizer() -> None:
    seen, stages = deleted(), []
    plan = plan_for(seen)
    while stage := removed(plan):
        stages.append(stage)
        seen = without(seen, plan)
        plan = plan_for(seen)
    assert stages == [
        ["Deployment demo-controller-manager", "Deployment demo-scheduler"],
        ["Deployment demo-apiserver"],
        ["StatefulSet demo-etcd"],
        ["PersistentVolumeClaim data-demo-etcd-0"],
        [
            "ConfigMap demo-apiserver",
            "ConfigMap demo-etcd",
            "PodDisruptionBudget demo-apiserver",
            "PodDisruptionBudget demo-etcd",
            "Secret demo-admin-kubeconfig",
            "Secret demo-apiserver",
            "Secret demo-controller-manager",
            "Secret demo-etcd",
            "Secret demo-pki",
            "Secret demo-scheduler",
            "Service demo-apiserver",
            "Service demo-etcd",
            "Service demo-etcd-client",
        ],
    ]
    assert plan.actions == (RemoveFinalizer(),)


def test_a_stage_waits_for_the_last_pod_of_the_one_before() -> None:
    seen = deleted()
    without_workloads = {mark: live for mark, live in seen.live.items() if mark[0] not in ("Deployment", "StatefulSet")}
    lingering = replace(seen, live=without_workloads, pods=(pod(API_SERVER), pod(ETCD)))
    plan = plan_for(lingering)
    assert plan.actions == ()
    assert plan.verdict is not None
    assert "demo-kube-apiserver-0" in plan.verdict.message


def test_what_is_on_its_way_out_is_not_removed_twice() -> None:
    seen = deleted()
    first = plan_for(seen)
    going = {mark: replace(live, deleting=mark[0] == "Deployment") for mark, live in seen.live.items()}
    assert removed(first)
    assert plan_for(replace(seen, live=going)).actions == ()


def test_a_removal_names_the_very_object_by_its_uid() -> None:
    uids = {one.name: one.uid for one in plan_for(deleted()).actions if isinstance(one, Remove)}
    assert uids == {name: f"uid-{name}" for name in ("demo-controller-manager", "demo-scheduler")}


def test_a_protected_cluster_keeps_its_masters_though_its_deletion_has_begun() -> None:
    plan = plan_for(running(cluster(deleted=True, deletionProtection=True)))
    assert plan.actions == ()
    assert plan.verdict is not None
    assert plan.verdict.reason == words.DELETION_PROTECTED
    assert "spec.deletionProtection" in plan.verdict.message


def protected_and_deleted(seen: Observed, *finalizers: str) -> Observed:
    """The same, deleted although it is protected."""
    old = seen.cluster
    meta = replace(old.metadata, deletion_timestamp=NOW, finalizers=(*old.metadata.finalizers, *finalizers))
    return replace(seen, cluster=replace(old, metadata=meta, spec=replace(old.spec, deletion_protection=True)))


def test_a_protected_cluster_is_cared_for_though_its_deletion_has_begun() -> None:
    seen = ailing(DEAD)
    held = plan_for(protected_and_deleted(seen))
    assert held.heal == plan_for(seen).heal
    assert held.heal.begins is not None
    assert held.verdict is not None
    assert held.verdict.reason == words.DELETION_PROTECTED
    alone = running()
    gone = replace(alone, live={mark: live for mark, live in alone.live.items() if mark != ("Service", "demo-etcd")})
    assert plan_for(protected_and_deleted(gone)).actions == plan_for(gone).actions != ()


def test_snapshots_of_it_are_taken_on() -> None:
    owner = backed_up()
    spec, meta = replace(owner.spec, deletion_protection=True), replace(owner.metadata, deletion_timestamp=NOW)
    assert decide_backup(BackupSeen(replace(owner, metadata=meta, spec=spec), "a store"), NOW).applies
    assert not decide_backup(BackupSeen(replace(owner, metadata=meta), "a store"), NOW).applies


def test_what_kubernetes_itself_removes_in_the_foreground_is_not_made_again() -> None:
    plan = plan_for(protected_and_deleted(running(), "foregroundDeletion"))
    assert all(isinstance(action, Remove) for action in plan.actions)


def test_a_protected_cluster_that_never_began_is_not_made() -> None:
    plan = plan_for(protected_and_deleted(new(cluster())))
    assert plan.actions == ()
    assert plan.verdict is not None
    assert plan.verdict.reason == words.DELETION_PROTECTED


def test_a_deleted_cluster_that_never_began_is_let_go() -> None:
    assert plan_for(running(cluster(deleted=True, begun=False))) == Plan()


def on_a_dead_host(*, ago: timedelta) -> Observed:
    """A member whose host is away was deleted a while ago, and nothing else of etcd is left."""
    seen = deleted()
    going = pod(ETCD)
    going = replace(going, metadata=replace(going.metadata, deletion_timestamp=NOW - ago))
    return replace(seen, live={}, pods=(going,), hosts={"h1": HostSeen("z1", False, False)})


def test_a_pod_on_a_host_that_is_away_is_awaited_for_five_minutes_and_then_let_go() -> None:
    seen = on_a_dead_host(ago=timedelta(minutes=4))
    assert plan_for(seen).actions == ()
    assert plan_for(seen).wait == Wait(NOW + timedelta(minutes=1), "host h1, which is away")
    assert plan_for(seen).verdict == Verdict(words.DELETING, "removing etcd: demo-etcd-0 on h1, which is away")
    member = seen.pods[0].metadata
    late = on_a_dead_host(ago=timedelta(minutes=5))
    assert plan_for(late).actions == (Remove(POD, member.name, member.uid, away="h1"),)


def test_a_pod_on_a_host_that_is_well_is_awaited_for_as_long_as_it_takes() -> None:
    seen = replace(on_a_dead_host(ago=timedelta(days=1)), hosts={"h1": HostSeen("z1", True, True)})
    assert (plan_for(seen).actions, plan_for(seen).wait) == ((), None)
    unknown = replace(seen, hosts={})
    assert plan_for(unknown).actions == ()


def test_whoever_waits_is_told_what_does_not_go_and_where_to_look() -> None:
    seen = deleted()
    (volume,) = seen.claims
    kept = replace(volume, metadata=replace(volume.metadata, finalizers=("kubernetes.io/pvc-protection",)))
    stuck = replace(seen, live={}, pods=(pod(ETCD),), claims=(kept,))
    first, second = plan_for(stuck).verdict, plan_for(replace(stuck, pods=())).verdict
    assert first == Verdict(words.DELETING, "removing etcd: demo-etcd-0 on h1")
    assert second == Verdict(
        words.DELETING, "removing the volumes of etcd: data-demo-etcd-0 (kept by kubernetes.io/pvc-protection)"
    )
