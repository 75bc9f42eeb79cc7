"""Which content of a package version masters are made of: another one of the same name is not taken for it. Pure.

A package version cannot be edited, and one in use cannot be deleted; but both are refused by the cell's API server, and
whoever may change that can make one of the same name anew, with other content. Taken at its word, all masters of all
its clusters would change at one instant, without an order, a check, a snapshot or a look at the versions. So the status
keeps a digest of what they are made of, and nothing is made of what differs from it, unless a person approves that very
content on the Cluster.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from homeostat.api.cluster.masters import COMPONENTS
from homeostat.api.cluster.upgrades import PackageDigestStatus
from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion, ClusterPackageVersionSpec, ClusterStatus
from homeostat.operators.cluster.manifests.shape import digest_of

# Of contents that are the very same object, which a cache hands out until it changes: every look at a cluster asks.
_DIGESTS: dict[int, tuple[ClusterPackageVersionSpec, str]] = {}
_MOST_DIGESTS = 1000

Packages = Mapping[str, ClusterPackageVersion]


def digest(package: ClusterPackageVersion) -> str:
    """The same for as long as it means the same: fields that later releases add do not count while they are unset."""
    spec = package.spec
    known = _DIGESTS.get(id(spec))
    if known is None or known[0] is not spec:
        if len(_DIGESTS) >= _MOST_DIGESTS:
            _DIGESTS.clear()
        known = _DIGESTS[id(spec)] = spec, digest_of(spec)
    return known[1]


def differs(cluster: Cluster, package: ClusterPackageVersion) -> bool:
    """Whether masters of a Cluster are made of a package version of that name with other content, and shall stay so."""
    known = {each.name: each.digest for each in cluster.status.package_digests}
    is_same = known.get(package.metadata.name, "") in ("", digest(package))
    return not is_same and not is_approved(cluster, package)


def is_approved(cluster: Cluster, package: ClusterPackageVersion) -> bool:
    """Whether a person named this very content, and no master would come to another version by it.

    Whoever has lost the old content makes one with the versions that run, approves it, and moves on from there.
    """
    approved = cluster.spec.upgrade_policy.approve_content
    return approved != "" and approved == digest(package) and not other_versions(cluster, package)


def other_versions(cluster: Cluster, package: ClusterPackageVersion) -> str:
    """Which masters would come to another version by this content; empty: none."""
    name = package.metadata.name
    there = {part.name: part.version for part in package.spec.components}
    here = {each.name: each.version for each in cluster.status.components if each.package_version == name}
    moved = (each for each in COMPONENTS if here.get(each) and here[each] != there.get(each))
    return ", ".join(f"{each} is of {here[each]}, and {there.get(each, 'not there')} in it" for each in moved)


def way_out(cluster: Cluster, package: ClusterPackageVersion) -> str:
    """What helps when nobody has the old content any more."""
    moved = other_versions(cluster, package)
    if moved:
        return f"only content with the versions that run can be approved instead: {moved}"
    return f"or set spec.upgradePolicy.approveContent to {digest(package)}, and the masters are made of it, all at once"


def changed(cluster: Cluster, packages: Packages) -> str:
    """The first package version that is not any more what masters are made of; empty: there is none."""
    known = (packages.get(each.name) for each in cluster.status.package_digests)
    return next((each.metadata.name for each in known if each is not None and differs(cluster, each)), "")


def sealed(cluster: Cluster, status: ClusterStatus, packages: Packages) -> ClusterStatus:
    """The status with the digests of all package versions that masters are made of from now on, and of no others."""
    if not status.package_version:
        return status
    known = {each.name: each for each in status.package_digests}
    used = {status.package_version, *(each.package_version for each in status.components)} - {""}
    for name in used & packages.keys():
        if name not in known or is_approved(cluster, packages[name]):
            known[name] = PackageDigestStatus(name=name, digest=digest(packages[name]))
    return replace(status, package_digests=tuple(known[name] for name in sorted(used & known.keys())))
