"""A wish that moves nobody holds nothing up, however long it stays declared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.ailing import NAMES, host_of
from tests.support.clusters import NOW, settled
from tests.support.rollouts import NEW, OLD, look, moved, up_to_date, wishing

from homeostat.api.cluster.backup import ClusterBackupStatus, SnapshotFailureStatus
from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import AskKubelets, IssueLeaf
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.pacing.place import Place
from homeostat.operators.cluster.pki import states
from homeostat.operators.cluster.pki.lifetimes import Certificate
from homeostat.operators.cluster.upkeep.actions import CompareStores, Defragment, ForbidDowngrade
from homeostat.operators.cluster.upkeep.seen import UpkeepSeen
from homeostat.operators.cluster.upkeep.stores import Stores, StoreSeen
from homeostat.runtime.conditions import find_condition

LONG_AGO = NOW - timedelta(days=60)
STORES = tuple(
    StoreSeen(10 + number, host_of(name), "3.6.16", 1 << 30, 1 << 20, quota=2 << 30, is_leader=number == 0)
    for number, name in enumerate(NAMES)
)
ROLLED_BACK = ClusterUpgradeStatus(
    from_version=OLD, to_version=OLD, started_at=LONG_AGO, failed_version=NEW, failure="an image is not there"
)


def neglected(seen: Observed, compared_at: Any = LONG_AGO, **status: Any) -> Observed:
    """All is well, but certificates, etcd and its comparison are overdue."""
    leaf = (Certificate("ca", "x.crt", NOW + timedelta(days=45)),)
    leaves = tuple(replace(each, renew_at=LONG_AGO, certificates=leaf) for each in seen.leaves)
    upkeep = UpkeepSeen(NOW - timedelta(days=1), NOW, Stores(STORES), hashes={}, compared_at=compared_at)
    known = replace(seen.cluster.status, ready_at=NOW - timedelta(days=300), **status)
    return settled(
        replace(seen, leaves=leaves, upkeep=upkeep, cluster=replace(seen.cluster, status=known), kubelets_due=True)
    )


def unsecured() -> Observed:
    seen = neglected(wishing())
    failure = SnapshotFailureStatus(
        because="Upgrade",
        reason="StoreUnreachable",
        message="no route",
        at=NOW,
        attempts=9,
        retry_at=NOW,
        generation=seen.cluster.metadata.generation,
    )
    backup = ClusterBackupStatus(store="s3://x", failure=failure)
    status = replace(seen.cluster.status, backup=backup)
    return replace(seen, store="s3://x", cluster=replace(seen.cluster, status=status))


DECLARED = {
    words.AS_DECLARED: neglected(wishing(to=OLD)),
    words.ROLLED_BACK: neglected(wishing(upgradePolicy={"onFailure": "Rollback"}), upgrade=ROLLED_BACK),
    words.UPGRADE_REFUSED: neglected(replace(wishing(to=OLD, at=NEW), kubelets=frozenset({NEW}))),
    words.PACKAGE_NOT_FOUND: neglected(wishing(to="v9.9.9")),
    words.OVERRIDE_REFUSED: neglected(wishing(to=OLD, overrides=[{"name": API_SERVER, "args": {"etcd-prefix": "x"}}])),
    words.QUEUED: replace(neglected(wishing()), place=Place(may_begin=False, before=3, at_once=2)),
    words.UPGRADE_UNSECURED: unsecured(),
}


@pytest.mark.parametrize("reason", DECLARED)
def test_what_a_cluster_that_is_well_needs_is_done_beside_a_wish_that_moves_nobody(reason: str) -> None:
    seen = DECLARED[reason]
    assert up_to_date(seen)[0] == reason
    actions = look(seen)[0].actions
    assert any(isinstance(each, IssueLeaf) for each in actions)
    assert CompareStores() in actions
    compared = look(replace(seen, upkeep=replace(seen.upkeep, compared_at=NOW)))[0].actions
    assert any(isinstance(each, Defragment) for each in compared)


@pytest.mark.parametrize("reason", DECLARED)
def test_a_cluster_whose_wish_moves_nobody_is_looked_at_as_seldom_as_any_other(reason: str) -> None:
    seen = replace(DECLARED[reason], upkeep=UpkeepSeen(), leaves=wishing().leaves)
    plan = look(seen)[0]
    assert plan.wait is not None
    assert plan.wait.until > NOW + timedelta(seconds=20)


def test_kubelets_are_asked_now_and_then_beside_it() -> None:
    seen = DECLARED[words.ROLLED_BACK]
    assert AskKubelets() in look(replace(seen, probed=ProbeSeen(LONG_AGO, OLD)))[0].actions


def test_a_rotation_that_is_asked_for_begins_beside_it() -> None:
    seen = wishing(upgradePolicy={"onFailure": "Rollback"}, keys={"rotations": {"authorities": 1}})
    status = look(neglected(seen, upgrade=ROLLED_BACK))[1]
    assert status.rotation is not None
    assert (status.rotation.keys, status.rotation.stage) == (states.AUTHORITIES, states.PREPARING)


def test_a_rotation_that_waits_for_masters_that_move_says_so() -> None:
    status = look(moved(wishing(keys={"rotations": {"tokenKey": 1}}), ETCD))[1]
    assert status.rotation is None
    told = find_condition(status.conditions, words.PKI_READY)
    assert told is not None
    assert (told.status, told.reason) == ("True", words.ROTATING)
    assert told.message.startswith("the key of tokens: asked for, and begins when all masters are at rest. Now: to ")


def test_masters_on_their_way_are_left_to_it() -> None:
    seen = neglected(wishing())
    assert look(seen)[0].step is not None
    actions = look(seen)[0].actions
    assert not any(isinstance(each, IssueLeaf | CompareStores | Defragment) for each in actions)


def test_a_permission_to_go_back_stays_only_while_members_may_need_it() -> None:
    seen = DECLARED[words.ROLLED_BACK]
    told = tuple(replace(each, going_back_to="3.5") for each in STORES)
    seen = replace(seen, upkeep=replace(seen.upkeep, answer=Stores(told), compared_at=NOW))
    assert ForbidDowngrade() in look(seen)[0].actions
    on_its_way = replace(seen.cluster.status, upgrade=replace(ROLLED_BACK, component=ETCD, failed_version=""))
    refused = replace(seen.cluster, spec=replace(seen.cluster.spec, package_version="v9.9.9"), status=on_its_way)
    assert ForbidDowngrade() not in look(replace(seen, cluster=refused))[0].actions


def test_a_wish_that_known_kubelets_refuse_is_told_as_refused_while_they_are_asked_again() -> None:
    seen = replace(wishing(to=OLD, at=NEW), kubelets=None)
    known = replace(seen, cluster=replace(seen.cluster, status=replace(seen.cluster.status, kubelets=(NEW,))))
    assert AskKubelets() in look(known)[0].actions
    assert up_to_date(known)[0] == words.UPGRADE_REFUSED
    assert up_to_date(seen)[0] == words.AWAITING_HEALTH
