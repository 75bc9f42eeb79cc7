"""Masters that another release of homeostat made are kept until what they are made for changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clusters import NOW, cluster, planned, running

from homeostat.api.cluster.healing import ClusterHealingStatus, MasterRestartStatus
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.operators.cluster.actions import Keep
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.desired import workloads
from homeostat.operators.cluster.manifests import shape
from homeostat.operators.cluster.manifests.shape import Desired, at_rest
from homeostat.operators.cluster.observe import Live, Observed
from homeostat.operators.cluster.pki.judging import LeafSeen
from homeostat.operators.cluster.rollout.members import Roll

HA = running(cluster(topology="ha"))
ROLL = Roll(0)
KINDS = ("StatefulSet", "Deployment")


def made_by(seen: Observed, found: list[Desired]) -> Observed:
    """A cell with these workloads, as a process sees it that starts now."""
    live = dict(seen.live)
    for each in found:
        live[each.kind.resource.kind, each.name] = Live(f"uid-{each.name}", "as-left", False, each.mark, each.cause)
    return replace(seen, live=live, applied={mark: left for mark, left in seen.applied.items() if mark[0] not in KINDS})


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Observed:
    """What the release before this one left: it made Pods in another way."""
    with monkeypatch.context() as then:
        then.setattr(shape, "_AWAY_S", 15)
        then.setattr(shape, "NOBODY", 1000)
        then.setattr(shape, "CONFINED", {})
        before = list(workloads(HA, ROLL))
    return made_by(HA, before)


def applied(seen: Observed) -> list[str]:
    return [each.name for each in planned(decide(seen, NOW, Policy())) if each.kind.resource.kind in KINDS]


def kept(seen: Observed) -> list[str]:
    actions = decide(seen, NOW, Policy()).actions
    return [each.name for action in actions if isinstance(action, Keep) for each in action.objects]


def known(seen: Observed) -> Observed:
    """The same, once the operator has taken the workloads as they are."""
    taken = {
        (each.kind.resource.kind, each.name): (each.digest, "as-left")
        for action in decide(seen, NOW, Policy()).actions
        if isinstance(action, Keep)
        for each in action.objects
    }
    return replace(seen, applied={**seen.applied, **taken})


def test_a_new_release_of_homeostat_touches_no_master(upgraded: Observed) -> None:
    assert applied(upgraded) == []
    assert kept(upgraded) == ["demo-etcd", "demo-apiserver", "demo-controller-manager", "demo-scheduler"]
    assert (applied(known(upgraded)), kept(known(upgraded))) == ([], [])


def test_masters_of_this_release_are_applied_once_after_a_restart() -> None:
    seen = made_by(HA, list(workloads(HA, ROLL)))
    assert (len(applied(seen)), kept(seen)) == (4, [])


def test_a_master_of_another_release_that_is_edited_is_made_anew(upgraded: Observed) -> None:
    seen = known(upgraded)
    edited = Live("uid-demo-scheduler", "edited", False, "other", "other")
    assert applied(replace(seen, live={**seen.live, ("Deployment", "demo-scheduler"): edited})) == ["demo-scheduler"]


def test_a_master_of_another_release_whose_certificates_change_follows_them_alone(upgraded: Observed) -> None:
    for seen in (upgraded, known(upgraded)):
        renewed = tuple(
            replace(each, digest="renewed") if each.leaf.name == "demo-scheduler" else each for each in seen.leaves
        )
        assert applied(replace(seen, leaves=renewed)) == ["demo-scheduler"]


def test_masters_of_another_release_are_stopped_for_a_restore(upgraded: Observed) -> None:
    """Data is exchanged under no master that runs, whoever made it."""
    stopped = [at_rest(each) for each in workloads(HA, ROLL)]
    assert all(each.cause != other.cause for each, other in zip(stopped, workloads(HA, ROLL), strict=True))
    back = made_by(HA, stopped)
    assert len(applied(back)) == 4
    assert upgraded.live["StatefulSet", "demo-etcd"].cause != stopped[0].cause


CHANGES: dict[str, Any] = {
    "podCIDR": {"network": {"podCIDR": "10.202.0.0/16", "serviceCIDR": "10.201.0.0/20"}},
    "serviceCIDR": {"network": {"podCIDR": "10.200.0.0/16", "serviceCIDR": "10.203.0.0/20"}},
    "dnsDomain": {"network": {"podCIDR": "10.200.0.0/16", "serviceCIDR": "10.201.0.0/20", "dnsDomain": "else"}},
    "audit": {"audit": {"level": "Request"}},
    "storage": {"storage": {"size": "3Gi"}},
    "class": {"storage": {"className": "fast"}},
    "single": {"topology": "single"},
    "package": {"packageVersion": "v1.34.4"},
}


def bodies(seen: Observed, roll: Roll) -> dict[str, tuple[Any, str]]:
    return {each.name: (each.body["spec"], each.cause) for each in workloads(seen, roll)}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_declaration_changes_about_a_master_it_is_made_for(change: str) -> None:
    _same_or_for_another(bodies(HA, ROLL), bodies(running(cluster(**{"topology": "ha", **CHANGES[change]})), ROLL))


@given(
    roll=st.builds(Roll, st.integers(0, 3)),
    secret=st.sampled_from(HA.leaves),
    host=st.sampled_from(("10.9.9.9", "api.example.org")),
    avoiding=st.sampled_from(("kube-apiserver", "kube-scheduler", "kube-controller-manager")),
)
def test_whatever_else_changes_a_master_it_is_made_for(roll: Roll, secret: LeafSeen, host: str, avoiding: str) -> None:
    renewed = tuple(replace(each, digest="renewed") if each == secret else each for each in HA.leaves)
    assert HA.endpoint is not None
    ill = MasterRestartStatus(
        component=avoiding,
        step="Move",
        pod="p",
        pod_uid="u",
        host="h9",
        attempts=1,
        started_at=NOW,
        avoided_hosts=("h9",),
    )
    status = replace(HA.cluster.status, healing=ClusterHealingStatus(restarts=(ill,)))
    seen = replace(
        HA,
        cluster=replace(HA.cluster, status=status),
        leaves=renewed,
        endpoint=replace(HA.endpoint, host=host),
    )
    _same_or_for_another(bodies(HA, ROLL), bodies(seen, roll))


def test_controllers_that_need_not_stay_any_more_are_made_for_that() -> None:
    upgrade = ClusterUpgradeStatus(
        from_version="v1.35.4", to_version="v1.34.4", started_at=NOW, component="kube-scheduler"
    )
    status = replace(HA.cluster.status, upgrade=upgrade)
    dead = {name: each for name, each in HA.workloads.items() if name != HA.names.apiserver}
    idle = replace(HA, cluster=replace(HA.cluster, status=status), workloads=dead)
    before, after = bodies(HA, ROLL), bodies(idle, ROLL)
    assert {name for name in after if after[name] != before[name]} == {"demo-controller-manager", "demo-scheduler"}
    _same_or_for_another(before, after)


def _same_or_for_another(before: dict[str, tuple[Any, str]], after: dict[str, tuple[Any, str]]) -> None:
    for name, (spec, cause) in after.items():
        assert spec == before[name][0] or cause != before[name][1], name
