"""A move of etcd to another minor: etcd is told before it goes back, and when a way back is turned round."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from tests.support.ailing import host_of
from tests.support.clusters import NOW, cluster, package, running, settled
from tests.support.rollouts import tried

from homeostat.api.cluster.components import ComponentStatus
from homeostat.api.cluster.masters import COMPONENTS, ETCD
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Action, Step
from homeostat.operators.cluster.decide import Policy, decide
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.report import report
from homeostat.operators.cluster.upkeep.actions import AllowDowngrade, AskStores, ForbidDowngrade
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.operators.cluster.upkeep.stores import Stores, StoreSeen

OLD, NEW = "v1.34.4-etcd3.5", "v1.34.4"
PACKAGES = {OLD: package(OLD), NEW: package(NEW)}
THREE = tuple(host_of(f"demo-etcd-{number}") for number in range(3))


def going(to: str, at: str, *, etcd: str = "", **known: Any) -> Observed:
    """A cluster that is well and goes from one package version to another; `etcd` says where etcd is by now."""
    declared = cluster(packageVersion=to, topology="ha")
    components = tuple(
        ComponentStatus(
            name=each,
            version="",
            image="",
            desired=1,
            ready=1,
            state="Ready",
            package_version=etcd if etcd and each == ETCD else at,
        )
        for each in COMPONENTS
    )
    declared = replace(declared, status=ClusterStatus(package_version=at, components=components))
    seen = running(declared, packages=PACKAGES, kubelets=frozenset(), ready_since=NOW)
    return settled(replace(seen, probed=ProbeSeen(NOW, "v1.34.4"), upkeep=told(**known)))


def told(
    versions: Mapping[int, str] | str = "3.6.16",
    form: str = "3.6",
    back: str = "",
    silent: tuple[str, ...] = (),
    failure: str = "",
    **more: Any,
) -> UpkeepSeen:
    """What etcd said just now."""
    stores = tuple(
        StoreSeen(
            number + 10,
            host,
            versions if isinstance(versions, str) else versions[number],
            1 << 20,
            1 << 20,
            is_leader=number == 0,
            data_version=form,
            going_back_to=back,
        )
        for number, host in enumerate(THREE)
        if host not in silent
    )
    return replace(UpkeepSeen(NOW, NOW, Stores(stores, (), silent), failure), **more)


def step_of(seen: Observed) -> Step:
    found = decide(tried(seen), NOW, Policy()).step
    assert found is not None
    return found


def needs(seen: Observed) -> tuple[Action, ...]:
    return step_of(seen).needs


def why(seen: Observed) -> str:
    verdict = step_of(seen).verdict
    assert verdict is not None
    assert verdict.reason == words.AWAITING_HEALTH
    assert step_of(seen).moves == ()
    return verdict.message


def test_before_etcd_changes_its_minor_it_is_asked_in_which_form_its_data_is() -> None:
    late = going(OLD, NEW)
    late = replace(late, upkeep=replace(late.upkeep, at=NOW - timedelta(minutes=1)))
    assert needs(late) == (AskStores(),)
    assert AskStores() in decide(late, NOW, Policy()).actions


def test_up_etcd_is_not_told_anything() -> None:
    assert step_of(going(NEW, OLD, versions="3.5.35", form="")).moves == (ETCD,)


def test_back_etcd_is_told_first_and_moves_when_all_data_has_the_older_form() -> None:
    seen = going(OLD, NEW)
    assert needs(seen) == (AllowDowngrade("3.5"),)
    assert "etcd is told that it goes back to 3.5" in why(seen)
    assert AllowDowngrade("3.5") in decide(seen, NOW, Policy()).actions
    rewriting = going(OLD, NEW, back="3.5")
    assert needs(rewriting) == ()
    assert f"the data of {THREE[0]} takes the form of etcd 3.5" in why(rewriting)
    assert step_of(going(OLD, NEW, back="3.5", form="3.5")).moves == (ETCD,)


def test_back_etcd_waits_for_members_that_do_not_answer() -> None:
    assert f"when all members answer, and {THREE[2]} does not" in why(going(OLD, NEW, silent=(THREE[2],)))
    assert "when it can be told so: no quorum" in why(going(OLD, NEW, failure="no quorum"))


def test_a_move_up_that_did_not_get_far_is_taken_back_without_asking() -> None:
    seen = going(OLD, OLD, etcd=NEW, versions={0: "3.5.35", 1: "3.5.35", 2: "3.6.16"}, form="3.5", silent=(THREE[2],))
    assert step_of(seen).moves == (ETCD,)


def test_a_way_back_that_is_turned_round_is_told_before_members_move_up_again() -> None:
    versions = {0: "3.6.16", 1: "3.6.16", 2: "3.5.35"}
    seen = going(NEW, NEW, etcd=OLD, versions=versions, form="3.5", back="3.5")
    assert needs(seen) == (ForbidDowngrade(),)
    assert step_of(going(NEW, NEW, etcd=OLD, versions=versions, form="3.5")).moves == (ETCD,)


def test_a_move_is_complete_when_every_member_says_so() -> None:
    def arrived(**known: Any) -> Observed:
        seen = going(NEW, OLD, etcd=NEW, **known)
        upgrade = ClusterUpgradeStatus(
            from_version=OLD, to_version=NEW, started_at=NOW, component=ETCD, component_started_at=NOW
        )
        return settled(
            replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, upgrade=upgrade)))
        )

    assert f"{THREE[0]} is of 3.6.16, its data of 3.5, and 3.6 is awaited" in why(arrived(form="3.5"))
    assert "is of 3.5.35" in why(arrived(versions="3.5.35", form=""))
    assert needs(arrived(is_stale=True)) == (AskStores(),)
    assert step_of(arrived()).moves == ("kube-apiserver",)


def test_the_status_tells_that_etcd_writes_its_data_anew_for_the_way_back() -> None:
    seen = going(NEW, NEW)
    plan = decide(seen, NOW, Policy())
    status = report(seen, plan, (), NOW).status
    assert status is not None
    (way,) = status.rollback
    assert (way.package_version, way.possible) == (OLD, True)
    assert way.reason == "all data is kept; etcd writes it anew for 3.5 first, and all members must answer"
