"""Which components there are to be, and whether they are ready: pure judgement of workloads and Pods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from homeostat.api.cluster.components import PackageComponent
from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, CONTROLLER_MANAGER, ETCD, SCHEDULER
from homeostat.api.pods import Pod
from homeostat.operators.cluster.manifests.shape import replicas_of
from homeostat.operators.cluster.names import COMPONENT_LABEL, Names
from homeostat.operators.cluster.observe import Memory, Observed, Workload
from homeostat.operators.cluster.overrides import merged
from homeostat.operators.cluster.rollout.standing import hosted, made
from homeostat.operators.cluster.topology import Topology, standing


def workload_names(names: Names) -> dict[str, str]:
    """The workload of etcd and of each master of Kubernetes, in the order of their start."""
    return {
        ETCD: names.etcd,
        API_SERVER: names.apiserver,
        CONTROLLER_MANAGER: names.controllers,
        SCHEDULER: names.scheduler,
    }


def workload_name(names: Names, component: str) -> str:
    """The workload of any component."""
    return workload_names(names).get(component) or names.hosted(component)


def made_of(seen: Observed) -> Mapping[str, PackageComponent]:
    """What each component is started with; of one whose package version is lost nothing is known."""
    parts = made(seen.cluster, seen.packages)
    there = {name: part for name, part in parts.items() if part.package in seen.packages}
    found = {name: (seen.packages[part.package].spec.component(name), part) for name, part in there.items()}
    return {
        name: merged(component, part.override) for name, (component, part) in found.items() if component is not None
    }


def everything(seen: Observed) -> tuple[str, ...]:
    """All components that there are to be, or of which something may be left."""
    return (*COMPONENTS, *hosted(seen.cluster, seen.packages))


def operators(seen: Observed) -> Mapping[str, PackageComponent]:
    """The hosted operators that there are to be now."""
    if not hosted(seen.cluster, seen.packages):
        return {}
    return {name: component for name, component in made_of(seen).items() if component.hosted is not None}


def topology(seen: Observed) -> Topology:
    """How many of everything there are to be now."""
    return standing(seen.cluster)


def is_ready(seen: Observed, component: str) -> bool:
    """Whether all declared replicas, of the newest declaration, are ready."""
    if component not in COMPONENTS:
        return _is_hosted_well(seen, component)
    workload = seen.workloads.get(workload_name(seen.names, component))
    return workload is not None and is_rolled_out(workload, topology(seen).replicas(component))


def replicas(seen: Observed, component: PackageComponent) -> int:
    """How many of a component there are to be."""
    return replicas_of(component, topology(seen))


def _is_hosted_well(seen: Observed, operator: str) -> bool:
    """Of one that is not to be there: whether nothing runs any more."""
    workload = seen.workloads.get(seen.names.hosted(operator))
    component = operators(seen).get(operator)
    if component is None:
        return workload is None and not pods_of(seen, operator)
    is_refused = seen.rights is not None and operator in seen.rights.refused
    return not is_refused and workload is not None and is_rolled_out(workload, replicas(seen, component))


def has_ready_quorum(seen: Observed) -> bool:
    """Whether enough members of etcd answer, so that API servers find them behind the Service of etcd."""
    return sum(pod.is_ready for pod in pods_of(seen, ETCD)) >= topology(seen).quorum


def can_serve(seen: Observed) -> bool:
    """Whether clients can be served at all: a quorum of etcd and one API server are ready."""
    return _ready(seen, ETCD) >= topology(seen).quorum and _ready(seen, API_SERVER) > 0


def is_unheard(seen: Observed) -> bool:
    """Whether the hosts of masters that are not ready are silent: then clients may be served all the same."""
    silent = {name for name, host in seen.hosts.items() if not host.is_ready}
    return any(not pod.is_ready and pod.spec.node_name in silent for pod in seen.pods)


def is_answered(seen: Observed) -> bool:
    """Whether the endpoint was asked since the readiness of a master last changed."""
    return seen.ready_since is not None and seen.probed is not None and seen.probed.at >= seen.ready_since


def serves(seen: Observed, component: str) -> bool:
    """Whether anything of a component does its work: of API servers, that they answer; of their clients, that both do.

    A controller that does not lead stays ready, and idle, while no API server answers.
    """
    if component == ETCD:
        return _ready(seen, ETCD) >= topology(seen).quorum
    answers = can_serve(seen) and (seen.probed is None or seen.probed.serves)
    return answers and (component == API_SERVER or _ready(seen, component) > 0)


def is_idle_on_its_way(seen: Observed, component: str) -> bool:
    """Whether a client of API servers does nothing while masters move, so that none of its Pods is worth keeping."""
    upgrade = seen.cluster.status.upgrade
    is_moving = upgrade is not None and upgrade.component != ""
    return is_moving and component not in (ETCD, API_SERVER) and not serves(seen, component)


def note_readiness(seen: Observed, known: Memory, now: datetime) -> Observed:
    """Remember when the readiness of a master last changed: what was proven before says nothing about now."""
    readiness = tuple(is_ready(seen, component) for component in everything(seen))
    if readiness != known.readiness or known.ready_since is None:
        known.readiness, known.ready_since = readiness, now
    return replace(seen, ready_since=known.ready_since)


def pods_of(seen: Observed, component: str) -> list[Pod]:
    """Its Pods, those on their way out too."""
    return [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) == component]


def _ready(seen: Observed, component: str) -> int:
    workload = seen.workloads.get(workload_name(seen.names, component))
    return workload.status.ready_replicas if workload else 0


def is_rolled_out(workload: Workload, wanted: int) -> bool:
    """Whether so many replicas of the newest declaration are ready, and no other is left."""
    status = workload.status
    current = status.observed_generation >= workload.metadata.generation
    updated = min(status.updated_replicas, status.ready_replicas) >= wanted
    # While old Pods are there, it may be they who are ready, and not the new ones.
    alone = status.replicas <= status.updated_replicas
    return current and updated and alone and workload.metadata.deletion_timestamp is None
