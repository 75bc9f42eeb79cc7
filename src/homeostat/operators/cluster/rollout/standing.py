"""Which package version each component is made of. The status knows: it is written before anything moves."""

from __future__ import annotations

from collections.abc import Mapping

from homeostat.api.cluster.v1alpha1 import COMPONENTS, Cluster, ClusterPackageVersion, PackageComponent
from homeostat.operators.cluster.observe import Observed
from homeostat.operators.cluster.rollout.path import Stand


def placed(cluster: Cluster) -> Mapping[str, str]:
    """Which package version each component is made of."""
    known = {component.name: component.package_version for component in cluster.status.components}
    whole = cluster.status.package_version or cluster.spec.package_version
    return {component: known.get(component) or whole for component in COMPONENTS}


def standing(cluster: Cluster, to: str, packages: Mapping[str, ClusterPackageVersion]) -> Stand:
    """Where all components are, and where they shall go."""
    return Stand(placed(cluster), to, {name: package.spec for name, package in packages.items()})


def made_of(seen: Observed) -> Mapping[str, PackageComponent]:
    """What each component is made of. All package versions must be known; wait_for_the_package() sees to that."""
    at = placed(seen.cluster)
    found = {component: seen.packages[at[component]].spec.component(component) for component in COMPONENTS}
    return {component: content for component, content in found.items() if content is not None}
