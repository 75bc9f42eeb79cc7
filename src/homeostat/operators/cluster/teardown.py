"""Removing a cluster, in order: clients of the API first, then the API, then its data, then addresses and keys. Pure.

A stage begins when nothing of the one before is left, Pods included, so that no master writes into what is being
removed. Only a kubelet can say that a Pod has ended: of one on a host that is away for long that is not awaited, since
nothing is kept that it could harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from homeostat.api.cluster.masters import API_SERVER, CONTROLLERS, ETCD
from homeostat.api.core import (
    CONFIG_MAP,
    DEPLOYMENT,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Pod,
)
from homeostat.api.kind import Kind
from homeostat.api.meta import Object
from homeostat.operators.cluster import words
from homeostat.operators.cluster.actions import Plan, Remove, RemoveFinalizer, Verdict, Wait, soonest
from homeostat.operators.cluster.hosting.entitled import in_cell
from homeostat.operators.cluster.hosts import is_host_away
from homeostat.operators.cluster.names import COMPONENT_LABEL, TRIAL
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.names import COMPONENT as RESTORE

_LAST: tuple[Kind[Any], ...] = (SERVICE, SECRET, CONFIG_MAP, POD_DISRUPTION_BUDGET)


def tear_down(seen: Observed, now: datetime, lost_for: timedelta) -> Plan:
    """The next stage that has something left; the finalizer goes when none has.

    `lost_for` is how long a Pod on a host that is away is awaited.
    """
    plan = _next(seen)
    left = tuple(_lost(seen, pod, now, lost_for) for pod in seen.pods)
    going = tuple(each for each in left if isinstance(each, Remove))
    wait = soonest(each for each in left if isinstance(each, Wait))
    return replace(plan, actions=(*plan.actions, *going), wait=wait)


def _next(seen: Observed) -> Plan:
    names = seen.names
    hosted = in_cell(seen)
    stages: tuple[tuple[str, Kind[Any], tuple[str, ...], tuple[str, ...]], ...] = (
        (
            "hosted operators and controllers" if hosted else "controllers",
            DEPLOYMENT,
            (names.controllers, names.scheduler, *map(names.hosted, hosted)),
            (*CONTROLLERS, *hosted),
        ),
        ("the API server", DEPLOYMENT, (names.apiserver, names.trial), (API_SERVER, TRIAL)),
        ("etcd", STATEFUL_SET, (names.etcd,), (ETCD,)),
    )
    for what, kind, workloads, components in stages:
        plan = _stage(seen, what, kind, workloads, components)
        if plan is not None:
            return plan
    return _restores(seen) or _volumes(seen) or _rest(seen) or Plan((RemoveFinalizer(),))


def _lost(seen: Observed, pod: Pod, now: datetime, lost_for: timedelta) -> Remove | Wait | None:
    """What is to be done about a Pod that was deleted and is on a host that is away; None: nothing."""
    deleted, host = pod.metadata.deletion_timestamp, pod.spec.node_name
    if deleted is None or not is_host_away(seen, host):
        return None
    if now < deleted + lost_for:
        return Wait(deleted + lost_for, f"host {host}, which is away")
    return Remove(POD, pod.metadata.name, pod.metadata.uid, away=host)


def _stage(
    seen: Observed, what: str, kind: Kind[Any], workloads: tuple[str, ...], components: tuple[str, ...]
) -> Plan | None:
    mark = kind.resource.kind
    left = [(name, seen.live[mark, name]) for name in workloads if (mark, name) in seen.live]
    pods = [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) in components]
    if not left and not pods:
        return None
    actions = tuple(Remove(kind, name, live.uid) for name, live in left if not live.deleting)
    return Plan(actions, verdict=_deleting(f"removing {what}" + (f": {_listed(seen, pods)}" if pods else "")))


def _restores(seen: Observed) -> Plan | None:
    """Pods in the middle of a restore hold volumes, and have no workload that they go with."""
    pods = [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) == RESTORE]
    actions = tuple(
        Remove(POD, pod.metadata.name, pod.metadata.uid) for pod in pods if pod.metadata.deletion_timestamp is None
    )
    return Plan(actions, verdict=_deleting(f"removing what restores etcd: {_listed(seen, pods)}")) if pods else None


def _volumes(seen: Observed) -> Plan | None:
    if not seen.claims:
        return None
    actions = tuple(
        Remove(PERSISTENT_VOLUME_CLAIM, claim.metadata.name, claim.metadata.uid)
        for claim in seen.claims
        if claim.metadata.deletion_timestamp is None
    )
    return Plan(actions, verdict=_deleting(f"removing the volumes of etcd: {_listed(seen, seen.claims)}"))


def _rest(seen: Observed) -> Plan | None:
    kinds = {kind.resource.kind: kind for kind in _LAST}
    left = [(kind, name, live) for (kind, name), live in sorted(seen.live.items()) if kind in kinds]
    if not left:
        return None
    actions = tuple(Remove(kinds[kind], name, live.uid) for kind, name, live in left if not live.deleting)
    return Plan(actions, verdict=_deleting("removing the endpoint and the keys"))


def _listed(seen: Observed, objects: Iterable[Object]) -> str:
    """By name, those that do not go with what keeps them: a person who waits looks there."""
    return ", ".join(_place(seen, each) for each in objects)


def _place(seen: Observed, one: Object) -> str:
    host = one.spec.node_name if isinstance(one, Pod) else ""
    where = f" on {host}" + (", which is away" if is_host_away(seen, host) else "") if host else ""
    kept = ", ".join(one.metadata.finalizers)
    return one.metadata.name + where + (f" (kept by {kept})" if kept else "")


def _deleting(message: str) -> Verdict:
    return Verdict(words.DELETING, message)
