"""In which order components are made and move: as Kubernetes asks, and as a package version says beside. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, ETCD
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersionSpec

# What is newer than the API server may ask it for more than it has; API servers may ask etcd for more than it has.
_ALWAYS: Mapping[str, tuple[str, ...]] = {ETCD: (), API_SERVER: (ETCD,)}
_CLIENTS = (API_SERVER,)


def dependencies(spec: ClusterPackageVersionSpec, component: str) -> tuple[str, ...]:
    """All components that one depends on."""
    found = spec.component(component)
    always = _ALWAYS.get(component, _CLIENTS)
    return tuple(dict.fromkeys((*always, *(found.depends_on if found is not None else ()))))


def foundations(spec: ClusterPackageVersionSpec, component: str) -> tuple[str, ...]:
    """All that a component depends on, and what that depends on."""
    found = dict.fromkeys(dependencies(spec, component))
    while more := [each for known in found for each in dependencies(spec, known) if each not in found]:
        found |= dict.fromkeys(more)
    return tuple(each for each in found if each != component)


def upwards(spec: ClusterPackageVersionSpec, components: Iterable[str]) -> tuple[str, ...]:
    """Every component after those that it depends on. One whose dependencies form a circle comes last."""
    return _sorted(_needed(spec, components))


def downwards(spec: ClusterPackageVersionSpec, components: Iterable[str]) -> tuple[str, ...]:
    """Every component before those that it depends on."""
    needed = _needed(spec, components)
    return _sorted({each: tuple(other for other in needed if each in needed[other]) for each in needed})


def circle(spec: ClusterPackageVersionSpec) -> tuple[str, ...]:
    """Components that wait for one another, in the package's order; empty when none do."""
    left = set(_left(_needed(spec, (*COMPONENTS, *spec.hosted))))
    return tuple(each.name for each in spec.components if each.name in left)


def _needed(spec: ClusterPackageVersionSpec, components: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What each depends on, of those that there are."""
    there = tuple(components)
    return {each: tuple(other for other in dependencies(spec, each) if other in there) for each in there}


def _sorted(needed: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    left = _left(needed)
    done = list[str]()
    while ready := [each for each in needed if each not in left and each not in done and set(needed[each]) <= {*done}]:
        done.append(ready[0])
    return (*done, *left)


def _left(needed: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """What can never be reached."""
    left = dict.fromkeys(needed)
    while ready := [each for each in left if not any(other in left for other in needed[each])]:
        for each in ready:
            del left[each]
    return tuple(left)
