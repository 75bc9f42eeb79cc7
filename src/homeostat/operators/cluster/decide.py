"""The rules, in order; the first that has an opinion wins. Cautious ones first, the happy one last. Pure.

What a rule is about is judged elsewhere, each subject in a package of its own; here it is said what goes before what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.core import CONFIG_MAP
from homeostat.operators.cluster import desired, words
from homeostat.operators.cluster.actions import (
    Action,
    AddFinalizer,
    AddMember,
    Care,
    Discard,
    Heal,
    IssueAuthority,
    Mend,
    Plan,
    Scale,
    Step,
    Verdict,
    Wait,
    soonest,
)
from homeostat.operators.cluster.ending import is_held
from homeostat.operators.cluster.following import follow
from homeostat.operators.cluster.healing import masters, members
from homeostat.operators.cluster.healing.policy import Policy as HealingPolicy
from homeostat.operators.cluster.hosting.step import host
from homeostat.operators.cluster.manifests.shape import at_rest
from homeostat.operators.cluster.names import FINALIZER
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.overrides import faults, told
from homeostat.operators.cluster.pacing import holding
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy
from homeostat.operators.cluster.restore import stages
from homeostat.operators.cluster.restore.actions import Restoring
from homeostat.operators.cluster.restore.corrupt import corrupted
from homeostat.operators.cluster.restore.lost import quorum_lost
from homeostat.operators.cluster.rollout import sealing, trial
from homeostat.operators.cluster.rollout.members import roll
from homeostat.operators.cluster.rollout.standing import declared, placed
from homeostat.operators.cluster.rollout.step import step
from homeostat.operators.cluster.scaling.step import scale
from homeostat.operators.cluster.scaling.turn import must_be_over
from homeostat.operators.cluster.teardown import tear_down
from homeostat.operators.cluster.topology import topology_of
from homeostat.operators.cluster.troubles import authority_trouble
from homeostat.operators.cluster.turns.taking import take
from homeostat.operators.cluster.upkeep import care
from homeostat.operators.cluster.validity import wrong_in
from homeostat.operators.cluster.volumes import taken

_PROTECTED = Verdict(
    words.DELETION_PROTECTED,
    "spec.deletionProtection is true, so the masters run on, and are cared for; set it to false to let the deletion go"
    " on",
)
_BEGINNINGS = (AddMember, Discard)  # of members of etcd without data


class Policy(Struct, frozen=True):
    """How patient and how curious the operator is."""

    probe_every: timedelta = timedelta(seconds=60)
    pacing: PacingPolicy = PacingPolicy()
    healing: HealingPolicy = HealingPolicy()
    upkeep: care.Policy = care.Policy()
    node_ports: bool = True  # whether endpoints ask for them: what balances them may need none


def decide(seen: Observed, now: datetime, policy: Policy) -> Plan:
    """What to do now."""
    for rule in _RULES:
        plan = rule(seen, now, policy)
        if plan is not None:
            return _told_of_a_deletion(seen, _with_clients_first(plan, masters.put_back(seen, now, policy.healing)))
    return _told_of_a_deletion(seen, keep_declared(seen, now, policy))


def _told_of_a_deletion(seen: Observed, plan: Plan) -> Plan:
    """The same, which says that a deletion is held, unless there is more to say."""
    return replace(plan, verdict=plan.verdict or _PROTECTED) if is_held(seen.cluster) else plan


def _with_clients_first(plan: Plan, back: Mend) -> Plan:
    """What holds everything else holds no API server out of its endpoint, nor the question whether it answers again."""
    if not back.actions and back.wait is None:
        return plan
    wait = soonest((plan.wait, back.wait))
    return replace(plan, actions=(*back.actions, *plan.actions), wait=wait, mend=back, stop=None)


def tear_down_what_is_deleted(seen: Observed, now: datetime, policy: Policy) -> Plan | None:
    """A deletion cannot be taken back, but a protected cluster is cared for until the protection goes."""
    meta = seen.cluster.metadata
    if meta.deletion_timestamp is None:
        return None
    if FINALIZER not in meta.finalizers:
        return Plan()
    if is_held(seen.cluster):
        return None if seen.is_begun else Plan(stop=_PROTECTED.message, verdict=_PROTECTED)
    return tear_down(seen, now, policy.healing.lost_for)


def hold_while_paused(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Nothing is touched, but what healing took out of the endpoint is put back (`decide`)."""
    if not seen.cluster.spec.paused:
        return None
    return Plan(
        verdict=Verdict(words.PAUSED, "spec.paused is true, nothing of this cluster is touched until it is false")
    )


