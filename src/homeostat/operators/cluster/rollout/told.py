"""What the status says about package version and overrides: before anything moves, while it moves, and after. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.parameters import ComponentOverride
from homeostat.api.cluster.upgrades import ClusterEmulationStatus, ClusterRollbackStatus, ClusterUpgradeStatus
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersion, ClusterStatus
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Step, Verdict
from homeostat.operators.cluster.components import is_ready
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.overrides import digest, listed
from homeostat.operators.cluster.rollout.emulation import (
    failed,
    forgiven,
    held,
    keeps_data,
    left,
    lost,
    remembered,
    serves,
)
from homeostat.operators.cluster.rollout.hosts import counted
from homeostat.operators.cluster.rollout.kubelets import shown
from homeostat.operators.cluster.rollout.path import Stand, refusal
from homeostat.operators.cluster.rollout.securing import securing
from homeostat.operators.cluster.rollout.standing import (
    Made,
    Wish,
    complete,
    declared,
    is_all_there,
    made,
    standing,
)
from homeostat.operators.cluster.rollout.versions import Version, version_of
from homeostat.runtime.events import Note

_MOST = 16  # older versions that are told of, the nearest first
_SHOWN = 1000
_SAID_AS_WELL = (words.PAUSED, words.PACKAGE_NOT_FOUND, words.PACKAGE_CHANGED)  # as Accepted does


def will_be_made(seen: Observed, plan: Plan) -> Mapping[str, Made]:
    """What each component is made of from the next look on."""
    now = dict(made(seen.cluster, seen.packages))
    if plan.step is not None:
        wish = Wish(plan.step.to, plan.step.overrides)
        return now | {component: wish.part(component, plan.step.emulates) for component in plan.step.moves}
    if plan.verdict is not None and not seen.cluster.status.package_version:
        return {component: Made(part.package) for component, part in now.items()}  # nothing is, of what is refused
    return now


def begun_with(seen: Observed, *, is_accepted: bool) -> tuple[str, tuple[ComponentOverride, ...]]:
    """What all masters were made of when a move last was complete: first of all what was declared at the beginning."""
    before = seen.cluster.status
    if before.package_version or not is_accepted:
        return before.package_version, before.overrides
    return seen.cluster.spec.package_version, listed(declared(seen.cluster).overrides)


def moved(seen: Observed, plan: Plan, status: ClusterStatus, now: datetime) -> ClusterStatus:
    """The status with what this step means for it."""
    going, before = plan.step, seen.cluster.status
    if seen.kubelets is not None:
        status = replace(status, kubelets=shown(seen.kubelets))
    if going is None or not status.package_version:
        return status
    now = now.replace(microsecond=0)
    if before.ready_at is None and going.moves:
        return replace(status, package_version=going.to, overrides=listed(going.overrides), upgrade=None)
    status = replace(status, emulation=forgiven(seen.cluster))
    if going.moves:
        status = replace(status, upgrade=_with_move(seen, going, now))
    if going.stands and status.upgrade is not None and status.upgrade.component:
        status = replace(status, upgrade=counted(status.upgrade, now))
    if going.ends_emulation and API_SERVER in going.moves:
        status = replace(status, emulation=left(status.emulation, now))
    if going.failed is not None and going.ends_emulation:
        status = replace(status, emulation=failed(status.emulation, going.failed.message))
    elif going.failed is not None:
        status = replace(status, upgrade=_with_failure(seen, going, now))
    if is_complete(going):
        status = replace(_completed(status, going), emulation=_emulation(seen, status, going, now))
    return replace(status, rollback=_ways_back(seen, status) if status.ready_at is not None else ())


def is_complete(going: Step) -> bool:
    """Whether all masters are where they go, ready and proven."""
    return going.verdict is None or going.verdict.reason in (words.ROLLED_BACK, words.ENDING_EMULATION)


def up_to_date(seen: Observed, plan: Plan) -> tuple[bool, Verdict]:
    """What the condition UpToDate says."""
    if plan.step is not None:
        serving = _serving(seen) if plan.step.emulates else ""
        notes = "; ".join(filter(None, (serving, plan.turn.awaits)))
        return plan.step.verdict is None, plan.step.verdict or Verdict(words.AS_DECLARED, notes)
    wish = declared(seen.cluster)
    is_there = is_all_there(seen.cluster, wish, seen.packages)
    is_made = plan.verdict is None or seen.cluster.status.package_version != ""
    if is_there and is_made and seen.cluster.status.upgrade is None:
        return True, Verdict(words.AS_DECLARED, "")
    if plan.verdict is not None and plan.verdict.reason in _SAID_AS_WELL:
        return False, plan.verdict
    return False, Verdict(words.NOT_CREATED, f"the package version is followed only while {words.ACCEPTED} is true")


def _serving(seen: Observed) -> str:
    package = seen.packages.get(seen.cluster.status.package_version)
    return serves(seen.cluster, version_of(package.spec.kubernetes_version)) if package is not None else ""


def upgrade_notes(seen: Observed, plan: Plan, status: ClusterStatus) -> list[Note]:
    """The story of a move, an event for each step."""
    going, before = plan.step, seen.cluster.status
    if going is None or before.ready_at is None:
        return []
    if going.failed is not None:
        return [
            Note(words.UPGRADE_FAILED, f"{seen.cluster.spec.package_version}: {going.failed.message}", type="Warning")
        ]
    if going.moves and going.verdict is not None:
        is_back = going.verdict.reason == words.ROLLING_BACK
        return [Note(going.verdict.reason, f"moves {going.verdict.message}", type="Warning" if is_back else "Normal")]
    if status.package_version != before.package_version:
        return [Note(words.UPGRADED, f"all masters are of {status.package_version}, before {before.package_version}")]
    if held(before) is not None and held(status) is None and status.emulation is not None:
        return [Note(words.EMULATION_ENDED, f"all masters of {status.package_version} serve their own version")]
    if status.overrides != before.overrides:
        return [Note(words.UPGRADED, f"all masters are of {status.package_version} with the declared overrides")]
    if going.verdict is not None and going.verdict.reason == words.ROLLED_BACK and _is_under_way(before):
        return [Note(words.ROLLED_BACK, going.verdict.message, type="Warning")]
    return []


def _is_under_way(status: ClusterStatus) -> bool:
    return status.upgrade is not None and status.upgrade.component != ""


def _with_move(seen: Observed, going: Step, now: datetime) -> ClusterUpgradeStatus:
    before = seen.cluster.status
    known = before.upgrade or ClusterUpgradeStatus(
        from_version=before.package_version, to_version=going.to, started_at=now
    )
    if not known.component:  # what failed came to its end before
        known = replace(known, started_at=now, snapshot=securing(seen.cluster, now), unproven=())
    is_new_wish = Wish(going.to, going.overrides) != complete(seen.cluster)
    if is_new_wish:
        known = replace(known, failed_version="", failed_overrides="", failed_attempt=0, failure="")
    return replace(
        known,
        to_version=going.to,
        component=going.moves[-1],
        component_started_at=now,
        counted_from=None,
        unproven=tuple(
            each
            for each in dict.fromkeys((known.component, *known.unproven))
            if each and each not in going.moves and not is_ready(seen, each)
        ),
    )


def _with_failure(seen: Observed, going: Step, now: datetime) -> ClusterUpgradeStatus:
    before, wish = seen.cluster.status, declared(seen.cluster)
    known = before.upgrade or ClusterUpgradeStatus(
        from_version=before.package_version, to_version=going.to, started_at=now
    )
    assert going.failed is not None  # noqa: S101  (the caller looked)
    return replace(
        known,
        failed_version=wish.package,
        failed_overrides=digest(wish.overrides),
        failed_attempt=seen.cluster.spec.upgrade_policy.attempt,
        failure=going.failed.message[:_SHOWN],
    )


def _emulation(seen: Observed, status: ClusterStatus, going: Step, now: datetime) -> ClusterEmulationStatus | None:
    package = seen.packages.get(going.to)
    if package is None:
        return status.emulation
    return remembered(status, going.emulates, version_of(package.spec.kubernetes_version).line, now)


def _completed(status: ClusterStatus, going: Step) -> ClusterStatus:
    """Where the masters are now is where they can be left; a failure is remembered as long as it is declared."""
    upgrade = status.upgrade
    if going.verdict is not None and upgrade is not None and upgrade.failed_version:
        upgrade = replace(upgrade, component="", component_started_at=None, counted_from=None, unproven=())
    else:
        upgrade = None
    status = replace(status, overrides=listed(going.overrides))
    if status.package_version == going.to:
        return replace(status, upgrade=upgrade)
    return replace(status, package_version=going.to, previous_package_version=status.package_version, upgrade=upgrade)


def _ways_back(seen: Observed, status: ClusterStatus) -> tuple[ClusterRollbackStatus, ...]:
    """Every older package version than the newest master is of, the nearest first, and what going there means."""
    cluster = replace(seen.cluster, status=status)
    known = [
        seen.packages[part.package] for part in made(cluster, seen.packages).values() if part.package in seen.packages
    ]
    if not known:
        return status.rollback
    seen = replace(seen, cluster=cluster)
    current = max(map(_age, known))
    older = [(_age(package), name) for name, package in seen.packages.items() if _age(package) < current]
    return tuple(_way_back(seen, name) for _, name in sorted(older, reverse=True)[:_MOST])


def _age(package: ClusterPackageVersion) -> tuple[Version, Version]:
    """What makes a package version older than another one: Kubernetes first, then etcd."""
    etcd = package.spec.component(ETCD)
    assert etcd is not None  # noqa: S101  (the CRD says so)
    return version_of(package.spec.kubernetes_version), version_of(etcd.version)


def _way_back(seen: Observed, name: str) -> ClusterRollbackStatus:
    stand = standing(seen.cluster, Wish(name), seen.packages)
    why = refusal(stand, seen.kubelets or seen.cluster.status.kubelets)
    if why:
        return ClusterRollbackStatus(package_version=name, possible=False, reason=why[:500])
    then, now, status = stand.then(API_SERVER), stand.now(API_SERVER), seen.cluster.status
    is_kept = keeps_data(status, made(seen.cluster, seen.packages)[API_SERVER].emulates, now, then)
    kept = "all data is kept" + _anew(stand)
    way = ClusterRollbackStatus(package_version=name, possible=True, keeps_data=is_kept, reason=kept)
    if now.minors_above(then) <= 0:
        return way
    while_ = f"until kubelets are newer than {then.line}"
    if is_kept:
        return replace(way, reason=f"{while_}; {kept}: {then.line} is what is served and stored, still")
    return replace(way, reason=f"{while_}; {lost(status, now, then)}{_anew(stand)}"[:500])


def _anew(stand: Stand) -> str:
    """What a way back asks of etcd."""
    if stand.now(ETCD).minors_above(stand.then(ETCD)) <= 0:
        return ""
    return f"; etcd writes it anew for {stand.then(ETCD).line} first, and all members must answer"
