"""The rules, in order; the first that has an opinion wins. Cautious ones first, the happy one last. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Network

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import ClusterPackageVersionSpec, ClusterSpec
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import (
    Action,
    AddFinalizer,
    Apply,
    IssueAuthority,
    IssueLeaf,
    Plan,
    ProbeEndpoint,
    Verdict,
    Wait,
)
from homeostat.operators.cluster.components import authority_trouble, is_ready, is_running, workload_names
from homeostat.operators.cluster.manifests import apiserver, controllers, etcd
from homeostat.operators.cluster.manifests.shape import Desired, Inputs
from homeostat.operators.cluster.names import FINALIZER
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.teardown import tear_down
from homeostat.runtime.conditions import is_true


class Policy(Struct, frozen=True):
    """How patient and how curious the operator is."""

    probe_every: timedelta = timedelta(seconds=60)


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


def wait_for_the_package(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Without its package version nothing is known of the masters: what runs, runs on."""
    if seen.package is not None:
        return None
    name = seen.cluster.status.package_version or seen.cluster.spec.package_version
    path = "status" if seen.cluster.status.package_version else "spec"
    message = f"{path}.packageVersion: there is no ClusterPackageVersion {name!r}"
    if seen.is_begun:
        message += "; create it again, until then the masters run on, but are not repaired"
    return Plan(stop=message, verdict=Verdict(words.PACKAGE_NOT_FOUND, message))


def begin_with_the_finalizer(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """Before the first object is made, so that no object is ever left behind."""
    if FINALIZER in seen.cluster.metadata.finalizers:
        return None
    return Plan((AddFinalizer(),))


def guard_the_authorities(seen: Observed, now: datetime, policy: Policy) -> Plan | None:  # noqa: ARG001
    """New authorities would cut off every client of a cluster that has data."""
    why = authority_trouble(seen)
    if why is not None:
        return Plan(stop=why.message, pki=Verdict(why.reason, why.message))
    if seen.authority.exists:
        return None
    return Plan((IssueAuthority(), *_changed(seen, _services(seen))))


_RULES: tuple[Callable[[Observed, datetime, Policy], Plan | None], ...] = (
    tear_down_what_is_deleted,
    hold_while_paused,
    refuse_an_invalid_spec,
    wait_for_the_package,
    yield_an_address_to_the_older,
    begin_with_the_finalizer,
    guard_the_authorities,
)


def keep_declared(seen: Observed, now: datetime, policy: Policy) -> Plan:
    """Issue what is missing, apply what differs, probe what is ready."""
    issue = tuple(
        IssueLeaf(leaf.leaf, leaf.damage or "it does not exist")
        for leaf in seen.leaves
        if (leaf.damage or not leaf.exists) and not _is_deleting(seen, "Secret", leaf.leaf.name)
    )
    actions: tuple[Action, ...] = (*issue, *_changed(seen, (*_services(seen), *_workloads(seen))))
    verdict = _kept_version(seen)
    if not all(is_ready(seen, component) for component in workload_names(seen.names)):
        return Plan(actions, verdict=verdict)
    # In one plan with the actions, because those that change nothing (after a restart) wake nobody to probe later.
    if seen.probed is None or not _is_proven(seen) or now >= seen.probed.at + policy.probe_every:
        again = Wait(now + policy.probe_every, "the next probe")
        return Plan((*actions, ProbeEndpoint()), again, verdict=verdict)
    return Plan(actions, Wait(seen.probed.at + policy.probe_every, "the next probe"), verdict=verdict)


def _is_proven(seen: Observed) -> bool:
    """Whether the last probe succeeded, and nothing was down since: what was told of it says so."""
    told = seen.cluster.status.conditions
    parts = (words.ETCD_READY, words.API_SERVER_READY, words.CONTROLLERS_READY)
    return seen.probed is not None and seen.probed.version != "" and all(is_true(told, part) for part in parts)


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


def _kept_version(seen: Observed) -> Verdict | None:
    kept, wanted = seen.cluster.status.package_version, seen.cluster.spec.package_version
    if not kept or kept == wanted:
        return None
    return Verdict(
        words.UPGRADE_NOT_SUPPORTED,
        f"spec.packageVersion: this release does not move a running cluster to {wanted}; it stays at {kept}; set that"
        " again",
    )


def _package(seen: Observed) -> ClusterPackageVersionSpec:
    assert seen.package is not None, "wait_for_the_package comes first"  # noqa: S101  (for the type checker)
    return seen.package.spec


def _inputs(seen: Observed) -> Inputs:
    usable = {leaf.leaf.name: leaf.digest for leaf in seen.leaves if leaf.exists and not leaf.damage}
    return Inputs(seen.cluster, _package(seen), seen.names, seen.endpoint, usable)


def _services(seen: Observed) -> tuple[Desired, ...]:
    inputs = _inputs(seen)
    return (etcd.service(inputs), apiserver.service(inputs))


def _workloads(seen: Observed) -> Iterator[Desired]:
    """Each as soon as what it needs is there: its Secret, the address, an API that answers."""
    inputs, names = _inputs(seen), seen.names
    if names.etcd in inputs.secrets:
        yield etcd.stateful_set(inputs)
    # An API server that finds no etcd ends itself after 20 s and then waits longer each time.
    can_start = seen.endpoint is not None and (_is_begun(seen, names.apiserver) or is_running(seen, etcd.NAME))
    if can_start and names.apiserver in inputs.secrets:
        yield apiserver.deployment(inputs)
    for name, make in ((names.controllers, controllers.controller_manager), (names.scheduler, controllers.scheduler)):
        if name in inputs.secrets and (_is_begun(seen, name) or is_ready(seen, apiserver.NAME)):
            yield make(inputs)


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
