"""Removing a cluster, in order: clients of the API first, then the API, then its data, then addresses and keys. Pure.

A stage begins when nothing of the one before is left, Pods included, so that no master writes into what is being
removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
from homeostat.operators.cluster.actions import Plan, Remove, RemoveFinalizer, Verdict
from homeostat.operators.cluster.hosting.entitled import in_cell
from homeostat.operators.cluster.names import COMPONENT_LABEL
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.restore.names import COMPONENT as RESTORE

_LAST: tuple[Kind[Any], ...] = (SERVICE, SECRET, CONFIG_MAP, POD_DISRUPTION_BUDGET)


def tear_down(seen: Observed) -> Plan:
    """The next stage that has something left; the finalizer goes when none has."""
    names = seen.names
    hosted = in_cell(seen)
    stages: tuple[tuple[str, Kind[Any], tuple[str, ...], tuple[str, ...]], ...] = (
        (
            "hosted operators and controllers" if hosted else "controllers",
            DEPLOYMENT,
            (names.controllers, names.scheduler, *map(names.hosted, hosted)),
            (*CONTROLLERS, *hosted),
        ),
        ("the API server", DEPLOYMENT, (names.apiserver,), (API_SERVER,)),
        ("etcd", STATEFUL_SET, (names.etcd,), (ETCD,)),
    )
    for what, kind, workloads, components in stages:
        plan = _stage(seen, what, kind, workloads, components)
        if plan is not None:
            return plan
    return _restores(seen) or _volumes(seen) or _rest(seen) or Plan((RemoveFinalizer(),))


def _stage(
    seen: Observed, what: str, kind: Kind[Any], workloads: tuple[str, ...], components: tuple[str, ...]
) -> Plan | None:
    mark = kind.resource.kind
    left = [(name, seen.live[mark, name]) for name in workloads if (mark, name) in seen.live]
    pods = [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) in components]
    if not left and not pods:
        return None
    actions = tuple(Remove(kind, name, live.uid) for name, live in left if not live.deleting)
    return Plan(actions, verdict=_deleting(f"removing {what}" + (f": {_listed(pods)}" if pods else "")))


def _restores(seen: Observed) -> Plan | None:
    """Pods in the middle of a restore hold volumes, and have no workload that they go with."""
    pods = [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) == RESTORE]
    actions = tuple(
        Remove(POD, pod.metadata.name, pod.metadata.uid) for pod in pods if pod.metadata.deletion_timestamp is None
    )
    return Plan(actions, verdict=_deleting(f"removing what restores etcd: {_listed(pods)}")) if pods else None


def _volumes(seen: Observed) -> Plan | None:
    if not seen.claims:
        return None
    actions = tuple(
        Remove(PERSISTENT_VOLUME_CLAIM, claim.metadata.name, claim.metadata.uid)
        for claim in seen.claims
        if claim.metadata.deletion_timestamp is None
    )
    return Plan(actions, verdict=_deleting(f"removing the volumes of etcd: {_listed(seen.claims)}"))


def _rest(seen: Observed) -> Plan | None:
    kinds = {kind.resource.kind: kind for kind in _LAST}
    left = [(kind, name, live) for (kind, name), live in sorted(seen.live.items()) if kind in kinds]
    if not left:
        return None
    actions = tuple(Remove(kinds[kind], name, live.uid) for kind, name, live in left if not live.deleting)
    return Plan(actions, verdict=_deleting("removing the endpoint and the keys"))


def _listed(objects: Iterable[Object]) -> str:
    """By name, those that do not go with what keeps them: a person who waits looks there."""
    return ", ".join(_place(each) for each in objects)


def _place(one: Object) -> str:
    host = one.spec.node_name if isinstance(one, Pod) else ""
    kept = ", ".join(one.metadata.finalizers)
    return one.metadata.name + (f" on {host}" if host else "") + (f" (kept by {kept})" if kept else "")


def _deleting(message: str) -> Verdict:
    return Verdict(words.DELETING, message)
