"""How each master component fares: pure judgement of workloads and Pods, in words a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from homeostat.api.cluster.components import ComponentStatus, PackageComponent
from homeostat.api.cluster.masters import API_SERVER, COMPONENTS, CONTROLLER_MANAGER, ETCD, SCHEDULER
from homeostat.api.pods import ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.hosting.rights import digest, rights
from homeostat.operators.cluster.manifests.hosted import replicas_of
from homeostat.operators.cluster.names import COMPONENT_LABEL, Names
from homeostat.operators.cluster.observe import Memory, Observed, Workload
from homeostat.operators.cluster.overrides import merged
from homeostat.operators.cluster.rollout.standing import Made, hosted, made
from homeostat.operators.cluster.topology import Topology, standing

_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"}
_CRASH_REASONS = {"CrashLoopBackOff", "RunContainerError", "CreateContainerError", "CreateContainerConfigError"}
_SHOWN = 300
_LONGEST = 1024  # of a component's message, as the CRD says


class Trouble(Struct, frozen=True):
    """Why a component is not ready."""

    reason: str
    message: str


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
    """What each component is started with. All package versions must be known; wait_for_the_package() sees to that."""
    parts = made(seen.cluster, seen.packages)
    found = {name: (seen.packages[part.package].spec.component(name), part) for name, part in parts.items()}
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


def components(seen: Observed, at: Mapping[str, Made]) -> tuple[ComponentStatus, ...]:
    """The status of every component, as the package version that it is made of declares it; else the last known."""
    known = {status.name: status for status in seen.cluster.status.components}
    found = []
    for component, part in at.items():
        package = seen.packages.get(part.package)
        declared = package.spec.component(component) if package else None
        if declared is not None:
            workload = seen.workloads.get(workload_name(seen.names, component))
            told = _status(seen, declared, workload, trouble(seen, component))
            found.append(
                replace(told, package_version=part.package, override=part.override, emulated_version=part.emulates)
            )
        elif component in known and package is None:
            found.append(known[component])
        elif component in known:  # an operator that goes; that it does is remembered until all is done
            why = trouble(seen, component)
            gone = replace(known[component], desired=0, ready=0, state=why.reason, message=why.message)
            found.append(replace(gone, package_version=part.package, override=None))
    return tuple(found)


def topology(seen: Observed) -> Topology:
    """How many of everything there are to be now."""
    return standing(seen.cluster)


def is_ready(seen: Observed, component: str) -> bool:
    """Whether all declared replicas, of the newest declaration, are ready."""
    if component not in COMPONENTS:
        return _is_hosted_well(seen, component)
    workload = seen.workloads.get(workload_name(seen.names, component))
    return workload is not None and _is_rolled_out(workload, topology(seen).replicas(component))


def replicas(seen: Observed, component: PackageComponent) -> int:
    """How many of a component there are to be."""
    return replicas_of(component, topology(seen))


def is_granted(seen: Observed, component: PackageComponent) -> bool:
    """Whether a hosted operator is known to have the rights in the business cluster that it is declared with."""
    known = seen.rights.get(component.name)
    return known is not None and known.digest == digest(rights(component))


def _is_hosted_well(seen: Observed, operator: str) -> bool:
    """Of one that is not to be there: whether nothing runs any more."""
    workload = seen.workloads.get(seen.names.hosted(operator))
    component = operators(seen).get(operator)
    if component is None:
        return workload is None and not _pods(seen, operator)
    # What is not known since this process has begun was so before: a cluster is not ill because its operator restarts.
    is_entitled = operator not in seen.rights or is_granted(seen, component)
    return is_entitled and workload is not None and _is_rolled_out(workload, replicas(seen, component))


def has_ready_quorum(seen: Observed) -> bool:
    """Whether enough members of etcd answer, so that API servers find them behind the Service of etcd."""
    return sum(pod.is_ready for pod in _pods(seen, ETCD)) >= topology(seen).quorum


def can_serve(seen: Observed) -> bool:
    """Whether clients can be served at all: a quorum of etcd and one API server are ready."""
    return _ready(seen, ETCD) >= topology(seen).quorum and _ready(seen, API_SERVER) > 0


def trouble(seen: Observed, component: str) -> Trouble:
    """What a component waits for, most telling first; reason Ready when it is."""
    workload = seen.workloads.get(workload_name(seen.names, component))
    if component not in COMPONENTS:
        declared = operators(seen).get(component)
        if declared is None:
            return _leaving(seen, component)
        if (why := _unentitled(seen, declared)) is not None:
            return why
        wanted = replicas(seen, declared)
    else:
        wanted = topology(seen).replicas(component)
    if workload is None:
        return Trouble(words.NOT_CREATED, "waits for what it depends on")
    if _is_rolled_out(workload, wanted):
        return Trouble(words.COMPONENTS_READY, "")
    pods = _pods(seen, component)
    staying = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    for judge in (_image, _crash, _unschedulable):
        for pod in staying:
            found = judge(pod)
            if found is not None:
                return found
    return _refused(workload) or Trouble(words.PROGRESSING, _awaited(workload, wanted, staying, pods))


def _leaving(seen: Observed, operator: str) -> Trouble:
    pods = _pods(seen, operator)
    if not pods and seen.names.hosted(operator) not in seen.workloads:
        return Trouble(words.COMPONENTS_READY, "")
    where = _places(pods)
    return Trouble(words.PROGRESSING, "is hosted no longer" + (f", waiting until {where} is gone" if where else ""))


def _unentitled(seen: Observed, component: PackageComponent) -> Trouble | None:
    """Why a hosted operator cannot do its work yet, or any more."""
    known = seen.rights.get(component.name)
    if known is None or is_granted(seen, component):
        return None
    if known.failure:
        return Trouble(words.RIGHTS_REFUSED, f"its rights in the business cluster are not granted: {known.failure}")
    return Trouble(words.PROGRESSING, "its rights in the business cluster are being granted")


def note_readiness(seen: Observed, known: Memory, now: datetime) -> Observed:
    """Remember when the readiness of a master last changed: what was proven before says nothing about now."""
    readiness = tuple(is_ready(seen, component) for component in everything(seen))
    if readiness != known.readiness or known.ready_since is None:
        known.readiness, known.ready_since = readiness, now
    return replace(seen, ready_since=known.ready_since)


def authority_trouble(seen: Observed) -> Trouble | None:
    """What only a person can mend, because new authorities would cut off every client; they may go with the Cluster."""
    secret = seen.names.authority
    if seen.authority.damage:
        message = f"Secret {secret}: {seen.authority.damage}; restore it from a backup, the masters run on"
        return Trouble(words.AUTHORITY_DAMAGED, message)
    goes = seen.cluster.metadata.deletion_timestamp is not None and not seen.cluster.spec.deletion_protection
    if seen.authority.exists or not seen.is_begun or goes:
        return None
    gone = f"Secret {secret} is gone, or has lost its labels, while the cluster has data"
    message = f"{gone}; restore it from a backup, the masters run on"
    return Trouble(words.AUTHORITY_LOST, message)


def _pods(seen: Observed, component: str) -> list[Pod]:
    return [pod for pod in seen.pods if pod.metadata.labels.get(COMPONENT_LABEL) == component]


def _ready(seen: Observed, component: str) -> int:
    workload = seen.workloads.get(workload_name(seen.names, component))
    return workload.status.ready_replicas if workload else 0


def _is_rolled_out(workload: Workload, wanted: int) -> bool:
    status = workload.status
    current = status.observed_generation >= workload.metadata.generation
    updated = min(status.updated_replicas, status.ready_replicas) >= wanted
    # While old Pods are there, it may be they who are ready, and not the new ones.
    alone = status.replicas <= status.updated_replicas
    return current and updated and alone and workload.metadata.deletion_timestamp is None


def _awaited(workload: Workload, wanted: int, staying: list[Pod], pods: list[Pod]) -> str:
    """What is waited for; replicas that are ready are not."""
    scaled = workload.spec.replicas
    if scaled < wanted:
        return (
            f"{type(workload).__name__} {workload.metadata.name} was scaled to {scaled} replicas, {wanted} are declared"
        )
    unready = [pod for pod in staying if not pod.status.is_ready]
    updated = workload.status.updated_replicas
    if staying and not unready and updated < wanted:
        return f"{updated} of {wanted} Pods are of the newest declaration"
    where = _places(unready or staying)
    if where:
        return f"starting {where}"
    leaving = "" if staying else _places(pods)
    return f"waiting until {leaving} is gone" if leaving else "waiting for its Pod"


def _places(pods: list[Pod]) -> str:
    return ", ".join(f"{pod.metadata.name} on {pod.spec.node_name}" for pod in pods if pod.spec.node_name)


def _refused(workload: Workload) -> Trouble | None:
    for condition in workload.status.conditions:
        if condition.type == "ReplicaFailure" and condition.status == "True":
            return Trouble(words.POD_REFUSED, condition.message[:_SHOWN] or condition.reason)
    return None


def _image(pod: Pod) -> Trouble | None:
    for container in pod.status.container_statuses:
        waiting = container.state.waiting
        if waiting is not None and waiting.reason in _IMAGE_REASONS:
            image = container.image or next((c.image for c in pod.spec.containers if c.name == container.name), "")
            said = waiting.message[:_SHOWN]
            where = f"image {image} cannot be had on host {pod.spec.node_name} ({waiting.reason})"
            return Trouble(words.IMAGE_UNAVAILABLE, f"{where}: {said}" if said else where)
    return None


def _crash(pod: Pod) -> Trouble | None:
    for container in pod.status.container_statuses:
        waiting, last = container.state.waiting, container.last_state.terminated or container.state.terminated
        where = f"{pod.metadata.name} on {pod.spec.node_name}"
        if last is not None and (_is_stuck(waiting) or _ends_often(container, last)):
            said, text = last.message, f"{where} ended {container.restart_count} times (exit code {last.exit_code})"
        elif waiting is not None and _is_stuck(waiting):
            said, text = waiting.message, f"{where} cannot be started ({waiting.reason})"
        else:
            continue
        said = said.strip()[-_SHOWN:]
        return Trouble(words.CRASHING, f"{text}: {said}" if said else text)
    return None


def _is_stuck(waiting: ContainerStateWaiting | None) -> bool:
    return waiting is not None and waiting.reason in _CRASH_REASONS


def _ends_often(container: ContainerStatus, last: ContainerStateTerminated) -> bool:
    return bool(last.exit_code) and container.restart_count > 1 and not container.ready


def _unschedulable(pod: Pod) -> Trouble | None:
    scheduled = pod.status.condition("PodScheduled")
    if scheduled is None or scheduled.status != "False" or scheduled.reason != "Unschedulable":
        return None
    return Trouble(words.UNSCHEDULABLE, f"{pod.metadata.name}: {scheduled.message[:_SHOWN]}")


def _status(seen: Observed, declared: PackageComponent, workload: Workload | None, why: Trouble) -> ComponentStatus:
    return ComponentStatus(
        name=declared.name,
        version=declared.version,
        image=declared.image,
        desired=replicas(seen, declared),
        ready=workload.status.ready_replicas if workload else 0,
        state=why.reason,
        message=why.message[:_LONGEST],
    )
