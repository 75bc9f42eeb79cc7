"""In which order components are made and move: as Kubernetes asks, and as a package version says beside. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, CONTROLLER_MANAGER, ETCD, SCHEDULER
from homeostat.api.cluster.v1alpha1 import ClusterPackageVersionSpec

# What is newer than the API server may ask it for more than it has; API servers may ask etcd for more than it has.
_ALWAYS: Mapping[str, tuple[str, ...]] = {
    ETCD: (),
    API_SERVER: (ETCD,),
    CONTROLLER_MANAGER: (API_SERVER,),
    SCHEDULER: (API_SERVER,),
}


def dependencies(spec: ClusterPackageVersionSpec, component: str) -> tuple[str, ...]:
    """All components that one depends on."""
    found = spec.component(component)
    return tuple(dict.fromkeys((*_ALWAYS.get(component, ()), *(found.depends_on if found is not None else ()))))


def upwards(spec: ClusterPackageVersionSpec) -> tuple[str, ...]:
    """Every component after those that it depends on. One whose dependencies form a circle comes last."""
    return _sorted({each: dependencies(spec, each) for each in COMPONENTS})


def downwards(spec: ClusterPackageVersionSpec) -> tuple[str, ...]:
    """Every component before those that it depends on."""
    needed = {each: dependencies(spec, each) for each in COMPONENTS}
    return _sorted({each: tuple(other for other in COMPONENTS if each in needed[other]) for each in COMPONENTS})


def circle(spec: ClusterPackageVersionSpec) -> tuple[str, ...]:
    """Components that wait for one another, in the package's order; empty when none do."""
    needed = {each: dependencies(spec, each) for each in COMPONENTS}
    left = set(_left(needed))
    return tuple(each.name for each in spec.components if each.name in left)


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
