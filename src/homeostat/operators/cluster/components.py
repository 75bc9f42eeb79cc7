"""How each master component fares: pure judgement of workloads and Pods, in words a person can act on."""

from __future__ import annotations

from msgspec import Struct

from homeostat.api.cluster.v1alpha1 import ComponentStatus, PackageComponent
from homeostat.api.pods import ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod
from homeostat.operators.cluster import words
from homeostat.operators.cluster.manifests import apiserver, controllers, etcd
from homeostat.operators.cluster.names import COMPONENT_LABEL, Names
from homeostat.operators.cluster.observe import Observed, Workload

_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"}
_CRASH_REASONS = {"CrashLoopBackOff", "RunContainerError", "CreateContainerError", "CreateContainerConfigError"}
_SHOWN = 300
_LONGEST = 1024  # of a component's message, as the CRD says


class Trouble(Struct, frozen=True):
    """Why a component is not ready."""

    reason: str
    message: str


def workload_names(names: Names) -> dict[str, str]:
    """The workload of each component, in the order of their start."""
    return {
        etcd.NAME: names.etcd,
        apiserver.NAME: names.apiserver,
        controllers.CONTROLLER_MANAGER: names.controllers,
        controllers.SCHEDULER: names.scheduler,
    }


def components(seen: Observed) -> tuple[ComponentStatus, ...]:
    """The status of every component of the package in use."""
    if seen.package is None:
        return seen.cluster.status.components
    found = []
    for component, name in workload_names(seen.names).items():
        declared = seen.package.spec.component(component)
        if declared is not None:
            found.append(_status(declared, seen.workloads.get(name), trouble(seen, component)))
    return tuple(found)


def is_ready(seen: Observed, component: str) -> bool:
    """Whether all declared replicas, of the newest declaration, are ready."""
    workload = seen.workloads.get(workload_names(seen.names)[component])
    return workload is not None and _is_rolled_out(workload)


def is_running(seen: Observed, component: str) -> bool:
    """Whether a Pod of it has its volumes and its process, ready or not."""
    return any(pod.status.phase == "Running" for pod in _pods(seen, component))


def trouble(seen: Observed, component: str) -> Trouble:
    """What a component waits for, most telling first; reason Ready when it is."""
    workload = seen.workloads.get(workload_names(seen.names)[component])
    if workload is None:
        return Trouble(words.NOT_CREATED, "waits for what it depends on")
    if _is_rolled_out(workload):
        return Trouble(words.COMPONENTS_READY, "")
    pods = _pods(seen, component)
    staying = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    for judge in (_image, _crash, _unschedulable):
        for pod in staying:
            found = judge(pod)
            if found is not None:
                return found
    return _refused(workload) or Trouble(words.PROGRESSING, _awaited(workload, staying, pods))


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


def _is_rolled_out(workload: Workload) -> bool:
    status = workload.status
    current = status.observed_generation >= workload.metadata.generation
    updated = min(status.updated_replicas, status.ready_replicas) >= _wanted(workload)
    return current and updated and workload.metadata.deletion_timestamp is None


def _wanted(workload: Workload) -> int:
    """Never none: who scales a master to nothing by hand has not declared that."""
    return max(workload.spec.replicas, 1)


def _awaited(workload: Workload, staying: list[Pod], pods: list[Pod]) -> str:
    if workload.spec.replicas == 0:
        return f"{type(workload).__name__} {workload.metadata.name} was scaled to 0 replicas, 1 is declared"
    where = _places(staying)
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


def _status(declared: PackageComponent, workload: Workload | None, why: Trouble) -> ComponentStatus:
    return ComponentStatus(
        name=declared.name,
        version=declared.version,
        image=declared.image,
        desired=_wanted(workload) if workload else 1,
        ready=workload.status.ready_replicas if workload else 0,
        state=why.reason,
        message=why.message[:_LONGEST],
    )
