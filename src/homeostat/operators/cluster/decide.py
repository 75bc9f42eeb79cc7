"""The rules, in order; the first that has an opinion wins. Cautious ones first, the happy one last. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Network

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.v1alpha1 import ClusterSpec
from homeostat.kit.spreading import share_of
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import (
    Action,
    AddFinalizer,
    Apply,
    AskKubelets,
    Care,
    Heal,
    IssueAuthority,
    IssueLeaf,
    Mend,
    Plan,
    ProbeEndpoint,
    Scale,
    Step,
    Verdict,
    Wait,
)
from homeostat.operators.cluster.components import (
    authority_trouble,
    can_serve,
    has_running_quorum,
    is_ready,
)
from homeostat.operators.cluster.healing import masters, members
from homeostat.operators.cluster.healing.policy import Policy as HealingPolicy
from homeostat.operators.cluster.manifests import apiserver, audit, controllers, etcd
from homeostat.operators.cluster.manifests.shape import Desired, Inputs, at_rest
from homeostat.operators.cluster.names import FINALIZER
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.overrides import faults, told
from homeostat.operators.cluster.pacing import holding
from homeostat.operators.cluster.pacing.pace import Policy as PacingPolicy
from homeostat.operators.cluster.restore import stages
from homeostat.operators.cluster.restore.actions import Restoring
from homeostat.operators.cluster.restore.lost import quorum_lost
from homeostat.operators.cluster.rollout.members import Roll, roll
from homeostat.operators.cluster.rollout.standing import declared, made, made_of, placed
from homeostat.operators.cluster.rollout.step import step
from homeostat.operators.cluster.scaling.step import scale, uses_first_alone
from homeostat.operators.cluster.scaling.turn import must_be_over
from homeostat.operators.cluster.teardown import tear_down
from homeostat.operators.cluster.topology import topology_of
from homeostat.operators.cluster.turns.taking import take
from homeostat.operators.cluster.upkeep import care
from homeostat.runtime.conditions import is_true

_SOON = timedelta(seconds=0.5)  # after a probe that a move waits for
_SPREAD = 0.25  # of the time between two probes: those of clusters that were made at once drift apart
_LATER = timedelta(seconds=5)  # while a move waits for Pods, which wake us anyway


class Policy(Struct, frozen=True):
    """How patient and how curious the operator is."""

    probe_every: timedelta = timedelta(seconds=60)
    pacing: PacingPolicy = PacingPolicy()
    healing: HealingPolicy = HealingPolicy()
    upkeep: care.Policy = care.Policy()


def decide(seen: Observed, now: datetime, policy: Policy) -> Plan:
    """What to do now."""
    for rule in _RULES:
        plan = rule(seen, now, policy)
        if plan is not None:
            return plan
    return keep_declared(seen, now, policy)


def tear_down_what_is_deleted(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """A deletion cannot be taken back, but a protected cluster's masters run on until the protection goes."""
    if seen.cluster.metadata.deletion_timestamp is None:
        return None
    if FINALIZER not in seen.cluster.metadata.finalizers:
        return Plan()
    if seen.cluster.spec.deletion_protection:
        message = "spec.deletionProtection is true, so the masters run on; set it to false to let the deletion go on"
        return Plan(stop=message, verdict=Verdict(words.DELETION_PROTECTED, message))
    return tear_down(seen)