def refuse_an_invalid_spec(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """What the CRD's own rules should have caught, seen again: a cell may have the CRD of another release."""
    wrong = wrong_in(seen.cluster.spec)
    return Plan(stop=wrong, verdict=Verdict(words.INVALID_SPEC, wrong)) if wrong else None


def yield_an_address_to_the_older(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Two Clusters cannot have one endpoint."""
    if not seen.rival or seen.endpoint is not None:
        return None
    address = seen.cluster.spec.endpoint.address
    message = f"spec.endpoint.address: {address} is asked for by the older Cluster {seen.rival}; choose another"
    return Plan(stop=message, verdict=Verdict(words.ADDRESS_TAKEN, message))


def refuse_too_few_zones(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Pods that must stand apart and cannot would wait for ever; masters that run already are not touched."""
    needed = topology_of(seen.cluster.spec.topology).zones
    if seen.is_begun or len(seen.zones) >= needed:
        return None
    found = ", ".join(sorted(seen.zones)) or "none"
    message = (
        f"spec.topology: {seen.cluster.spec.topology} needs hosts that take Pods in {needed} zones of the cell, found"
        f" {len(seen.zones)} ({found}); add hosts, or declare the topology single"
    )
    return Plan(stop=message, verdict=Verdict(words.TOO_FEW_ZONES, message))


def refuse_volumes_of_another(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """No master begins on the data of a former Cluster of its name."""
    if seen.is_begun:
        return None
    why = taken(seen, seen.names.etcd_members(topology_of(seen.cluster.spec.topology).members))
    return Plan(stop=why.message, verdict=why) if why is not None else None


def wait_for_the_package(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Without the package versions that they are made of nothing is known of the masters: what runs, runs on."""
    lost = sorted(placed(seen.cluster, seen.packages) - seen.packages.keys())
    if not lost:
        return None
    path = "status" if seen.cluster.status.package_version else "spec"
    todo = "create it again, until then the masters run on, but are not repaired"
    remedy = todo if seen.is_begun else "create it, or name another one"
    message = f"{path}.packageVersion: there is no ClusterPackageVersion {lost[0]!r}; {remedy}"
    return Plan(stop=message, verdict=Verdict(words.PACKAGE_NOT_FOUND, message))


def refuse_a_changed_package(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """A package version that was made anew with other content is not what the masters are made of: they run on."""
    name = sealing.changed(seen.cluster, seen.packages)
    if not name:
        return None
    message = (
        f"status.packageVersion: ClusterPackageVersion {name!r} was made anew with other content than the masters are"
        " made of; make it as it was, under this name, and give the new content a name of its own;"
        f" {sealing.way_out(seen.cluster, seen.packages[name])}; until then the masters run on, but are not repaired"
    )
    return Plan(stop=message, verdict=Verdict(words.PACKAGE_CHANGED, message))


def refuse_overrides(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """No master is made with what homeostat owns in other hands. Of masters that run step() says the same."""
    if seen.cluster.status.package_version:
        return None
    wish = declared(seen.cluster)
    wrong = told(faults(wish.overrides, seen.packages[wish.package]))
    return Plan(stop=wrong, verdict=Verdict(words.OVERRIDE_REFUSED, wrong)) if wrong else None


def wait_for_its_turn(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Many that are declared at one instant are made by and by."""
    return holding.wait_to_be_made(seen, now)


def begin_with_the_finalizer(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Before the first object is made, so that no object is ever left behind."""
    if FINALIZER in seen.cluster.metadata.finalizers:
        return None
    return Plan((AddFinalizer(),))


def begin_with_a_snapshot(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """What a new Cluster names is looked at before anything is made, its keys included."""
    first = stages.begin(seen, now)
    if first is None:
        return None
    wait = Wait(now + first.again, first.verdict.message)
    refused = first.verdict if first.is_refused else None
    return Plan(first.actions, wait, verdict=refused, heal=Heal(first.verdict), restore=Restoring(first.becomes))


def guard_the_authorities(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """New authorities would cut off every client of a cluster that has data."""
    why = authority_trouble(seen)
    if why is not None:
        return Plan(stop=why.message, pki=Verdict(why.reason, why.message))
    if seen.authority.exists:
        return None
    return Plan((IssueAuthority(), *desired.changed(seen, desired.foundations(seen))))


def restore_first(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """No master runs while its data is being exchanged, and none of a new Cluster before its data is there."""
    following = stages.go_on(seen, now)
    if following is None:
        return None
    held = tuple(at_rest(each) for each in desired.workloads(seen, roll(seen, now)) if each.name in seen.workloads)
    masters = desired.changed(seen, held) if following.holds_masters else ()
    return Plan(
        (
            *desired.missing(seen),
            *desired.changed(seen, desired.foundations(seen)),
            *masters,
            *trial.ended(seen),
            *following.actions,
        ),
        Wait(now + following.again, following.verdict.message),
        heal=Heal(following.verdict),
        restore=Restoring(following.becomes),
    )


_RULES: tuple[Callable[[Observed, datetime, Policy], Plan | None], ...] = (
    tear_down_what_is_deleted,
    hold_while_paused,
    refuse_an_invalid_spec,
    wait_for_the_package,
    refuse_a_changed_package,
    refuse_overrides,
    yield_an_address_to_the_older,
    refuse_too_few_zones,
    refuse_volumes_of_another,
    wait_for_its_turn,
    begin_with_the_finalizer,
    begin_with_a_snapshot,
    guard_the_authorities,
    restore_first,
)


def keep_declared(seen: Observed, now: datetime, policy: Policy) -> Plan:
    """Look after clients and masters that are ill, then issue what is missing, apply what differs, probe what is ready.

    In this order (`_in_order`), so that what the cell refuses or does slowly keeps nobody out of service.
    """
    issue = desired.missing(seen)
    rolling = roll(seen, now)
    workloads = tuple(desired.workloads(seen, rolling))
    applying = desired.changed(seen, (*desired.foundations(seen), *workloads))
    actions: tuple[Action, ...] = (*issue, *applying, *desired.kept(seen, workloads))
    late = {each.object for apply in applying for each in apply.objects}
    is_applied = late.isdisjoint(each.object for each in workloads)
    hosting = host(seen, now)
    asked_for = step(seen, now, is_applied=is_applied)
    going = holding.hold_to_its_turn(seen, asked_for)
    lost = corrupted(seen, now) or quorum_lost(seen, now)
    healing = members.heal(seen, now, policy.healing) if lost is None else lost.heal
    turn = take(seen, going, now, is_applied=is_applied and not issue)
    caring = Care() if lost is not None and not lost.is_corrupt else care.care(seen, going, now, policy.upkeep)
    # API servers are not to blame for what an etcd that is full or corrupt does not take.
    may_mend = lost is None and not caring.is_broken
    mending = masters.mend(seen, now, policy.healing) if may_mend else masters.put_back(seen, now, policy.healing)
    wanted = scale(seen, now, must_be_over(seen, going, healing, turn, is_applied=is_applied and not issue))
    scaling = holding.hold_the_change(seen, wanted, now)
    asking = (turn, healing, mending, scaling, rolling, caring, hosting)
    if lost is not None and lost.is_corrupt:  # care tells it, because members may be ready all the same
        caring, healing = replace(caring, verdict=healing.verdict, is_broken=True), replace(healing, verdict=None)
    needed = (*going.needs, *trial.outlived(seen, asked_for))
    asked = (*needed, *(action for each in asking for action in each.actions))
    verdict = _refused(going) or _refused(scaling)
    # A member of etcd that begins without data reads there who the others are.
    are_told = (CONFIG_MAP.resource.kind, seen.names.etcd) not in late
    ordered = _in_order((*mending.actions, *healing.actions), actions, asked, are_told=are_told)
    plan = Plan(ordered, step=going, verdict=verdict, heal=healing, mend=mending, turn=turn, scale=scaling)
    plan = replace(plan, restore=Restoring(has_looked=True) if lost is None else lost.restore, care=caring)
    plan = follow(seen, plan, now, policy.probe_every)
    due = soonest(each.wait for each in (turn, healing, scaling, rolling, hosting))
    return replace(plan, wait=soonest((plan.wait, mending.wait, caring.wait, due)), due=due)


def _in_order(
    healing: Iterable[Action], declared: Iterable[Action], asked: Iterable[Action], *, are_told: bool
) -> tuple[Action, ...]:
    """Put back into service, keep clients away, heal; then what is declared; then all that is asked or done beside.

    But no member of etcd begins empty before its ConfigMap says who the others are: none is added, and no volume goes,
    while that is not written.
    """
    first = _once(action for action in healing if not isinstance(action, _BEGINNINGS))
    ordered = _once((*first, *declared, *asked))
    if are_told:
        return ordered
    return tuple(action for action in ordered if not isinstance(action, _BEGINNINGS))


def _once(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Each of them where it comes first."""
    found = list[Action]()
    for action in actions:
        if action not in found:
            found.append(action)
    return tuple(found)


def _refused(going: Step | Scale) -> Verdict | None:
    """What of a step means that the declaration cannot be followed."""
    hopeless = (words.PACKAGE_NOT_FOUND, words.UPGRADE_REFUSED, words.OVERRIDE_REFUSED, words.TOO_FEW_ZONES)
    return going.verdict if going.verdict is not None and going.verdict.reason in hopeless else None
