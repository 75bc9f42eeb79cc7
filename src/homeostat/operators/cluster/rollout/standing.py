"""What each component is made of, and what is wished. The status knows: it is written before anything moves."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.masters import COMPONENTS
from homeostat.api.cluster.parameters import ComponentOverride
from homeostat.api.cluster.v1alpha1 import Cluster, ClusterPackageVersion
from homeostat.operators.cluster.overrides import Overrides, by_component, digest
from homeostat.operators.cluster.rollout.emulation import EMULATING, held
from homeostat.operators.cluster.rollout.path import Stand

Packages = Mapping[str, ClusterPackageVersion]  # by name


class Made(Struct, frozen=True):
    """What one component is made of."""

    package: str
    override: ComponentOverride | None = None
    emulates: str = ""  # an older minor version that it behaves as


class Wish(Struct, frozen=True):
    """What all components shall be made of."""

    package: str
    overrides: Overrides = {}

    def part(self, component: str, emulates: str = "") -> Made:
        """What it means for one component."""
        return Made(self.package, self.overrides.get(component), emulates if component in EMULATING else "")


def declared(cluster: Cluster) -> Wish:
    """What the spec says."""
    return Wish(cluster.spec.package_version, by_component(cluster.spec.overrides))


def complete(cluster: Cluster) -> Wish:
    """What all masters were made of when a move last was complete."""
    return Wish(cluster.status.package_version, by_component(cluster.status.overrides))


def wished(cluster: Cluster) -> Wish:
    """Where to go: to what is declared, or back from it when it failed and nobody asked for another attempt."""
    wish, upgrade, policy = declared(cluster), cluster.status.upgrade, cluster.spec.upgrade_policy
    if policy.on_failure != "Rollback" or upgrade is None or policy.attempt > upgrade.failed_attempt:
        return wish
    is_failed = upgrade.failed_version == wish.package and upgrade.failed_overrides == digest(wish.overrides)
    return complete(cluster) if is_failed else wish


def is_ending(cluster: Cluster, emulates: str) -> bool:
    """Whether masters of what is complete go on from emulating to their own version."""
    known = held(cluster.status)
    return known is not None and not emulates and wished(cluster) == complete(cluster)


def is_retreat(cluster: Cluster, emulates: str) -> bool:
    """Whether it goes back to what was complete."""
    return wished(cluster) == complete(cluster) and not is_ending(cluster, emulates)


def hosted(cluster: Cluster, packages: Packages, to: str = "") -> tuple[str, ...]:
    """All operators that are hosted now, are to be, or were when a move last was complete; also in yet another one."""
    parts = [status.package_version for status in cluster.status.components]
    known = dict.fromkeys((cluster.status.package_version, cluster.spec.package_version, *parts, to))
    return tuple(dict.fromkeys(name for each in known if each in packages for name in packages[each].spec.hosted))


def made(cluster: Cluster, packages: Packages, to: str = "") -> Mapping[str, Made]:
    """What each component is made of. Before a Cluster was accepted nothing is, and it will be what is declared.

    A hosted operator of which its package version knows nothing is not there: it is to come, or has gone. `to` names a
    package version that is neither declared nor complete, and may have others.
    """
    components = (*COMPONENTS, *hosted(cluster, packages, to))
    if not cluster.status.package_version:
        return {component: declared(cluster).part(component) for component in components}
    found = {component: complete(cluster).part(component) for component in components}
    if (known := held(cluster.status)) is not None:
        found |= {component: replace(found[component], emulates=known.version) for component in EMULATING}
    for status in cluster.status.components:
        if status.package_version and status.name in found:
            found[status.name] = Made(status.package_version, status.override, status.emulated_version)
    return found


def hosted_now(cluster: Cluster, packages: Packages) -> tuple[str, ...]:
    """The operators that there are to be, by what each is made of."""
    known = hosted(cluster, packages)
    if not known:
        return ()
    at = made(cluster, packages)
    return tuple(
        each for each in known if at[each].package in packages and each in packages[at[each].package].spec.hosted
    )


def placed(cluster: Cluster, packages: Packages) -> frozenset[str]:
    """The package versions that components are made of, be they known or lost."""
    if not cluster.status.package_version:
        return frozenset({cluster.spec.package_version})
    told = {status.package_version for status in cluster.status.components if status.package_version}
    return frozenset(told) | {part.package for part in made(cluster, packages).values()}


def standing(cluster: Cluster, wish: Wish, packages: Packages, emulates: str = "") -> Stand:
    """Where all components are, and where they shall go, there to behave as an older minor version or as their own."""
    now = made(cluster, packages, wish.package)
    differing = frozenset(name for name, part in now.items() if part.override != wish.part(name).override)
    emulating = frozenset(name for name in EMULATING if now[name].emulates != emulates)
    at = {name: part.package for name, part in now.items()}
    specs = {name: package.spec for name, package in packages.items()}
    return Stand(at, wish.package, specs, differing, emulating, emulates)


def is_all_there(cluster: Cluster, wish: Wish, packages: Packages) -> bool:
    """Whether every component is of what is wished, whatever version it behaves as."""
    parts = made(cluster, packages, wish.package).items()
    return all(replace(part, emulates="") == wish.part(component) for component, part in parts)
