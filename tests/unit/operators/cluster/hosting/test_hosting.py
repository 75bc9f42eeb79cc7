"""Hosted operators begin when they may do their work, move like masters, and leave nothing behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW, planned
from tests.support.hosting import HOSTED, OPERATOR, WORKLOAD, entitle, hosting, well, with_hosted
from tests.support.rollouts import NEW, OLD, after, look, step_of, up_to_date

from homeostat.api.cluster.hosted import HostedGrant
from homeostat.api.cluster.restoring import ClusterRestoreStatus, SnapshotOwner
from homeostat.api.core import DEPLOYMENT, SECRET
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Apply, IssueLeaf, LetGo, Remove, Step
from homeostat.operators.cluster.components import everything, is_ready
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.healing.masters import mend
from homeostat.operators.cluster.healing.seen import HostSeen
from homeostat.operators.cluster.hosting.actions import GrantRights, Withdraw
from homeostat.operators.cluster.hosting.entitled import entitled
from homeostat.operators.cluster.hosting.rights import Wanted, digest
from homeostat.operators.cluster.hosting.seen import RightsSeen
from homeostat.operators.cluster.hosting.step import Hosting, back_off, host
from homeostat.operators.cluster.observe import Live, Observed
from homeostat.operators.cluster.rollout.standing import placed
from homeostat.operators.cluster.teardown import tear_down
from homeostat.operators.cluster.troubles import trouble
from homeostat.operators.cluster.turns.rest import rest
from homeostat.runtime.conditions import find_condition

READS = (HostedGrant(verbs=("get", "list", "watch"), api_groups=("",), resources=("nodes",)),)
THERE = with_hosted(HOSTED, HOSTED)


def deployment(seen: Observed) -> dict[str, object]:
    found = [each for each in planned(decide(replace(seen, applied={}), NOW, Policy())) if each.name == WORKLOAD]
    return found[0].body if found else {}


@pytest.mark.parametrize("lost", [OLD, NEW, HOSTED])
@pytest.mark.parametrize("complete", [OLD, NEW, HOSTED])
@pytest.mark.parametrize("made_of", [OLD, NEW, HOSTED])
@pytest.mark.parametrize("wish", [OLD, NEW, HOSTED])
def test_a_package_version_that_is_lost_is_told_whichever_operators_others_host(
    wish: str, made_of: str, complete: str, lost: str
) -> None:
    seen = with_hosted(wish, made_of)
    status = replace(seen.cluster.status, package_version=complete)
    there = {name: each for name, each in seen.packages.items() if name != lost}
    seen = replace(seen, packages=there, cluster=replace(seen.cluster, status=status), applied={})
    plan, status = look(seen)
    accepted = find_condition(status.conditions, words.ACCEPTED)
    assert accepted is not None
    if lost in (made_of, *placed(seen.cluster, there)):
        assert accepted.reason == words.PACKAGE_NOT_FOUND
        assert not any(isinstance(each, Apply | Remove) for each in plan.actions)
    elif lost == wish:
        assert accepted.reason == words.PACKAGE_NOT_FOUND


def test_one_that_is_there_as_declared_needs_nothing() -> None:
    plan, status = look(THERE)
    assert plan.actions == ()
    (told,) = (each for each in status.components if each.name == OPERATOR)
    assert (told.desired, told.ready, told.state, told.package_version) == (2, 2, "Ready", HOSTED)
    assert find_condition(status.conditions, words.READY).status == "True"  # type: ignore[union-attr]


def test_its_pods_know_the_business_cluster_and_nothing_of_the_cell() -> None:
    spec = deployment(THERE)["spec"]["template"]["spec"]  # type: ignore[index]
    (container,) = spec["containers"]
    assert container["command"] == ["homeostat", "run", "cluster"]
    assert {"name": "KUBECONFIG", "value": "/etc/homeostat/pki/kubeconfig"} in container["env"]
    assert spec["automountServiceAccountToken"] is False
    assert [each["name"] for each in spec["volumes"]] == ["pki", "tmp"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 8080, "scheme": "HTTP"}


def test_one_that_elects_no_leader_is_never_there_twice() -> None:
    seen = replace(THERE, packages={**THERE.packages, HOSTED: hosting(single=True)})
    spec = deployment(well(seen))["spec"]
    assert spec["replicas"] == 1  # type: ignore[index]
    assert spec["strategy"] == {"type": "Recreate"}  # type: ignore[index]


def refused(seen: Observed, why: str = 'namespaces "storage" not found') -> Observed:
    """The business cluster said no a moment ago, for the first time."""
    return replace(seen, rights=RightsSeen(NOW, digest(entitled(seen)), {OPERATOR: why}, tries=1))


def test_rights_come_before_the_first_pods_that_need_them() -> None:
    others = {name: each for name, each in THERE.workloads.items() if name != WORKLOAD}
    unknown = replace(THERE, rights=None, workloads=others)
    (grant,) = host(unknown, NOW).actions
    assert isinstance(grant, GrantRights)
    assert grant.operators == (OPERATOR,)
    assert deployment(unknown) == {}
    assert trouble(unknown, OPERATOR).reason == words.NOT_CREATED
    assert deployment(replace(unknown, rights=THERE.rights)) != {}


def test_rights_that_are_refused_are_told_and_asked_for_again_more_and_more_seldom() -> None:
    seen = refused(THERE)
    assert not is_ready(seen, OPERATOR)
    why = trouble(seen, OPERATOR)
    assert (why.reason, why.message) == (
        words.RIGHTS_REFUSED,
        'its rights in the business cluster are refused: namespaces "storage" not found',
    )
    assert host(seen, NOW).actions == ()
    assert host(seen, NOW + timedelta(seconds=5)).actions != ()
    assert [back_off(tries).total_seconds() for tries in (1, 2, 3, 99)] == [5, 10, 20, 300]


def test_a_business_cluster_that_cannot_be_asked_calls_nobody_ill() -> None:
    away = replace(THERE, rights=RightsSeen(NOW, digest(entitled(THERE)), unreachable="no route", tries=3))
    assert is_ready(away, OPERATOR)
    assert host(away, NOW + timedelta(seconds=19)).actions == ()
    assert len(host(away, NOW + timedelta(seconds=20)).actions) == 1


def test_what_runs_is_kept_as_declared_whatever_became_of_its_rights() -> None:
    for seen in (replace(THERE, rights=None), refused(THERE)):
        assert deployment(seen) == deployment(THERE)
    restarted = replace(THERE, rights=None)
    assert is_ready(restarted, OPERATOR)
    assert len(host(restarted, NOW).actions) == 1


def test_a_move_to_rights_that_are_refused_fails_and_can_be_taken_back() -> None:
    seen = with_hosted(upgradePolicy={"onFailure": "Rollback"})
    while OPERATOR not in step_of(seen).moves:
        seen = well(after(seen))
    told = refused(replace(after(seen), rights=None))
    assert up_to_date(told)[1].endswith('are refused: namespaces "storage" not found')
    late = NOW + timedelta(seconds=61)
    failed = step_of(told, late).failed
    assert failed is not None
    back = replace(told, cluster=replace(told.cluster, spec=replace(told.cluster.spec, package_version=NEW)))
    assert step_of(back).moves == ("etcd",), "the first one back; it does not wait for what is refused"


def test_rights_that_people_of_the_business_cluster_took_hold_up_no_move_and_no_renewal() -> None:
    seen = refused(with_hosted(NEW, HOSTED))
    assert step_of(seen).moves != ()
    there = refused(THERE)
    assert rest(there, Step(HOSTED), is_applied=True).held == ""


def test_rights_are_written_again_now_and_then() -> None:
    wait = host(THERE, NOW).wait
    assert wait is not None
    assert timedelta(minutes=7) < wait.until - NOW <= timedelta(minutes=10)
    assert len(host(THERE, wait.until).actions) == 1


def test_a_restore_brings_back_what_was_granted_once_so_rights_are_written_after_it() -> None:
    restored = ClusterRestoreStatus(
        snapshot="s",
        cluster=SnapshotOwner(namespace="default", name="demo", uid="uid-demo"),
        number=1,
        stage="Done",
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=1),
        taken_at=NOW,
    )
    for seen in (THERE, with_hosted(NEW, NEW)):
        status = replace(seen.cluster.status, restore=restored)
        again = replace(seen, cluster=replace(seen.cluster, status=status), rights=RightsSeen(NOW, ""))
        (grant,) = host(again, NOW).actions
        assert isinstance(grant, GrantRights)
        done = replace(again, rights=RightsSeen(NOW + timedelta(seconds=2), grant.digest))
        assert host(done, NOW + timedelta(seconds=2)).actions == ()


def test_where_nobody_is_hosted_nobody_is_asked() -> None:
    plain = replace(with_hosted(NEW, NEW), rights=None)
    assert host(plain, NOW) == Hosting()


def test_on_a_move_it_has_the_rights_of_both_and_then_only_its_own() -> None:
    more = hosting(grants=(*READS, HostedGrant(verbs=("get",), api_groups=("",), resources=("pods",))))
    other = replace(more, metadata=replace(more.metadata, name="other"))
    seen = with_hosted("other", HOSTED)
    seen = well(replace(seen, packages={**seen.packages, "other": other}))
    before = resources(entitled(seen))
    while OPERATOR not in step_of(seen).moves:
        seen = well(after(seen))
    moving = after(seen)
    assert resources(entitled(moving)) == before | {"pods"}
    assert [type(each) for each in host(moving, NOW).actions] == [GrantRights]
    done = well(moving)
    status = look(done)[1]
    assert status.package_version == "other"
    complete = replace(done, cluster=replace(done.cluster, status=status))
    assert resources(entitled(complete)) == {"nodes", "pods"}


def resources(wanted: Wanted) -> set[str]:
    rules = [rule for right in wanted[OPERATOR] for rule in right.body.get("rules", ())]
    return {each for rule in rules for each in rule["resources"]}


def test_it_comes_with_the_package_version_after_all_masters() -> None:
    seen = with_hosted()
    assert OPERATOR in everything(seen)
    assert is_ready(seen, OPERATOR), "what is not to be there yet keeps nobody waiting"
    moves: list[str] = []
    for _ in range(20):
        found = step_of(seen)
        moves += found.moves
        if found.verdict is None:
            break
        seen = well(after(seen))
    assert moves[-1] == OPERATOR
    assert look(seen)[1].package_version == HOSTED
    assert [each.name for each in look(seen)[1].components][-1] == OPERATOR


def test_its_beginning_is_told_as_such() -> None:
    seen = with_hosted()
    for _ in range(4):
        seen = well(after(seen))
    assert up_to_date(seen) == (words.UPGRADING, f"to {HOSTED}: {OPERATOR} begins to be hosted, 1 of 5 are left")


def test_it_goes_with_the_package_version_before_the_move_is_complete() -> None:
    seen = with_hosted(NEW, HOSTED)
    while OPERATOR not in step_of(seen).moves:
        seen = well(after(seen))
    assert "is hosted no longer" in up_to_date(seen)[1]
    told = after(seen)
    left = replace(told, workloads=seen.workloads, pods=seen.pods, live=seen.live)
    assert not is_ready(left, OPERATOR)
    assert trouble(left, OPERATOR).message == f"is hosted no longer, waiting until {WORKLOAD}-x on h1 is gone"
    assert look(left)[1].package_version == HOSTED
    (mine,) = (each for each in look(left)[1].components if each.name == OPERATOR)
    assert (mine.desired, mine.package_version) == (0, NEW)
    gone = well(left)
    assert is_ready(gone, OPERATOR)
    done = look(gone)[1]
    assert done.package_version == NEW
    complete = replace(gone, cluster=replace(gone.cluster, status=done))
    assert OPERATOR not in [each.name for each in look(complete)[1].components]


def test_a_wish_that_is_turned_round_lets_it_stay() -> None:
    seen = with_hosted(NEW, HOSTED)
    while OPERATOR not in step_of(seen).moves:
        seen = well(after(seen))
    told = after(seen)
    back = replace(told, cluster=replace(told.cluster, spec=replace(told.cluster.spec, package_version=HOSTED)))
    moves: list[str] = []
    for _ in range(20):
        moves += step_of(back).moves
        if step_of(back).verdict is None:
            break
        back = well(after(back))
    assert OPERATOR in moves
    assert look(back)[1].package_version == HOSTED
    assert is_ready(back, OPERATOR)


def test_what_is_left_of_one_goes_in_order_its_secret_last() -> None:
    there = {("Deployment", WORKLOAD): Live("d", "f", False), ("Secret", WORKLOAD): Live("s", "f", False)}
    seen = with_hosted(NEW, NEW)
    left = entitle(replace(seen, live={**seen.live, **there}))
    assert host(left, NOW).actions == (Withdraw(OPERATOR, DEPLOYMENT, WORKLOAD, "d"),)
    going = replace(left, live={**left.live, ("Deployment", WORKLOAD): Live("d", "f", True)})
    assert host(going, NOW).actions == ()
    secret = {("Secret", WORKLOAD): Live("s", "f", False)}
    stopped = replace(left, live={**seen.live, **secret}, pods=THERE.pods)
    assert host(stopped, NOW).actions == (), "its Pods still read the Secret"
    gone = replace(stopped, pods=seen.pods)
    assert host(gone, NOW).actions == (Withdraw(OPERATOR, SECRET, WORKLOAD, "s"),)
    restarted = host(replace(gone, rights=None), NOW)
    assert [type(each) for each in restarted.actions] == [GrantRights], "first its rights, then what tells of it"


def test_one_that_goes_is_let_go_from_a_host_that_is_lost_but_for_one_that_elects_no_leader() -> None:
    lost = replace(THERE.pods[-1].metadata, deletion_timestamp=NOW - timedelta(hours=1))
    pods = (*THERE.pods[:-1], replace(THERE.pods[-1], metadata=lost))
    away = {"h1": HostSeen("z1", is_ready=False, takes_pods=False)}
    seen = replace(THERE, pods=pods, hosts=away)
    assert [each.pod for each in mend(seen, NOW, Policy().healing).actions if isinstance(each, LetGo)] == [lost.name]
    single = replace(seen, packages={**seen.packages, HOSTED: hosting(single=True)})
    assert not [each for each in mend(single, NOW, Policy().healing).actions if isinstance(each, LetGo)]


def test_a_deletion_takes_it_with_the_controllers() -> None:
    plan = tear_down(THERE, NOW, Policy().healing.lost_for)
    assert WORKLOAD in {each.name for each in plan.actions}  # type: ignore[union-attr]


def test_its_kubeconfig_is_made_for_a_user_of_its_own() -> None:
    fresh = replace(THERE, leaves=tuple(replace(leaf, exists=False) for leaf in THERE.leaves))
    (issue,) = (
        each
        for each in decide(fresh, NOW, Policy()).actions
        if isinstance(each, IssueLeaf) and each.leaf.component == OPERATOR
    )
    assert issue.leaf.kubeconfig is not None
    assert issue.leaf.kubeconfig.user.common_name == "homeostat:hosted:homeostat"
    assert issue.leaf.kubeconfig.user.organization == ""
    assert issue.leaf.restarts


def test_a_downgrade_of_kubernetes_moves_it_before_the_api_server() -> None:
    seen = with_hosted(OLD, HOSTED)
    moves: list[str] = []
    for _ in range(20):
        moves += step_of(seen).moves
        if step_of(seen).verdict is None:
            break
        seen = well(after(seen))
    assert moves.index(OPERATOR) < moves.index("kube-apiserver")
