"""Which orchestrations are under way for a Cluster, by its status, and which of them end with this look. Pure."""

from __future__ import annotations

from datetime import datetime

from homeostat.api.cluster.v1alpha1 import Cluster, ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan
from homeostat.operators.cluster.metrics import (
    ABANDONED,
    CREATE,
    DELETE,
    FAILED,
    HEAL,
    RESTORE,
    ROLLBACK,
    SCALE,
    SUCCEEDED,
    UPGRADE,
    ended,
)
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.beginning import DONE, DROPPED, is_under_way
from homeostat.operators.cluster.rollout.standing import Wish, complete
from homeostat.operators.cluster.rollout.told import is_complete
from homeostat.operators.cluster.rollout.versions import version_of
from homeostat.runtime.conditions import find_condition
from homeostat.telemetry.metrics import Measure


def running(cluster: Cluster) -> dict[str, datetime]:
    """What is under way, and since when; a move back by the operator itself is a rollback."""
    status, deleted = cluster.status, cluster.metadata.deletion_timestamp
    if deleted is not None:
        return {DELETE: deleted}
    found = {}
    if status.started_at is not None and status.ready_at is None:
        found[CREATE] = status.started_at
    upgrade, healing = status.upgrade, status.healing
    if upgrade is not None and upgrade.component:
        found[ROLLBACK if upgrade.failed_version else UPGRADE] = upgrade.started_at
    if healing is not None and healing.replacement is not None:
        found[HEAL] = healing.replacement.started_at
    if status.topology is not None and status.topology.started_at is not None:
        found[SCALE] = status.topology.started_at
    if status.restore is not None and is_under_way(cluster):
        found[RESTORE] = status.restore.started_at
    return found


def gone(cluster: Cluster, now: datetime) -> tuple[Measure, ...]:
    """What ends when nothing of a deleted Cluster is left."""
    began = cluster.metadata.deletion_timestamp or now
    over = ended(DELETE, SUCCEEDED, _seconds(began, now))
    status = cluster.status
    if status.ready_at is None and status.started_at is not None:
        return (*over, *ended(CREATE, ABANDONED, _seconds(status.started_at, began)))
    return over


def measured(seen: Observed, plan: Plan, status: ClusterStatus, now: datetime) -> tuple[Measure, ...]:
    """What ended between the status that was and the one that will be."""
    by_plan = (*_moved(seen, plan, now), *_healed(seen, plan, status, now), *_scaled(seen, plan, now))
    return (*_created(seen, status), *by_plan, *_restored(seen, status, now))


def _created(seen: Observed, status: ClusterStatus) -> tuple[Measure, ...]:
    before = seen.cluster.status
    if before.ready_at is not None or status.ready_at is None or status.started_at is None:
        return ()
    return ended(CREATE, SUCCEEDED, _seconds(status.started_at, status.ready_at))


def _moved(seen: Observed, plan: Plan, now: datetime) -> tuple[Measure, ...]:
    going, upgrade = plan.step, seen.cluster.status.upgrade
    if going is None or upgrade is None or not upgrade.component:
        return ()
    operation, seconds = _direction(seen, Wish(going.to, going.overrides)), _seconds(upgrade.started_at, now)
    if going.failed is not None:  # it goes back from here on, which is told when it is there
        return ended(UPGRADE, FAILED, seconds)
    if is_complete(going):
        return ended(operation, SUCCEEDED, seconds)
    told = find_condition(seen.cluster.status.conditions, words.UP_TO_DATE)
    is_failed = going.verdict is not None and going.verdict.reason == words.UPGRADE_FAILED
    is_news = told is None or told.reason != words.UPGRADE_FAILED
    return ended(operation, FAILED, seconds) if is_failed and is_news else ()


def _direction(seen: Observed, wish: Wish) -> str:
    """Back to what was complete, or to an older Kubernetes, is a rollback."""
    before = complete(seen.cluster)
    if wish == before:
        return ROLLBACK
    to, since = seen.packages.get(wish.package), seen.packages.get(before.package)
    if to is None or since is None:
        return UPGRADE
    is_older = version_of(to.spec.kubernetes_version) < version_of(since.spec.kubernetes_version)
    return ROLLBACK if is_older else UPGRADE


def _healed(seen: Observed, plan: Plan, status: ClusterStatus, now: datetime) -> tuple[Measure, ...]:
    """A replacement that gives way to another one has failed; one that gives way to a restore was abandoned."""
    healing = seen.cluster.status.healing
    if healing is None or healing.replacement is None:
        return ()
    seconds = _seconds(healing.replacement.started_at, now)
    if plan.heal.begins is not None:
        return ended(HEAL, FAILED, seconds)
    if plan.heal.ends:
        return ended(HEAL, SUCCEEDED, seconds)
    is_over = status.healing is None or status.healing.replacement is None
    return ended(HEAL, ABANDONED, seconds) if is_over else ()


def _scaled(seen: Observed, plan: Plan, now: datetime) -> tuple[Measure, ...]:
    """A change of the topology that was taken back was abandoned."""
    topology = seen.cluster.status.topology
    becomes = plan.scale.becomes if plan.scale is not None else None
    if topology is None or topology.started_at is None or becomes is None or becomes.started_at is not None:
        return ()
    result = ABANDONED if becomes.complete == topology.complete else SUCCEEDED
    return ended(SCALE, result, _seconds(topology.started_at, now))


def _restored(seen: Observed, status: ClusterStatus, now: datetime) -> tuple[Measure, ...]:
    """A restore whose approval was taken back was abandoned."""
    restore = status.restore
    if restore is None or not is_under_way(seen.cluster) or restore.stage not in (DONE, DROPPED):
        return ()
    return ended(RESTORE, SUCCEEDED if restore.stage == DONE else ABANDONED, _seconds(restore.started_at, now))


def _seconds(began: datetime, now: datetime) -> float:
    return (now - began).total_seconds()
