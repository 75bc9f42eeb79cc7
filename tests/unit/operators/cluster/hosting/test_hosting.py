"""Hosted operators begin when they may do their work, move like masters, and leave nothing behind."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from tests.support.clusters import NOW, planned
from tests.support.hosting import HOSTED, OPERATOR, WORKLOAD, hosting, well, with_hosted
from tests.support.rollouts import NEW, OLD, after, look, step_of, up_to_date

from homeostat.api.core import DEPLOYMENT, SECRET
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import IssueLeaf
from homeostat.operators.cluster.components import everything, is_ready
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.hosting.actions import GrantRights, Withdraw
from homeostat.operators.cluster.hosting.seen import RightsSeen
from homeostat.operators.cluster.hosting.step import host
from homeostat.operators.cluster.observe import Live, Observed
from homeostat.operators.cluster.teardown import tear_down
from homeostat.operators.cluster.troubles import trouble
from homeostat.runtime.conditions import find_condition

THERE = with_hosted(HOSTED, HOSTED)


def deployment(seen: Observed) -> dict[str, object]:
    found = [each for each in planned(decide(replace(seen, applied={}), NOW, Policy())) if each.name == WORKLOAD]
    return found[0].body if found else {}


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


def test_rights_come_before_the_pods_that_need_them() -> None:
    unknown = replace(THERE, rights={}, workloads={n: w for n, w in THERE.workloads.items() if n != WORKLOAD})
    (grant,) = host(unknown, NOW).actions
    assert isinstance(grant, GrantRights)
    assert grant.operator == OPERATOR
    assert deployment(unknown) == {}
    assert trouble(unknown, OPERATOR).reason == words.NOT_CREATED


def test_rights_that_cannot_be_granted_are_told_and_tried_again() -> None:
    refused = replace(THERE, rights={OPERATOR: RightsSeen(NOW, failure='namespaces "storage" not found')})
    assert not is_ready(refused, OPERATOR)
    why = trouble(refused, OPERATOR)
    assert (why.reason, why.message) == (
        words.RIGHTS_REFUSED,
        'its rights in the business cluster are not granted: namespaces "storage" not found',
    )
    assert host(refused, NOW).actions == ()
    assert host(refused, NOW + timedelta(seconds=5)).actions != ()


def test_a_process_that_has_just_begun_grants_again_and_calls_nobody_ill() -> None:
    begun = replace(THERE, rights={})
    assert is_ready(begun, OPERATOR)
    assert len(host(begun, NOW).actions) == 1


def test_rights_are_written_again_now_and_then() -> None:
    wait = host(THERE, NOW).wait
    assert wait is not None
    assert timedelta(minutes=7) < wait.until - NOW <= timedelta(minutes=10)
    assert len(host(THERE, wait.until).actions) == 1


def test_other_rights_are_granted_at_once_and_it_moves_only_with_them() -> None:
    seen = replace(THERE, packages={**THERE.packages, HOSTED: hosting(grants=())})
    assert [type(each) for each in host(seen, NOW).actions] == [GrantRights]
    assert not is_ready(seen, OPERATOR)
    assert deployment(seen) == {}, "the one that runs is left as it is"


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
    left = replace(seen, live={**seen.live, **there})
    assert host(left, NOW).actions == (Withdraw(OPERATOR, DEPLOYMENT, WORKLOAD, "d"),)
    going = replace(left, live={**left.live, ("Deployment", WORKLOAD): Live("d", "f", True)})
    assert host(going, NOW).actions == ()
    stopped = replace(left, live={**seen.live, ("Secret", WORKLOAD): Live("s", "f", False)}, pods=THERE.pods)
    assert host(stopped, NOW).actions == (), "its Pods still read the Secret"
    gone = replace(stopped, pods=seen.pods)
    assert host(gone, NOW).actions == (Withdraw(OPERATOR, SECRET, WORKLOAD, "s"),)


def test_a_deletion_takes_it_with_the_controllers() -> None:
    plan = tear_down(THERE)
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
