"""From what was seen, planned and done to the whole status, to notes for events and to what is counted. Pure."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from msgspec.structs import replace

from homeostat.api.apps import DEPLOYMENT, STATEFUL_SET
from homeostat.api.cluster.masters import API_SERVER, ETCD
from homeostat.api.cluster.v1alpha1 import ClusterStatus
from homeostat.api.meta import Condition
from homeostat.kube.errors import Forbidden
from homeostat.operators.cluster import orchestrations, words
from homeostat.operators.cluster.actions import (
    Action,
    Applied,
    Apply,
    Conflicted,
    IssueAuthority,
    IssueLeaf,
    Plan,
    Probed,
    Refused,
    Remove,
    RemoveFinalizer,
    Verdict,
)
from homeostat.operators.cluster.availability import available
from homeostat.operators.cluster.components import everything
from homeostat.operators.cluster.ending import is_ending
from homeostat.operators.cluster.healing.told import (
    etcd_verdict,
    healed,
    healing_notes,
    master_verdict,
    mending_measures,
    mending_notes,
)
from homeostat.operators.cluster.names import FINALIZER
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.pacing.holding import rolling_since
from homeostat.operators.cluster.pki.told import certificates
from homeostat.operators.cluster.restore.beginning import is_under_way
from homeostat.operators.cluster.restore.told import restore_notes, restored
from homeostat.operators.cluster.rollout.sealing import sealed
from homeostat.operators.cluster.rollout.told import begun_with, moved, up_to_date, upgrade_notes, will_be_made
from homeostat.operators.cluster.scaling.told import as_many_as_declared, scaled, scaling_notes
from homeostat.operators.cluster.statuses import components, is_made
from homeostat.operators.cluster.troubles import authority_trouble, trouble
from homeostat.operators.cluster.turns.renewing import expiring
from homeostat.operators.cluster.turns.told import rotation_notes, turned
from homeostat.operators.cluster.upkeep.told import care_measures, care_notes, etcd_cared, kept
from homeostat.runtime.conditions import find_condition, is_true, set_condition
from homeostat.runtime.events import Note
from homeostat.runtime.loop import Report, Result
from homeostat.runtime.outcome import Retry

_LASTING = 3  # failures in a row before a refusal of the cell's API is worth a condition
_SHOWN = 1000
_CALM = {
    *(words.UPGRADING, words.ROLLING_BACK, words.AWAITING_HEALTH, words.ROLLED_BACK, words.ENDING_EMULATION),
    words.AWAITING_SNAPSHOT,
    words.SCALING,
    words.PROGRESSING,
    words.RESTORING,
    words.NOT_CREATED,
    words.ISSUING,
    words.WAITING_FOR_ADDRESS,
    words.PAUSED,
    words.QUEUED,
    words.DELETING,
}
_ON_THE_WAY = (
    *(words.UPGRADING, words.ROLLING_BACK, words.AWAITING_HEALTH, words.ENDING_EMULATION),
    words.QUEUED,
    *(words.AWAITING_SNAPSHOT, words.UPGRADE_UNSECURED),
)
# Their being true is no news of its own.
_SUMS = (words.ACCEPTED, words.SCALED, words.UP_TO_DATE, words.AVAILABLE, words.READY)

Results = tuple[Result[Action], ...]


def report(seen: Observed, plan: Plan, results: Results, now: datetime) -> Report[ClusterStatus]:
    """What to tell."""
    if any(isinstance(result.action, RemoveFinalizer) and _went_well(result) for result in results):
        note = Note(words.DELETED, "everything that was made for it is gone")
        return Report(None, (note,), orchestrations.gone(seen.cluster, now))
    before = seen.cluster.status
    failed = [result.outcome.error for result in results if isinstance(result.outcome, Retry)]
    attempts = before.attempts + 1 if failed else 0
    conditions = _conditions(seen, plan, results, attempts, now)
    accepted = _is_followed(seen, plan)
    begun_of, begun_so = begun_with(seen, is_accepted=accepted)
    status = replace(
        before,
        observed_generation=seen.cluster.metadata.generation,
        package_version=begun_of,
        overrides=begun_so,
        kubernetes_version=_version(seen, results) or before.kubernetes_version,
        endpoint=seen.endpoint,
        components=components(seen, will_be_made(seen, plan)),
        conditions=conditions,
        started_at=before.started_at or (now.replace(microsecond=0) if accepted else None),
        ready_at=before.ready_at or (now.replace(microsecond=0) if is_made(seen, conditions, now) else None),
        attempts=attempts,
        healing=healed(before, plan.heal, plan.mend, now, moves=plan.step.moves if plan.step is not None else ()),
        etcd=kept(seen, results, now),
        topology=scaled(seen, plan, is_accepted=accepted),
        certificates=certificates(seen.authority, seen.leaves) or before.certificates,
    )
    status = turned(seen, plan, moved(seen, plan, status, now))
    status = sealed(seen.cluster, status, seen.packages)
    status = restored(status, plan.restore, seen.probed, now, serves=is_true(conditions, words.AVAILABLE))
    status = replace(status, rolling_since=rolling_since(seen, plan, status, now))
    status = replace(status, phase=_phase(seen, plan, status))
    healings = (*healing_notes(before, plan.heal, results), *mending_notes(before, plan.mend, results))
    cares = care_notes(seen, plan.care, results)
    story = (
        *upgrade_notes(seen, plan, status),
        *healings,
        *rotation_notes(seen, plan),
        *cares,
        *scaling_notes(before, plan),
    )
    measures = (*orchestrations.measured(seen, plan, status, now), *mending_measures(results), *care_measures(results))
    story = (*story, *restore_notes(before.restore, status.restore))
    return Report(status, (*story, *_notes(seen, status, results)), measures)


def _conditions(seen: Observed, plan: Plan, results: Results, attempts: int, now: datetime) -> tuple[Condition, ...]:
    clients = tuple(each for each in everything(seen) if each not in (ETCD, API_SERVER))
    judged = (
        (words.ACCEPTED, *_accepted(seen, plan, results, attempts)),
        (words.PKI_READY, *_pki(seen, plan, now)),
        (words.ENDPOINT_ASSIGNED, *_endpoint(seen)),
        (words.ETCD_READY, *_etcd(seen, plan)),
        (words.API_SERVER_READY, *master_verdict(_masters(seen, (API_SERVER,)), plan.mend, (API_SERVER,))),
        (words.CONTROLLERS_READY, *master_verdict(_masters(seen, clients), plan.mend, clients)),
        (words.SCALED, *as_many_as_declared(seen, plan)),
        (words.UP_TO_DATE, *up_to_date(seen, plan)),
        (words.AVAILABLE, *available(seen, plan, results)),
    )
    set_one = partial(set_condition, generation=seen.cluster.metadata.generation, now=now)
    conditions = seen.cluster.status.conditions
    for type_, is_so, why in judged:
        conditions = set_one(conditions, type_, is_so, why.reason, why.message[:_SHOWN])
    is_ready, why = _ready(seen, plan, results, conditions)
    return set_one(conditions, words.READY, is_ready, why.reason, why.message[:_SHOWN])


def _accepted(seen: Observed, plan: Plan, results: Results, attempts: int) -> tuple[bool, Verdict]:
    """What fails comes first: a deletion, too, that does not go on must say why."""
    for result in results:
        match result.outcome:
            case Conflicted(why=why):
                return False, Verdict(words.NAME_CONFLICT, why)
            case Refused(why=why, is_forbidden=is_forbidden):
                return False, Verdict(words.FORBIDDEN if is_forbidden else words.API_REFUSED, why)
            case Retry(error=Forbidden() as error):
                return False, Verdict(words.FORBIDDEN, str(error))
            case Retry(error=error) if attempts >= _LASTING:
                return False, Verdict(words.API_REFUSED, f"tried {attempts} times: {error}")
            case _:
                continue
    verdict = plan.verdict or _held_back(seen)
    return verdict is None, verdict or Verdict(words.AS_DECLARED, "")


def _held_back(seen: Observed) -> Verdict | None:
    """Nothing is left to do for a Cluster that is deleted, but others hold it back."""
    if seen.cluster.metadata.deletion_timestamp is None:
        return None
    others = ", ".join(name for name in seen.cluster.metadata.finalizers if name != FINALIZER)
    return Verdict(
        words.DELETING, "nothing of it is left" + (f"; finalizers of others hold it: {others}" if others else "")
    )


def _is_followed(seen: Observed, plan: Plan) -> bool:
    """Whether masters are made and kept as declared, but perhaps of an older package version."""
    is_held = plan.verdict is not None and plan.step is None
    return not is_held and not is_ending(seen.cluster)


def _went_well(result: Result[Action]) -> bool:
    return result.outcome is not None and not isinstance(result.outcome, Retry)


def _pki(seen: Observed, plan: Plan, now: datetime) -> tuple[bool, Verdict]:
    broken = plan.pki or authority_trouble(seen) or expiring(seen, now)
    if broken is not None:
        return False, Verdict(broken.reason, broken.message)
    missing = [leaf.leaf.name for leaf in seen.leaves if leaf.damage or not leaf.exists]
    if not seen.authority.exists or missing or seen.endpoint is None:
        if not _is_followed(seen, plan):
            return False, Verdict(words.NOT_CREATED, f"keys are made only while {words.ACCEPTED} is true")
        return False, Verdict(words.ISSUING, f"making {', '.join(missing)}" if missing else "making the authorities")
    return True, plan.turn.verdict or Verdict(words.AS_DECLARED, "")


def _endpoint(seen: Observed) -> tuple[bool, Verdict]:
    if seen.endpoint is not None:
        return True, Verdict(words.ASSIGNED, f"{seen.endpoint.host}:{seen.endpoint.port}")
    wanted = seen.cluster.spec.endpoint.address
    asked = f" {wanted}" if wanted else ""
    return False, Verdict(
        words.WAITING_FOR_ADDRESS, f"Service {seen.names.apiserver} of type LoadBalancer has no address{asked} yet"
    )


def _etcd(seen: Observed, plan: Plan) -> tuple[bool, Verdict]:
    is_so, why = _masters(seen, (ETCD,))
    return etcd_cared(is_so, etcd_verdict(why, plan.heal), plan.care)


def _masters(seen: Observed, names: tuple[str, ...]) -> tuple[bool, Verdict]:
    for name in names:
        why = trouble(seen, name)
        if why.reason != words.COMPONENTS_READY:
            return False, Verdict(why.reason, f"{name}: {why.message}")
    return True, Verdict(words.COMPONENTS_READY, "")


def _ready(seen: Observed, plan: Plan, results: Results, conditions: tuple[Condition, ...]) -> tuple[bool, Verdict]:
    """As declared, and available: what is wrong first in the order of dependence is told."""
    if seen.cluster.metadata.deletion_timestamp is not None and plan.verdict is not None:
        return False, plan.verdict
    if plan.verdict is not None and plan.verdict.reason == words.QUEUED:
        return False, plan.verdict
    needed = (words.PKI_READY, words.ENDPOINT_ASSIGNED, words.ETCD_READY, words.API_SERVER_READY)
    for type_ in (*needed, words.CONTROLLERS_READY, words.AVAILABLE, words.SCALED, words.UP_TO_DATE):
        found = find_condition(conditions, type_)
        if found is not None and found.status != "True":
            if found.reason == words.PROGRESSING and type_ == words.AVAILABLE:
                return False, _unproven(conditions, found)
            return False, Verdict(found.reason, f"{type_}: {found.message}")
    if _has_changed_masters(seen, results) and not is_true(seen.cluster.status.conditions, words.READY):
        return False, Verdict(words.PROGRESSING, "masters were declared anew this moment")
    return True, Verdict(words.SERVING, "")


def _has_changed_masters(seen: Observed, results: Results) -> bool:
    """Whether what was written just now is not what was judged: caches may be behind what another leader did and told.

    What an apply has not changed has the version that was seen.
    """
    known = {each.metadata.resource_version for each in seen.workloads.values()}
    applied = (result.outcome for result in results if isinstance(result.outcome, Applied))
    kinds = (STATEFUL_SET.resource.kind, DEPLOYMENT.resource.kind)
    return any(kind in kinds and version not in known for each in applied for kind, version in each.versions)


def _unproven(conditions: tuple[Condition, ...], available: Condition) -> Verdict:
    """Nobody probes a cluster whose declaration is not followed: then that is the reason."""
    accepted = find_condition(conditions, words.ACCEPTED)
    told = accepted if accepted is not None and accepted.status != "True" else available
    return Verdict(told.reason, told.message)


def _version(seen: Observed, results: Results) -> str:
    """What answered last: just now, or while the cluster was at rest."""
    before = seen.probed.version if seen.probed is not None else ""
    return next((result.outcome.version for result in results if isinstance(result.outcome, Probed)), before)


def _phase(seen: Observed, plan: Plan, status: ClusterStatus) -> str:
    if seen.cluster.metadata.deletion_timestamp is not None:
        return "Deleting"
    if plan.verdict is not None and plan.verdict.reason == words.PAUSED:
        return "Paused"
    if is_true(status.conditions, words.READY):
        return "Ready"
    if is_under_way(replace(seen.cluster, status=status)):
        return "Restoring"
    if plan.step is not None and plan.step.verdict is not None and plan.step.verdict.reason in _ON_THE_WAY:
        return "Upgrading"
    is_queued = plan.scale is not None and plan.scale.verdict is not None and plan.scale.verdict.reason == words.QUEUED
    if is_queued or (status.topology is not None and status.topology.started_at is not None):
        return "Scaling"
    if status.ready_at is not None:
        return "Degraded"
    return "Provisioning" if status.started_at is not None else "Pending"


def _notes(seen: Observed, status: ClusterStatus, results: Results) -> tuple[Note, ...]:
    """Every change of a condition, and what was done."""
    before = seen.cluster.status
    notes = []
    if before.started_at is None and status.started_at is not None:
        notes.append(Note(words.CREATING, f"making the masters from {status.package_version}"))
    notes += [note for result in results if (note := _done(seen, result)) is not None]
    notes += _removed(results)
    for condition in status.conditions:
        old = find_condition(before.conditions, condition.type)
        told = old is not None and (old.status, old.reason) == (condition.status, condition.reason)
        is_bad = condition.status == "False" or condition.reason == words.WRITES_REFUSED
        if not told and condition.reason not in _CALM and is_bad:
            notes.append(Note(condition.reason, f"{condition.type}: {condition.message}", type="Warning"))
        elif not told and condition.status == "True" and condition.type not in _SUMS:
            notes.append(Note(condition.type, f"{condition.type}: {condition.message or condition.reason}"))
    if before.ready_at is None and status.ready_at is not None:
        notes.append(Note(words.CREATED, f"serves Kubernetes {status.kubernetes_version}"))
    elif is_true(status.conditions, words.AVAILABLE) and _was_away(before):
        notes.append(Note(words.SERVING, "serves its clients again"))
    return tuple(notes)


def _was_away(before: ClusterStatus) -> bool:
    return before.ready_at is not None and not is_true(before.conditions, words.AVAILABLE)


def _done(seen: Observed, result: Result[Action]) -> Note | None:
    if result.outcome is None or isinstance(result.outcome, Retry | Conflicted):
        return None
    repaired = seen.cluster.status.ready_at is not None
    match result.action:
        case IssueLeaf() if isinstance(result.outcome, Refused):
            return None
        case IssueAuthority():
            return Note(words.ISSUING, "made the authorities")
        case IssueLeaf(leaf=leaf, renews=True) if any(each.outdated and each.leaf == leaf for each in seen.leaves):
            return None  # the stage of its rotation was told
        case IssueLeaf(leaf=leaf, because=why, renews=True):
            return Note(words.RENEWED, f"renewed Secret {leaf.name}: {why}")
        case IssueLeaf(leaf=leaf, because=why) if repaired:
            return Note(words.REPAIRED, f"made Secret {leaf.name} anew: {why}", type="Warning")
        case Apply() if repaired and isinstance(result.outcome, Applied | Refused) and result.outcome.put_back:
            return Note(words.REPAIRED, f"put back {', '.join(result.outcome.put_back)}", type="Warning")
        case _:
            return None


def _removed(results: Results) -> list[Note]:
    """What a stage of a deletion removed, in one event: one for each would be more than events are for."""
    done = [result.action for result in results if isinstance(result.action, Remove) and _went_well(result)]
    if not done:
        return []
    return [Note(words.REMOVED, f"removed {', '.join(f'{each.kind.resource.kind} {each.name}' for each in done)}")]
