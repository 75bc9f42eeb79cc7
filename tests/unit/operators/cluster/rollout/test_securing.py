"""An upgrade begins only when what is there before is safe, and nothing else waits for a snapshot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.backups import STORE, backed_up, failure, last
from tests.support.clusters import NOW, cluster, running
from tests.support.rollouts import tried

from homeostat.api.cluster.backup import ClusterBackupStatus
from homeostat.api.cluster.upgrades import ClusterUpgradeStatus
from homeostat.operators.cluster.actions import Step
from homeostat.operators.cluster.observe import Observed, ProbeSeen
from homeostat.operators.cluster.rollout.securing import securing
from homeostat.operators.cluster.rollout.step import step

FROM, TO = "v1.34.4", "v1.35.4"


def moving(policy: str = "Auto", backup: ClusterBackupStatus | None = None, **changes: Any) -> Observed:
    """A cluster that is complete at one package version, with another one declared."""
    declared = cluster(packageVersion=TO, upgradePolicy={"snapshot": policy})
    declared = replace(declared, status=replace(declared.status, package_version=FROM))
    found = running(declared, store=STORE, kubelets=frozenset(), ready_since=NOW, probed=ProbeSeen(NOW, FROM))
    status = replace(found.cluster.status, backup=backup, **changes)
    return replace(found, cluster=replace(found.cluster, status=status))


def going(seen: Observed) -> Step:
    return step(tried(seen), NOW, is_applied=True)


def reason(found: Step) -> str:
    return found.verdict.reason if found.verdict is not None else ""


def test_the_first_master_waits_for_a_snapshot() -> None:
    found = going(moving())
    assert (reason(found), found.moves) == ("AwaitingSnapshot", ())


def test_with_a_snapshot_of_this_wish_it_moves() -> None:
    assert len(going(moving(backup=ClusterBackupStatus(last=last()))).moves) == 1


def test_a_snapshot_from_before_the_wish_does_not_do() -> None:
    assert reason(going(moving(backup=ClusterBackupStatus(last=last(generation=0))))) == "AwaitingSnapshot"


def test_nor_does_one_that_is_not_fresh_any_more() -> None:
    old = ClusterBackupStatus(last=last(timedelta(minutes=31)))
    assert reason(going(moving(backup=old))) == "AwaitingSnapshot"


def test_when_none_can_be_taken_nothing_moves_and_the_reason_is_told() -> None:
    found = going(moving(backup=ClusterBackupStatus(failure=failure(generation=1))))
    assert (reason(found), found.moves) == ("UpgradeUnsecured", ())
    assert found.verdict is not None
    assert "tried again at 2026-01-01T00:01:00Z: no room" in found.verdict.message


def test_with_best_effort_one_failed_attempt_is_enough() -> None:
    assert reason(going(moving("BestEffort"))) == "AwaitingSnapshot"
    assert going(moving("BestEffort", ClusterBackupStatus(failure=failure(generation=1)))).moves


@pytest.mark.parametrize(("policy", "moves"), [("Auto", True), ("BestEffort", True), ("Required", False)])
def test_without_a_store_only_those_wait_that_ask_for_it(policy: str, moves: bool) -> None:
    found = going(replace(moving(policy), store=""))
    assert bool(found.moves) is moves
    assert moves or reason(found) == "UpgradeUnsecured"


def test_in_the_middle_of_a_move_nobody_waits() -> None:
    upgrade = ClusterUpgradeStatus(
        from_version=FROM, to_version=TO, started_at=NOW, component="etcd", component_started_at=NOW
    )
    assert reason(going(moving(upgrade=upgrade))) not in ("AwaitingSnapshot", "UpgradeUnsecured")


def test_overrides_that_change_do_not_wait() -> None:
    declared = cluster(overrides=[{"name": "kube-apiserver", "args": {"v": "2"}}])
    found = running(declared, store=STORE, ready_since=NOW, probed=ProbeSeen(NOW, TO))
    assert going(found).moves == ("kube-apiserver",)


def test_what_secures_an_upgrade_is_named() -> None:
    assert securing(backed_up(last=last()), NOW) == "s-1"
    assert securing(backed_up(), NOW) == ""