def hold_while_paused(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Nothing is touched."""
    if not seen.cluster.spec.paused:
        return None
    return Plan(
        verdict=Verdict(words.PAUSED, "spec.paused is true, nothing of this cluster is touched until it is false")
    )


def refuse_an_invalid_spec(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """What the CRD's own rules should have caught, seen again: a cell may have been given an older CRD."""
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


def wait_for_the_package(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Without the package versions that they are made of nothing is known of the masters: what runs, runs on."""
    lost = sorted({name for name in placed(seen.cluster).values() if name not in seen.packages})
    if not lost:
        return None
    path = "status" if seen.cluster.status.package_version else "spec"
    message = f"{path}.packageVersion: there is no ClusterPackageVersion {lost[0]!r}"
    if seen.is_begun:
        message += "; create it again, until then the masters run on, but are not repaired"
    return Plan(stop=message, verdict=Verdict(words.PACKAGE_NOT_FOUND, message))


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
    return Plan((IssueAuthority(), *_changed(seen, _foundations(seen))))


def restore_first(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """No master runs while its data is being exchanged, and none of a new Cluster before its data is there."""
    following = stages.go_on(seen, now)
    if following is None:
        return None
    held = tuple(at_rest(each) for each in _workloads(seen, roll(seen, now)) if each.name in seen.workloads)
    masters = _changed(seen, held) if following.holds_masters else ()
    return Plan(
        (*_missing(seen), *_changed(seen, _foundations(seen)), *masters, *following.actions),
        Wait(now + following.again, following.verdict.message),
        heal=Heal(following.verdict),
        restore=Restoring(following.becomes),
    )


_RULES: tuple[Callable[[Observed, datetime, Policy], Plan | None], ...] = (
    tear_down_what_is_deleted,
    hold_while_paused,
    refuse_an_invalid_spec,
    wait_for_the_package,
    refuse_overrides,
    yield_an_address_to_the_older,
    refuse_too_few_zones,
    wait_for_its_turn,
    begin_with_the_finalizer,
    begin_with_a_snapshot,
    guard_the_authorities,
    restore_first,
)


def keep_declared(seen: Observed, now: datetime, policy: Policy) -> Plan:
    """Issue what is missing, apply what differs, probe what is ready."""
    issue = _missing(seen)
    rolling = roll(seen, now)
    workloads = tuple(_workloads(seen, rolling))
    actions: tuple[Action, ...] = (*issue, *_changed(seen, (*_foundations(seen), *workloads)))
    is_applied = not _changed(seen, workloads)
    going = holding.hold_to_its_turn(seen, step(seen, now, is_applied=is_applied))
    lost = quorum_lost(seen, now)
    healing = members.heal(seen, now, policy.healing) if lost is None else lost.heal
    turn = take(seen, going, now, is_applied=is_applied and not issue)
    caring = care.care(seen, going, now, policy.upkeep) if lost is None else Care()
    # API servers are not to blame for what an etcd that is full or corrupt does not take.
    mending = masters.mend(seen, now, policy.healing) if lost is None and not caring.is_broken else Mend()
    scaling = scale(seen, now, must_be_over(seen, going, healing, turn, is_applied=is_applied and not issue))
    asking = (turn, healing, mending, scaling, rolling, caring)
    asked = dict.fromkeys((*going.needs, *(action for each in asking for action in each.actions)))
    verdict = _refused(going) or _refused(scaling)
    plan = Plan((*actions, *asked), step=going, verdict=verdict, heal=healing, mend=mending, turn=turn, scale=scaling)
    plan = replace(plan, restore=Restoring(has_looked=True) if lost is None else lost.restore, care=caring)
    plan = _follow(seen, plan, now, policy)
    waits = (each.wait for each in (plan, *asking) if each.wait is not None)
    return replace(plan, wait=min(waits, key=lambda wait: wait.until, default=None))


def _missing(seen: Observed) -> tuple[IssueLeaf, ...]:
    """Certificates that are not there or not sound."""
    return tuple(
        IssueLeaf(leaf.leaf, leaf.damage or "it does not exist")
        for leaf in seen.leaves
        if (leaf.damage or not leaf.exists) and not _is_deleting(seen, "Secret", leaf.leaf.name)
    )


def _follow(seen: Observed, plan: Plan, now: datetime, policy: Policy) -> Plan:
    """What the package version and the endpoint ask for beside."""
    going, actions = plan.step, plan.actions
    assert going is not None  # noqa: S101  (the caller put it there)
    if going.moves or going.failed is not None or going.goes_on:
        return replace(plan, wait=Wait(now, "what was told is done at the next look"))
    if going.asks_kubelets:
        return replace(plan, actions=(*actions, AskKubelets()), wait=Wait(now + _SOON, "the kubelets' versions"))
    if going.needs:
        return replace(plan, wait=Wait(now + _SOON, "etcd's answer"))
    if not can_serve(seen):
        return replace(plan, wait=Wait(now + _LATER, "the master that moves") if going.verdict else None)
    return _probe(seen, plan, going, now, policy)


def _probe(seen: Observed, plan: Plan, going: Step, now: datetime, policy: Policy) -> Plan:
    """Ask the endpoint in one plan with the actions: those that change nothing wake nobody to probe later."""
    every = policy.probe_every * (1 - _SPREAD * share_of(seen.cluster.metadata.uid))
    is_due = seen.probed is None or not _is_proven(seen) or now >= seen.probed.at + every
    is_new = seen.cluster.status.ready_at is None  # what follows from being Ready for the first time is done at once
    asks = going.probes or plan.turn.probes
    is_on_the_way = going.verdict is not None and going.verdict.reason != words.QUEUED
    pause = _SOON if asks or is_new else _LATER if is_on_the_way else every
    if is_due or asks:
        return replace(plan, actions=(*plan.actions, ProbeEndpoint()), wait=Wait(now + pause, "the next probe"))
    assert seen.probed is not None  # noqa: S101  (it would be due)
    until = min(seen.probed.at + every, now + pause)
    return replace(plan, wait=Wait(until, "the next probe"))


def _refused(going: Step | Scale) -> Verdict | None:
    """What of a step means that the declaration cannot be followed."""
    hopeless = (words.PACKAGE_NOT_FOUND, words.UPGRADE_REFUSED, words.OVERRIDE_REFUSED, words.TOO_FEW_ZONES)
    return going.verdict if going.verdict is not None and going.verdict.reason in hopeless else None


def _is_proven(seen: Observed) -> bool:
    """Whether the last probe succeeded, and clients could be served ever since: what was told of it says so."""
    was_available = is_true(seen.cluster.status.conditions, words.AVAILABLE)
    return seen.probed is not None and seen.probed.version != "" and was_available


def wrong_in(spec: ClusterSpec) -> str:
    """What is wrong in a spec, with its path; empty when it is sound."""
    networks = {}
    for path, text in (("podCIDR", spec.network.pod_cidr), ("serviceCIDR", spec.network.service_cidr)):
        try:
            networks[path] = IPv4Network(text)
        except ValueError as error:
            return f"spec.network.{path}: expected an IPv4 network such as 10.200.0.0/16, found {text!r}: {error}"
    if networks["podCIDR"].overlaps(networks["serviceCIDR"]):
        return (
            f"spec.network.serviceCIDR: expected no overlap with podCIDR, found {spec.network.service_cidr} and"
            f" {spec.network.pod_cidr}; declare the Cluster anew with ranges apart"
        )
    return ""


def _inputs(seen: Observed, rolling: Roll = Roll(0)) -> Inputs:  # noqa: B008  (a frozen value)
    usable = {leaf.leaf.name: leaf.digest for leaf in seen.leaves if leaf.exists and not leaf.damage}
    status = seen.cluster.status
    restarts = status.healing.restarts if status.healing is not None else ()
    return Inputs(
        cluster=seen.cluster,
        components=made_of(seen),
        names=seen.names,
        endpoint=seen.endpoint,
        secrets=usable,
        is_formed=status.ready_at is not None or status.restore is not None,
        partition=rolling.partition,
        avoided={each.component: each.avoided_hosts for each in restarts},
        emulates={name: part.emulates for name, part in made(seen.cluster).items()},
        first_alone=uses_first_alone(seen),
    )


def _foundations(seen: Observed) -> tuple[Desired, ...]:
    """What masters are found by, and kept by."""
    inputs = _inputs(seen)
    return (
        etcd.service(inputs),
        etcd.client_service(inputs),
        etcd.membership(inputs),
        etcd.budget(inputs),
        audit.policies(inputs),
        apiserver.service(inputs),
        apiserver.budget(inputs),
    )


def _workloads(seen: Observed, rolling: Roll) -> Iterator[Desired]:
    """Each as soon as what it needs is there: its Secret, the address, an API that answers."""
    inputs, names = _inputs(seen, rolling), seen.names
    if names.etcd in inputs.secrets:
        yield etcd.stateful_set(inputs)
    # An API server that finds no etcd ends itself after 20 s and then waits longer each time.
    can_start = seen.endpoint is not None and (_is_begun(seen, names.apiserver) or has_running_quorum(seen))
    if can_start and names.apiserver in inputs.secrets:
        yield apiserver.deployment(inputs)
    for component, name, make in (
        (controllers.CONTROLLER_MANAGER, names.controllers, controllers.controller_manager),
        (controllers.SCHEDULER, names.scheduler, controllers.scheduler),
    ):
        if name in inputs.secrets and (_is_begun(seen, name) or _can_begin(seen, component, inputs)):
            yield make(inputs)


def _can_begin(seen: Observed, component: str, inputs: Inputs) -> bool:
    """Whether all that a component depends on is there, by Kubernetes' rules and by the package version's."""
    return all(is_ready(seen, each) for each in (apiserver.NAME, *inputs.component(component).depends_on))


def _is_begun(seen: Observed, workload: str) -> bool:
    """What was there once is kept, whatever became of what it depends on."""
    return workload in seen.workloads or seen.cluster.status.ready_at is not None


def _changed(seen: Observed, wanted: tuple[Desired, ...]) -> tuple[Apply, ...]:
    """What differs from what our last apply left, in one action."""
    changed = tuple(desired for desired in wanted if not _is_settled(seen, desired))
    return (Apply(changed),) if changed else ()


def _is_settled(seen: Observed, desired: Desired) -> bool:
    mark = (desired.kind.resource.kind, desired.name)
    live = seen.live.get(mark)
    if live is None:
        return False
    # What is being deleted cannot be kept; its successor is made when it is gone.
    return live.deleting or seen.applied.get(mark) == (desired.digest, live.fingerprint)


def _is_deleting(seen: Observed, kind: str, name: str) -> bool:
    live = seen.live.get((kind, name))
    return live is not None and live.deleting
