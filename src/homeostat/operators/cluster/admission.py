"""What is refused, and what is warned of, before it is stored. Pure: a request and caches give a verdict.

Caches are a moment old, so of two writes at once both may pass; what then must not be is told by the operator's
conditions (`AddressTaken`, `PackageVersionNotFound`, `OverrideRefused`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion
from homeostat.operators.cluster.overrides import by_component, faults
from homeostat.operators.cluster.packages import package_faults
from homeostat.operators.cluster.rollout.sealing import differs, way_out
from homeostat.runtime.store import Store
from homeostat.runtime.webhook.asking import ALLOWED, Cause, Request, Verdict, denied

T = TypeVar("T")

ADDRESS_INDEX, PACKAGE_INDEX = "address", "package"
NAMED_AT_MOST = 5


def by_address(cluster: Cluster) -> tuple[str, ...]:
    """The index of Clusters by the endpoint address that they ask for."""
    address = cluster.spec.endpoint.address
    return (address,) if address else ()


def by_package(cluster: Cluster) -> tuple[str, ...]:
    """The index of Clusters by the package versions that they declare and are made of."""
    parts = (component.package_version for component in cluster.status.components)
    names = (cluster.spec.package_version, cluster.status.package_version, *parts)
    return tuple({name: None for name in names if name})


def package_validator(clusters: Sequence[Store[Cluster]]) -> Callable[[Request[ClusterPackageVersion]], Verdict]:
    """Judges new package versions and their deletion; of several stores each holds the Clusters of some namespaces."""

    def validate(request: Request[ClusterPackageVersion]) -> Verdict:
        if request.operation == "DELETE":
            return keep_what_is_used(request.name, clusters)
        if request.object is None:
            return ALLOWED
        other = refuse_other_content(request.object, clusters)
        faults_ = (Cause(each.message, each.remedy, each.field) for each in package_faults(request.object))
        return Verdict((*other, *faults_))

    return validate


def cluster_validator(
    clusters: Sequence[Store[Cluster]], packages: Store[ClusterPackageVersion]
) -> Callable[[Request[Cluster]], Verdict]:
    """Judges the creation and the change of Clusters."""

    def validate(request: Request[Cluster]) -> Verdict:
        if request.object is None:
            return ALLOWED
        asked = (request.object, request.old)
        causes = (*refuse_a_taken_address(*asked, clusters), *refuse_overrides(*asked, packages))
        return Verdict(causes, warn_of_a_missing_package(*asked, packages))

    return validate


def keep_what_is_used(name: str, clusters: Sequence[Store[Cluster]]) -> Verdict:
    """Masters that run on a deleted package version could not be repaired."""
    users, total = list[str](), 0
    for store in clusters:
        count, keys = store.keys_by_index(PACKAGE_INDEX, name, NAMED_AT_MOST)
        total += count
        users += keys
    if not total:
        return ALLOWED
    named = sorted(users[:NAMED_AT_MOST])
    rest = f" and {total - len(named)} more" if total > len(named) else ""
    whom = f"{total} Cluster{'s' if total > 1 else ''}: {', '.join(named)}{rest}"
    return denied(f"ClusterPackageVersion {name} is used by {whom}", "delete these first, or keep it")


def refuse_other_content(package: ClusterPackageVersion, clusters: Sequence[Store[Cluster]]) -> tuple[Cause, ...]:
    """A package version that was deleted although masters are made of it can be made anew only as it was."""
    name = package.metadata.name
    for store in clusters:
        users = [cluster for cluster in store.by_index(PACKAGE_INDEX, name) if differs(cluster, package)]
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        if users:
            return (
                Cause(
                    f"masters of Cluster {users[0].metadata.key}{more} are made of a"
                    f" ClusterPackageVersion {name} with other content",
                    f"give this one another name, and make that one as it was; {way_out(users[0], package)}",
                    "spec",
                ),
            )
    return ()


def refuse_a_taken_address(
    cluster: Cluster, old: Cluster | None, clusters: Sequence[Store[Cluster]]
) -> tuple[Cause, ...]:
    """Two Clusters cannot have one endpoint. One that has a rival already may still be changed, to get out of it."""
    address = cluster.spec.endpoint.address
    if not address or (old is not None and old.spec.endpoint.address == address):
        return ()
    for store in clusters:
        # Two at most have it but for a race; one of them may be this one, created again.
        _, keys = store.keys_by_index(ADDRESS_INDEX, address, 2)
        for key in keys:
            if key != cluster.metadata.key:
                return (
                    Cause(
                        f"{address} is the address of Cluster {key}",
                        "choose another one, or leave it out to be given one",
                        "spec.endpoint.address",
                    ),
                )
    return ()


def refuse_overrides(
    cluster: Cluster, old: Cluster | None, packages: Store[ClusterPackageVersion]
) -> tuple[Cause, ...]:
    """What homeostat owns is not overridden. A Cluster that got by may still be changed in other ways."""
    spec = cluster.spec
    if old is not None and (old.spec.overrides, old.spec.package_version) == (spec.overrides, spec.package_version):
        return ()
    found = faults(by_component(spec.overrides), packages.get(spec.package_version))
    return tuple(Cause(fault.message, fault.remedy, fault.field) for fault in found)


def warn_of_a_missing_package(
    cluster: Cluster, old: Cluster | None, packages: Store[ClusterPackageVersion]
) -> tuple[str, ...]:
    """Only a warning: whoever applies a directory of files need not care for their order."""
    name = cluster.spec.package_version
    if name in packages or (old is not None and old.spec == cluster.spec):
        return ()
    missing = f"spec.packageVersion: there is no ClusterPackageVersion {name} yet; the Cluster waits until there is"
    unjudged = (
        f"spec.overrides: not compared with {name}, which does not exist yet; look at the condition Accepted later"
    )
    return (missing, unjudged) if cluster.spec.overrides else (missing,)
