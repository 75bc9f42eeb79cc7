"""What a dry run tells is what the operator does, and it refuses what the operator would not do."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.clusters import NOW
from tests.support.rollouts import NEW, OLD, ORDER, after, look, step_of, up_to_date, wishing

from homeostat.api.cluster.backup import ClusterBackupStatus
from homeostat.api.cluster.masters import API_SERVER
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus, PackageDigestStatus
from homeostat.api.cluster.v1alpha1 import Cluster
from homeostat.operators.cluster import words
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.overrides import by_component, digest
from homeostat.operators.cluster.rollout.emulation import EMULATING
from homeostat.operators.cluster.rollout.foreseen import asking_for, foresee

ROLLBACK = {"onFailure": "Rollback"}


def with_status(seen: Observed, **changes: Any) -> Observed:
    return replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, **changes)))


def failed(**spec: Any) -> Observed:
    """A cluster that went back by itself, and whose failed version is still declared."""
    seen = wishing(upgradePolicy=ROLLBACK, **spec)
    gone_back = ClusterUpgradeStatus(
        from_version=OLD,
        to_version=OLD,
        started_at=NOW,
        failed_version=NEW,
        failed_overrides=digest(by_component(seen.cluster.spec.overrides)),
        failure="an image is not there",
    )
    return with_status(seen, upgrade=gone_back)


def asked(seen: Observed, cluster: Cluster) -> Observed:
    return replace(seen, cluster=replace(seen.cluster, spec=cluster.spec))


def moves(seen: Observed, looks: int = 20) -> tuple[str, ...]:
    """All components that move, look by look, while every one is well."""
    made: list[str] = []
    for _ in range(looks):
        made += step_of(seen).moves
        seen = after(seen)
    return tuple(made)


@pytest.mark.parametrize(("at", "to"), [(OLD, NEW), (NEW, OLD), (OLD, OLD)])
def test_what_is_foreseen_is_what_moves(at: str, to: str) -> None:
    seen = wishing(to=to, at=at)
    found = foresee(seen.cluster, seen.packages)
    assert found.refused == ""
    assert moves(seen) == (*found.moves, *(EMULATING if found.stand.emulates else ()))


def test_kubelets_that_the_status_names_forbid_what_they_forbid_the_operator() -> None:
    seen = with_status(wishing(to=OLD, at=NEW), kubelets=(NEW,))
    found = foresee(seen.cluster, seen.packages)
    assert "there are kubelets of 1.35" in found.refused
    assert up_to_date(replace(seen, kubelets=frozenset({NEW}))) == (
        words.UPGRADE_REFUSED,
        f"spec.packageVersion: {found.refused}",
    )


def test_kubelets_forbid_no_move_within_a_minor_version() -> None:
    seen = with_status(wishing(to=OLD, at=OLD, overrides=[{"name": API_SERVER, "args": {"v": "3"}}]), kubelets=(NEW,))
    assert foresee(seen.cluster, seen.packages).moves == (API_SERVER,)
    assert moves(replace(seen, kubelets=frozenset({NEW}))) == (API_SERVER,)


def test_what_failed_and_was_gone_back_from_is_tried_again_when_it_is_asked_for_once_more() -> None:
    seen = failed()
    assert moves(seen) == (), "not by itself"
    again = asking_for(seen.cluster, NEW)
    assert again.spec.upgrade_policy.attempt == 1
    found = foresee(again, seen.packages)
    assert found.moves == ORDER
    assert moves(asked(seen, again)) == (*ORDER, *EMULATING)


def test_overrides_that_failed_are_tried_again_in_the_same_way() -> None:
    seen = failed(to=OLD, at=OLD, overrides=[{"name": API_SERVER, "args": {"v": "3"}}])
    assert seen.cluster.status.upgrade is not None
    seen = with_status(seen, upgrade=replace(seen.cluster.status.upgrade, failed_version=OLD))
    assert moves(seen) == ()
    assert moves(asked(seen, asking_for(seen.cluster, OLD))) == (API_SERVER,)


def test_an_attempt_that_fails_too_is_gone_back_from_and_rests() -> None:
    seen = failed()
    seen = asked(seen, asking_for(seen.cluster, NEW))
    assert seen.cluster.status.upgrade is not None
    tried = replace(seen.cluster.status.upgrade, failed_attempt=1)
    assert moves(with_status(seen, upgrade=tried)) == ()
    assert "raise spec.upgradePolicy.attempt" in up_to_date(with_status(seen, upgrade=tried))[1]
    assert asking_for(with_status(seen, upgrade=tried).cluster, NEW).spec.upgrade_policy.attempt == 2


def test_what_never_failed_is_asked_for_without_another_attempt() -> None:
    for seen in (wishing(), failed(to=OLD)):
        assert asking_for(seen.cluster, seen.cluster.spec.package_version).spec == seen.cluster.spec


def test_what_the_operator_refuses_is_refused() -> None:
    deleted = wishing()
    deleted = replace(
        deleted,
        cluster=replace(deleted.cluster, metadata=replace(deleted.cluster.metadata, deletion_timestamp=NOW)),
    )
    forged = with_status(wishing(), package_digests=(PackageDigestStatus(name=OLD, digest="another"),))
    unsecured = with_status(wishing(upgradePolicy={"snapshot": "Required"}), backup=ClusterBackupStatus())
    for seen, why in (
        (deleted, "it is being deleted"),
        (forged, "made anew with other content"),
        (wishing(overrides=[{"name": "kube-scheduler", "args": {"config": "x"}}]), "the flag is homeostat's own"),
        (unsecured, "this cell has no store of snapshots"),
    ):
        assert why in foresee(seen.cluster, seen.packages).refused
        going = look(seen)[0].step
        assert going is None or going.moves == ()


def test_a_cluster_that_was_never_ready_moves_at_once() -> None:
    seen = with_status(wishing(), ready_at=None)
    found = foresee(seen.cluster, seen.packages)
    assert (found.at_once, found.secured) == (True, False)
    assert set(step_of(seen).moves) == set(found.moves)


def test_a_snapshot_is_foreseen_where_one_is_taken() -> None:
    seen = wishing()
    assert foresee(seen.cluster, seen.packages).secured
    _, status = look(seen)
    on_its_way = with_status(seen, upgrade=status.upgrade, components=status.components)
    assert not foresee(on_its_way.cluster, seen.packages).secured
