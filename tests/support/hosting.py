"""Clusters whose package version hosts an operator, in memory."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from tests.support.clusters import NOW, package, pod, settled, workload
from tests.support.rollouts import NEW, PACKAGES, wishing

from homeostat.api.cluster.v1alpha1 import ClusterPackageVersion
from homeostat.operators.cluster.components import operators, replicas
from homeostat.operators.cluster.hosting.entitled import entitled
from homeostat.operators.cluster.hosting.rights import digest
from homeostat.operators.cluster.hosting.seen import RightsSeen
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.pki.judging import LeafSeen
from homeostat.operators.cluster.pki.leaves import leaves
from homeostat.operators.cluster.rollout.standing import hosted_now

HOSTED = "v1.35.4-hosted"
OPERATOR = "homeostat"
WORKLOAD = "demo-op-homeostat"


def with_hosted(to: str = HOSTED, at: str = NEW, **spec: Any) -> Observed:
    """A cluster that is well where it is, and shall go to a package version with a hosted operator, or from it."""
    seen = wishing(to, at, **spec)
    return well(replace(seen, packages={**PACKAGES, HOSTED: package(HOSTED)}))


def well(seen: Observed) -> Observed:
    """The same, with every operator that there is to be entitled, running and ready, and no other."""
    there = operators(seen)
    names = hosted_now(seen.cluster, seen.packages)
    leaf = leaves(seen.cluster, seen.names, seen.endpoint, hosts=names)
    kept = {name: each for name, each in seen.workloads.items() if not seen.names.operator_of(name)}
    mine = {seen.names.hosted(name): name for name in there}
    return entitle(
        replace(
            seen,
            leaves=tuple(LeafSeen(each, True, "", f"digest-{each.name}") for each in leaf),
            workloads={
                **kept,
                **{
                    name: workload(operator, name, replicas=replicas(seen, there[operator]))
                    for name, operator in mine.items()
                },
            },
            pods=(
                *(each for each in seen.pods if OPERATOR not in each.metadata.name),
                *(
                    pod(operator, f"{name}-x", conditions=[{"type": "Ready", "status": "True"}])
                    for name, operator in mine.items()
                ),
            ),
        )
    )


def entitle(seen: Observed) -> Observed:
    """The same, with all rights granted, and then all applied."""
    return settled(replace(seen, rights=RightsSeen(NOW, digest(entitled(seen)))))


def hosting(**changes: Any) -> ClusterPackageVersion:
    """The package version, with other words about how its operator is hosted."""
    found = package(HOSTED)
    parts = tuple(
        replace(each, hosted=replace(each.hosted, **changes)) if each.hosted is not None else each
        for each in found.spec.components
    )
    return replace(found, spec=replace(found.spec, components=parts))
